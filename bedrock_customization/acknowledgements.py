"""Answers to what cdk-nag asks about the constructs, so that an app which uses them need not give them again.

They are acknowledged by the CDK's own means, each finding by its exact id; cdk-nag itself is not needed. What a user
decides, such as access logs, is not acknowledged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct

_PACK = "AwsSolutions"
_TAGGED = "Bedrock makes the id when a run creates the resource; a condition on the workflow's tag stands in"
_BUCKET = r"(<\w+\.Arn>|arn:[^*]+:s3:::[^*/]+)"
# Why a resource of a statement cannot be named; of the resources that match none of these, nothing is acknowledged.
_WILDCARDS = {
    r"arn:.*:bedrock:.*:foundation-model/[^/]+": (
        "The model is named in an execution's input, and a cross-Region profile needs it in each of its Regions"
    ),
    r"arn:.*:bedrock:.*:(application-)?inference-profile/\*": "The profile is named in an execution's input",
    r"arn:.*:bedrock:.*:(model-customization-job|custom-model)/\*": _TAGGED,
    r"arn:.*:bedrock:.*:(custom-model-deployment|provisioned-model)/\*": _TAGGED,
    r"arn:.*:states:.*:execution:[^*]+(/\*)?:\*": "The name of an execution is made when it starts",
    r"arn:.*:ec2:.*:network-interface/\*": "Bedrock makes the interface of a job; conditions on its tags stand in",
    rf"{_BUCKET}/runs/\*.*": "A run writes under an id of its own, which is made when it starts",
    r"\*": "Network descriptions know no resource to name, and an interface that is deleted is known by its tags only",
    rf"{_BUCKET}/\*": "The keys of data are named in an execution's input",
}


def acknowledge_wildcards(policy: IConstruct, statements: Iterable[iam.PolicyStatement]) -> None:
    """Says why statements of this library name no resource.

    Args:
        policy: The policy, or the role whose policy it is.
        statements: The statements.
    """
    resources = [resource for statement in statements for resource in statement.resources]
    found = {}
    for resource in map(_flattened, Stack.of(policy).resolve(resources)):
        reason = next((why for pattern, why in _WILDCARDS.items() if re.fullmatch(pattern, resource)), None)
        if "*" in resource and reason is not None:
            found[f"IAM5[Resource::{resource}]"] = reason
    acknowledge(policy, found)


def acknowledge(scope: IConstruct, reasons: Mapping[str, str]) -> None:
    """Acknowledges findings.

    Args:
        scope: The construct whose findings they are.
        reasons: The reasons, by the rules of AwsSolutions.
    """
    for rule, reason in reasons.items():
        try:
            Validations.of(scope).acknowledge(Acknowledgment(id=f"{_PACK}::{_PACK}-{rule}", reason=reason))
        except RuntimeError:
            # Older releases of the CDK take no id that has a second "::", and show the finding.
            return


def _flattened(value: Any) -> str:
    """A resolved ARN as cdk-nag writes it: references in angle brackets."""
    match value:
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(map(_flattened, parts))
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{resource}.{attribute}>"
        case {"Ref": resource}:
            return f"<{resource}>"
    return str(value)
