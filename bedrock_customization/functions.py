"""The Lambda functions of the workflows: three commands of one container image."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from bedrock_customization import permissions
from bedrock_customization.acknowledgements import acknowledge
from bedrock_customization.assets import DESCRIPTIONS, FunctionImage

FUNCTION_TIMEOUT = Duration.minutes(15)


class ImageFunction(Construct):
    """A function of the image with its own role and log group, and no more permissions than to write its log.

    Attributes:
        function: The function.
        role: Its role.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        image: FunctionImage,
        command: str,
        memory_mib: int,
        architecture: lambda_.Architecture,
        encryption_key: kms.IKey | None,
        environment: dict[str, str] | None = None,
    ) -> None:
        """Creates the function.

        Args:
            scope: The construct that holds this one.
            construct_id: Its id.
            image: The container image.
            command: The handler in the image, one of `DESCRIPTIONS`.
            memory_mib: Memory in MiB; the share of CPU grows with it.
            architecture: The processor architecture.
            encryption_key: The key of log and environment.
            environment: Environment variables.
        """
        super().__init__(scope, construct_id)
        log_group = logs.LogGroup(
            self,
            "Logs",
            retention=logs.RetentionDays.SIX_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
            encryption_key=encryption_key,
        )
        if encryption_key is not None:
            encryption_key.add_to_resource_policy(permissions.encrypt_logs())
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
            )
        )
        acknowledge(self.role, {"IAM5[Resource::*]": "X-Ray knows no resource to name"})
        self.function = lambda_.DockerImageFunction(
            self,
            "Function",
            code=image.code(command, architecture),
            architecture=architecture,
            description=DESCRIPTIONS[command],
            memory_size=memory_mib,
            timeout=FUNCTION_TIMEOUT,
            role=self.role,
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
            environment=environment,
            environment_encryption=encryption_key,
        )
