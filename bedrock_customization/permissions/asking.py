"""Asking models: base models, custom models, teachers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from bedrock_customization.permissions.bedrock import FOUNDATION_MODELS, bedrock_arn, resource_tag

# What a cross-Region inference profile's id has in front of the model's.
_GEOGRAPHY = re.compile(r"^(us-gov|us|eu|apac|jp|au|ca|global)\.")


def ask_base_models() -> list[iam.PolicyStatement]:
    """Asks foundation models and inference profiles; a profile also needs the model in each of its Regions."""
    return [
        iam.PolicyStatement(
            actions=["bedrock:InvokeModel"],
            resources=[
                FOUNDATION_MODELS,
                bedrock_arn("inference-profile"),
                bedrock_arn("application-inference-profile"),
            ],
        )
    ]


def ask_custom_models(workflow_tag: str) -> list[iam.PolicyStatement]:
    """Asks the custom models that a workflow serves.

    Args:
        workflow_tag: The tag of what serves them.
    """
    return [
        iam.PolicyStatement(
            actions=["bedrock:InvokeModel"],
            resources=[bedrock_arn("custom-model-deployment"), bedrock_arn("provisioned-model")],
            conditions=resource_tag(workflow_tag),
        )
    ]


def ask_models(model_arns: Sequence[str]) -> list[iam.PolicyStatement]:
    """Asks models by their ARNs.

    Args:
        model_arns: What `bedrock:InvokeModel` is allowed on.
    """
    return [iam.PolicyStatement(actions=["bedrock:InvokeModel"], resources=list(model_arns))]


def ask_teachers(teacher_models: Sequence[str]) -> list[iam.PolicyStatement]:
    """Asks the teachers of a distillation; a profile also needs the model in each of its Regions.

    Args:
        teacher_models: Ids or ARNs of foundation models and inference profiles.
    """
    resources = [arn for teacher in teacher_models for arn in _teacher_arns(teacher)]
    return [iam.PolicyStatement(actions=["bedrock:InvokeModel"], resources=list(dict.fromkeys(resources)))]


def _teacher_arns(teacher: str) -> list[str]:
    given = [teacher] if teacher.startswith("arn:") else []
    name = teacher.rsplit("/", 1)[-1]
    model = _GEOGRAPHY.sub("", name)
    if model != name and not given:
        given = [f"arn:{Aws.PARTITION}:bedrock:{Aws.REGION}:{Aws.ACCOUNT_ID}:inference-profile/{name}"]
    return [*given, f"arn:{Aws.PARTITION}:bedrock:*::foundation-model/{model}"]
