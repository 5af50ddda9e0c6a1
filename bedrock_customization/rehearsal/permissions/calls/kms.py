"""What calls of KMS need. Source: the service authorisation reference of AWS KMS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bedrock_customization.rehearsal.permissions.calls.need import Need, encryption_context_keys
from bedrock_customization.rehearsal.permissions.resources import Resources
from bedrock_customization.rehearsal.permissions.statements import ANY_RESOURCE

_RE_ENCRYPT = {"From": "Source", "To": "Destination"}


def needs(operation: str, request: dict[str, Any], account: Resources) -> list[Need]:
    """What a call needs.

    Args:
        operation: The operation.
        request: Its parameters.
        account: The account's resources.
    """
    if operation == "ReEncrypt":
        return [
            _use(f"ReEncrypt{way}", request.get(f"{which}KeyId"), request.get(f"{which}EncryptionContext", {}), account)
            for way, which in _RE_ENCRYPT.items()
        ]
    return [_use(operation, request.get("KeyId"), request.get("EncryptionContext", {}), account)]


def _use(operation: str, key: str | None, encryption_context: Mapping[str, str], account: Resources) -> Need:
    keys = {**encryption_context_keys(encryption_context), "kms:calleraccount": [account.place.account]}
    known = key is not None and "alias/" not in key
    return Need(f"kms:{operation}", account.key_arn(str(key)) if known else ANY_RESOURCE, keys)
