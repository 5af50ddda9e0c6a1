"""The states that train one candidate."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.task import expression, task

# Bedrock allows 63 characters in a name: the run's hash makes it unique, the redrive count keeps it so when a stopped
# run is taken up again, because a job's name stays taken for ever.
RESOURCE_NAME = expression("""
    $input.customModelName & '-' & $runId
    & ($count($candidates) > 1 ? '-' & $states.input.name : '')
    & ($states.context.Execution.RedriveCount > 0 ? '-r' & $states.context.Execution.RedriveCount : '')
""")


def prepare_candidate(scope: Construct, construct_id: str) -> sfn.Pass:
    """Assigns `candidate`, `resourceName` (the name of its job, model and serving) and an empty `customModelArn`.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
    """
    return sfn.Pass.jsonata(
        scope,
        construct_id,
        assign={
            "candidate": "{% $states.input %}",
            "resourceName": RESOURCE_NAME,
            "customModelArn": "{% null %}",
        },
    )


def train(
    scope: Construct,
    construct_id: str,
    *,
    role_arn: str,
    training_bucket: str,
    validation_bucket: str,
    results_bucket: str,
    tags: list[dict[str, str]],
    timeout: Duration,
) -> sfn.CustomState:
    """Starts a customization job and waits for it; stopping the execution stops the job.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        role_arn: The service role that Bedrock reads the data with.
        training_bucket: The bucket of the training data.
        validation_bucket: The bucket of the validation data.
        results_bucket: The bucket that the job's artefacts go to.
        tags: The tags of job and model.
        timeout: When the job is given up and stopped.
    """
    arguments: dict[str, Any] = {
        "JobName": "{% $resourceName %}",
        "CustomModelName": "{% $resourceName %}",
        "RoleArn": role_arn,
        "ClientRequestToken": "{% $resourceName & '-train' %}",
        "BaseModelIdentifier": "{% $candidate.baseModelIdentifier %}",
        "CustomizationType": "{% $candidate.customizationType %}",
        "HyperParameters": "{% $candidate.hyperParameters %}",
        "TrainingDataConfig": {"S3Uri": f"{{% 's3://{training_bucket}/' & $input.trainingDataKey %}}"},
        "ValidationDataConfig": {
            "Validators": expression(f"""
                [$exists($input.validationDataKey)
                    ? {{'S3Uri': 's3://{validation_bucket}/' & $input.validationDataKey}}]
            """)
        },
        "OutputDataConfig": {"S3Uri": f"{{% 's3://{results_bucket}/' & $prefix & 'training/' %}}"},
        "JobTags": tags,
        "CustomModelTags": tags,
    }
    return task(
        scope,
        construct_id,
        resource="bedrock:createModelCustomizationJob.sync",
        arguments=arguments,
        timeout=timeout,
    )


def describe_training(scope: Construct, construct_id: str) -> sfn.CustomState:
    """Reads the finished job by its name, and assigns `customModelArn`.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
    """
    return task(
        scope,
        construct_id,
        resource="aws-sdk:bedrock:getModelCustomizationJob",
        arguments={"JobIdentifier": "{% $resourceName %}"},
        assign={"customModelArn": "{% $states.result.OutputModelArn %}"},
    )
