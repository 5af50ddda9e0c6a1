"""Stopping and deleting what a run paid for."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from bedrock_customization.permissions.bedrock import bedrock_arn, resource_tag


def release(workflow_tag: str) -> list[iam.PolicyStatement]:
    """Finds what a run made, reads its tags, and stops or deletes it; nothing without the workflow's tag.

    Args:
        workflow_tag: The tag of what may be deleted.
    """
    return [
        iam.PolicyStatement(
            actions=[
                "bedrock:ListModelCustomizationJobs",
                "bedrock:ListCustomModelDeployments",
                "bedrock:ListProvisionedModelThroughputs",
                "bedrock:ListCustomModels",
            ],
            resources=["*"],
        ),
        *(
            iam.PolicyStatement(
                actions=["bedrock:ListTagsForResource", delete],
                resources=[bedrock_arn(kind)],
                conditions=resource_tag(workflow_tag),
            )
            for kind, delete in (
                ("model-customization-job", "bedrock:StopModelCustomizationJob"),
                ("custom-model-deployment", "bedrock:DeleteCustomModelDeployment"),
                ("provisioned-model", "bedrock:DeleteProvisionedModelThroughput"),
                ("custom-model", "bedrock:DeleteCustomModel"),
            )
        ),
    ]
