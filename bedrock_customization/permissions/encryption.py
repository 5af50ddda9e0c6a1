"""A key of the customer's: custom models and logs."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms


def encrypt_models(key: kms.IKey) -> list[iam.PolicyStatement]:
    """Encrypts custom models with a key of the customer's, by way of Bedrock only.

    The service role and whoever starts the job both need it: Bedrock creates the grant in the caller's name.

    Args:
        key: The key.
    """
    return [
        iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:CreateGrant"],
            resources=[key.key_arn],
            conditions=_via_bedrock(),
        )
    ]


def decrypt_models(key: kms.IKey) -> list[iam.PolicyStatement]:
    """Serves and asks custom models that are encrypted with a key of the customer's.

    Args:
        key: The key.
    """
    return [iam.PolicyStatement(actions=["kms:Decrypt"], resources=[key.key_arn], conditions=_via_bedrock())]


def encrypt_logs() -> iam.PolicyStatement:
    """Lets CloudWatch Logs encrypt the account's log groups; for the key's own policy.

    Without it no log group can be created with the key (CloudWatch Logs user guide, "Encrypt log data").
    """
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.{Aws.URL_SUFFIX}")],
        actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        resources=["*"],
        conditions={
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": (
                    f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:*"
                )
            }
        },
    )


def _via_bedrock() -> dict[str, dict[str, str]]:
    return {"StringEquals": {"kms:ViaService": f"bedrock.{Aws.REGION}.{Aws.URL_SUFFIX}"}}
