"""WorkflowMachine: a state machine of this library, with its role and its log."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization import permissions
from bedrock_customization.acknowledgements import acknowledge


class WorkflowMachine(Construct):
    """A STANDARD state machine in JSONata that logs every event without the data, and is traced.

    Attributes:
        state_machine: The state machine.
        role: The role that it acts as.
        log_group: Where it logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        start: sfn.IChainable,
        comment: str,
        timeout: Duration,
        statements: Sequence[iam.PolicyStatement],
        encryption_key: kms.IKey | None,
        log_execution_data: bool,
    ) -> None:
        """Creates the state machine.

        Args:
            scope: The construct that holds this one.
            construct_id: Its id.
            start: The first state.
            comment: What the machine does.
            timeout: When an execution is given up.
            statements: What the machine may do.
            encryption_key: The key of the log.
            log_execution_data: Whether inputs and outputs of states are logged.
        """
        super().__init__(scope, construct_id)
        self.role = iam.Role(self, "Role", assumed_by=permissions.trust_for("states", "stateMachine:*"))
        permissions.allow(self.role, statements)
        acknowledge(self.role, {"IAM5[Resource::*]": "Log delivery, X-Ray, quotas and lists know no resource to name"})
        self.log_group: logs.ILogGroup = logs.LogGroup(
            self,
            "Logs",
            retention=logs.RetentionDays.SIX_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
            encryption_key=encryption_key,
        )
        if encryption_key is not None:
            encryption_key.add_to_resource_policy(permissions.encrypt_logs())
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            definition_body=sfn.DefinitionBody.from_chainable(start),
            query_language=sfn.QueryLanguage.JSONATA,
            comment=comment,
            timeout=timeout,
            role=self.role,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=self.log_group, level=sfn.LogLevel.ALL, include_execution_data=log_execution_data
            ),
        )
