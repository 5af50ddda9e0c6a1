"""What an API call needs to be allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Need:
    """An action on a resource that a call needs to be allowed.

    Args:
        action: The action, for example `s3:GetObject`.
        resource: The resource's ARN, or `*`.
        keys: Condition keys in small letters, and their values.
    """

    action: str
    resource: str
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)


def use_of_key(action: str, key: str, service: str, encryption_context: Mapping[str, str], account: str) -> Need:
    """The use of a KMS key that a service makes in its caller's name.

    Args:
        action: The action, for example `kms:Decrypt`.
        key: The key's ARN.
        service: The service's host name, for example `s3.us-east-1.amazonaws.com`.
        encryption_context: What the service encrypts with.
        account: The caller's account.
    """
    keys = encryption_context_keys(encryption_context)
    keys |= {
        "kms:viaservice": [service],
        "kms:calleraccount": [account],
        "aws:viaawsservice": ["true"],
    }
    if action == "kms:CreateGrant":
        keys["kms:grantisforawsresource"] = ["true"]
    return Need(action, key, keys)


def encryption_context_keys(encryption_context: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """The condition keys of an encryption context."""
    keys: dict[str, Sequence[str]] = {
        f"kms:encryptioncontext:{name.lower()}": [value] for name, value in encryption_context.items()
    }
    return keys | ({"kms:encryptioncontextkeys": list(encryption_context)} if encryption_context else {})
