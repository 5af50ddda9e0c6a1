"""What the state machine of a customization does, from the check of the data to the notification."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import Serving, ServingMode
from bedrock_customization.permissions.asking import ask_base_models
from bedrock_customization.permissions.encryption import encrypt_models
from bedrock_customization.permissions.executions import invoke_functions, start_execution
from bedrock_customization.permissions.promotion import promote
from bedrock_customization.permissions.serving import serve_by_provisioned_throughput, serve_on_demand
from bedrock_customization.permissions.storage import list_objects, read_objects, write_objects
from bedrock_customization.permissions.training import check_before_training, train_models


def customize(
    service_role: iam.IRole,
    workflow_tag: str,
    serving: Serving,
    encryption_key: kms.IKey | None,
    *,
    functions: Sequence[lambda_.IFunction],
    machines: Sequence[sfn.StateMachine],
    results_bucket: s3.IBucket,
    scope: Construct,
) -> list[iam.PolicyStatement]:
    """Checks, trains, serves, evaluates, promotes and releases.

    Args:
        service_role: The role that Bedrock trains with.
        workflow_tag: The tag of what the workflow makes.
        serving: How custom models are served.
        encryption_key: The key of custom models.
        functions: The functions that it invokes.
        machines: The machines that it starts.
        results_bucket: The bucket of the notification and of the evaluation's results.
        scope: A construct of the stack.
    """
    statements = [
        *invoke_functions([function.function_arn for function in functions]),
        *check_before_training(),
        *ask_base_models(),
        *train_models(service_role, workflow_tag),
        *promote(workflow_tag),
        *(statement for machine in machines for statement in start_execution(machine, scope)),
        *write_objects(results_bucket, "runs/*/notification*.json"),
        *list_objects(results_bucket),
        *read_objects(results_bucket, "runs/*/scoring/*"),
    ]
    if encryption_key:
        statements += encrypt_models(encryption_key)
    if serving.mode is not ServingMode.PROVISIONED:
        statements += serve_on_demand(workflow_tag)
    if serving.mode is not ServingMode.ON_DEMAND:
        statements += serve_by_provisioned_throughput(workflow_tag)
    return statements
