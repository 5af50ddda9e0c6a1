"""Who asks, as policies name it, and the condition keys that come with it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from bedrock_customization.rehearsal.permissions.policies import Role
from bedrock_customization.rehearsal.permissions.statements import Who
from bedrock_customization.rehearsal.physical_names import Place
from bedrock_customization.rehearsal.services.api import Principal

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_WITH_SOURCE_OWNER = {"cloudwatch.amazonaws.com"}
_WITHOUT_SOURCE_IN_KMS = {"events.amazonaws.com"}


class Principals:
    """Roles and services of one account as principals.

    Args:
        place: The account, Region and partition.
    """

    def __init__(self, place: Place) -> None:
        self._place = place

    def who(self, principal: Principal, role: Role | None) -> Who:
        """Who asks: a session of a role, or a service by itself.

        Args:
            principal: Who makes the request.
            role: The role that acts; None for a service by itself.
        """
        if role is None:
            return self.service(str(principal.service))
        made_up = _session(principal.execution_arn or principal.source_arn or role.arn)
        name = principal.session or principal.function or made_up
        assumed = f"arn:{self._place.partition}:sts::{self._place.account}:assumed-role/{role.name}/{name}"
        return Who(role.arn, assumed, self._place.account)

    def service(self, principal: str) -> Who:
        """A service by its service principal, for example `events.amazonaws.com`."""
        place = self._place
        name = principal.removesuffix(f".{place.url_suffix}").removesuffix(".amazonaws.com")
        name = name.removesuffix(f".{place.region}")
        here = f"{name}.{place.region}.{place.url_suffix}"
        names = (
            principal,
            here,
            f"{name}.amazonaws.com",
            f"{name}.{place.url_suffix}",
            f"{name}.{place.region}.amazonaws.com",
        )
        return Who(services=tuple(dict.fromkeys(names)), account=place.account)

    def keys(self, principal: Principal, role: Role | None, action: str) -> dict[str, Sequence[str]]:
        """The condition keys that come with who asks.

        Args:
            principal: Who makes the request.
            role: The role that acts; None for a service by itself.
            action: What it asks for.
        """
        if role is None:
            return self.service_keys(str(principal.service), principal.source_arn, action)
        keys: dict[str, Sequence[str]] = {
            "aws:principalarn": [role.arn],
            "aws:principalaccount": [self._place.account],
            "aws:principaltype": ["AssumedRole"],
            "aws:principalisawsservice": ["false"],
            "aws:viaawsservice": ["false"],
            **{f"aws:principaltag/{name.lower()}": [value] for name, value in role.tags.items()},
        }
        if principal.function is not None:
            keys["lambda:sourcefunctionarn"] = [self._place.arn("lambda", f"function:{principal.function}")]
        return keys

    def service_keys(self, service: str, source_arn: str | None, action: str) -> dict[str, Sequence[str]]:
        """The condition keys that come with a service by itself.

        Args:
            service: The service principal.
            source_arn: The resource in whose name it asks.
            action: What it asks for.
        """
        keys: dict[str, Sequence[str]] = {
            "aws:principalisawsservice": ["true"],
            "aws:principalservicename": [service],
            "aws:principalservicenameslist": [service],
            "aws:viaawsservice": ["false"],
        }
        if service in _WITHOUT_SOURCE_IN_KMS and action.startswith("kms:"):
            return keys
        keys["aws:sourceaccount"] = [self._place.account]
        if source_arn is not None:
            keys["aws:sourcearn"] = [source_arn]
        if service in _WITH_SOURCE_OWNER:
            keys["aws:sourceowner"] = [self._place.account]
        return keys


def _session(seed: str) -> str:
    """A made-up session name, as Step Functions makes them: letters without a meaning."""
    digest = hashlib.sha256(seed.encode()).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest)
