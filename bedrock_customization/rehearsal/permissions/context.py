"""What AWS knows about a request besides who asks for what: the condition keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bedrock_customization.rehearsal.permissions.conditions import UnknownConditionError

_NEVER_PRESENT = {
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:federatedprovider",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:referer",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceidentity",
    "aws:sourceowner",
    "aws:tagkeys",
    "aws:username",
    "bedrock:guardrailidentifier",
    "bedrock:inferenceprofilearn",
    "ec2:createaction",
    "ec2:subnet",
    "events:detail-type",
    "events:source",
    "iam:passedtoservice",
    "kms:encryptioncontextkeys",
    "kms:grantisforawsresource",
    "kms:viaservice",
    "lambda:sourcefunctionarn",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:delimiter",
    "s3:if-match",
    "s3:if-none-match",
    "s3:max-keys",
    "s3:prefix",
    "s3:tlsversion",
    "s3:versionid",
    "s3:x-amz-acl",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-storage-class",
    "sns:endpoint",
    "sns:protocol",
    "states:statemachinequalifier",
    "sts:externalid",
    "sts:rolesessionname",
    "sts:sourceidentity",
    "sts:transitivetagkeys",
}
"""Keys that a request does not have unless it says otherwise."""
_FAMILIES = ("aws:requesttag/", "aws:principaltag/", "kms:encryptioncontext:")

UNKNOWN: Sequence[str] = ("\0unknown",)
"""Stands for the values of a key that a request has and the rehearsal does not know."""

Tags = Callable[[], Mapping[str, str] | None]
"""Gives a resource's tags, or None if they are not known."""


@dataclass
class RequestContext:
    """The condition keys of one request.

    Args:
        given: Keys in small letters, and their values.
        resource_tags: Gives the tags of the resource.
    """

    given: Mapping[str, Sequence[str]]
    resource_tags: Tags = field(default=dict)

    def values(self, key: str) -> Sequence[str] | None:
        """The values of a key, or None if the request has none.

        Raises:
            UnknownConditionError: The rehearsal cannot know.
        """
        name = key.lower()
        if name in self.given and self.given[name] is not UNKNOWN:
            return self.given[name]
        if name in self.given:
            raise UnknownConditionError(f"the condition key {key}")
        if "resourcetag/" in name:
            tags = self.resource_tags()
            if tags is not None:
                wanted = name.split("/", 1)[1]
                return next(([value] for tag, value in tags.items() if tag.lower() == wanted), None)
        elif name in _NEVER_PRESENT or name.startswith(_FAMILIES):
            return None
        raise UnknownConditionError(f"the condition key {key}")


def tag_keys(tags: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """The keys of a request that tags something."""
    keys: dict[str, Sequence[str]] = {f"aws:requesttag/{name.lower()}": [value] for name, value in tags.items()}
    return {**keys, "aws:tagkeys": list(tags)} if tags else {}
