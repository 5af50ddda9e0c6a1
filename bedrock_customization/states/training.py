"""The states that train one candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.resource_names import JOB_NAME, RESOURCE_NAME
from bedrock_customization.states.task import expression, retry, task, tell_timeout

# Bedrock has no queue for jobs: those of others take an account's two places for hours. This looks for about a day.
_WAIT_FOR_A_PLACE = retry(
    ["Bedrock.ServiceQuotaExceededException"],
    max_attempts=96,
    interval=Duration.minutes(5),
    max_delay=Duration.minutes(30),
)


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """What is the same for every training job of a workflow.

    Args:
        role_arn: The service role that Bedrock trains with.
        results_bucket: The bucket that the job's artefacts go to.
        tags: The tags of job and model.
        encryption_key_arn: The key of the custom model; AWS's own when it is None.
        subnet_ids: The subnets that the job reads data from; none when it runs outside a VPC.
        security_group_ids: Its security groups.
        timeout: When a job is given up and stopped.
        start_timeout: When a job counts as stalled whose training has not begun.
    """

    role_arn: str
    results_bucket: str
    tags: list[dict[str, str]]
    encryption_key_arn: str | None
    subnet_ids: list[str]
    security_group_ids: list[str]
    timeout: Duration
    start_timeout: Duration


def prepare_candidate(scope: Construct, construct_id: str) -> sfn.Pass:
    """Assigns `candidate`, `resourceName` (how its serving is named, and its job and model begin) and `customModelArn`.

    The latter is null until the candidate is trained, unless it is a model that exists already.

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
            "customModelArn": "{% $states.input.customModelArn %}",
        },
    )


def train(scope: Construct, construct_id: str, *, job: TrainingJob) -> sfn.CustomState:
    """Starts a customization job and waits for it; stopping the execution stops the job. Its output has the `jobName`.

    While the account trains as many models as it may, it is tried again, for about a day.

    What depends on the candidate (model, customization type, data, hyperparameters) was written by the data check,
    because an argument that a candidate lacks must be left out, and JSONata in one field cannot do that.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        job: What is the same for every job.
    """
    arguments: dict[str, Any] = {
        "JobName": f"{{% {JOB_NAME} %}}",
        "CustomModelName": f"{{% {JOB_NAME} %}}",
        "RoleArn": job.role_arn,
        "ClientRequestToken": f"{{% {JOB_NAME} & '-train' %}}",
        "OutputDataConfig": {"S3Uri": f"{{% 's3://{job.results_bucket}/' & $prefix & 'training/' %}}"},
        "JobTags": job.tags,
        "CustomModelTags": job.tags,
    }
    if job.encryption_key_arn is not None:
        arguments["CustomModelKmsKeyId"] = job.encryption_key_arn
    if job.subnet_ids:
        arguments["VpcConfig"] = {"SubnetIds": job.subnet_ids, "SecurityGroupIds": job.security_group_ids}
    training = task(
        scope,
        construct_id,
        resource="bedrock:createModelCustomizationJob.sync",
        arguments=f"{{% $merge([$candidate.job, {_in_jsonata(arguments)}]) %}}",
        timeout=job.timeout,
        output={"jobName": f"{{% {JOB_NAME} %}}"},
        retries=[_WAIT_FOR_A_PLACE],
    )
    return tell_timeout(
        scope,
        training,
        cause=expression(f"""
            'training_timeout: the training job ' & {JOB_NAME} & ' was not done after {job.timeout.to_human_string()}'
            & ' and is stopped. Raise training_timeout of the CustomizationWorkflow, or give fewer records or epochs;'
            & ' then start again.'
        """),
    )


def describe_training(scope: Construct, construct_id: str) -> sfn.CustomState:
    """Reads the finished job by its name, `$jobName`, and assigns `customModelArn`.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
    """
    return task(
        scope,
        construct_id,
        resource="aws-sdk:bedrock:getModelCustomizationJob",
        arguments={"JobIdentifier": "{% $jobName %}"},
        assign={"customModelArn": "{% $states.result.OutputModelArn %}"},
    )


def _in_jsonata(value: Any) -> str:
    """A state's argument as JSONata: expressions lose their marks, texts gain quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"'{name}': {_in_jsonata(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_in_jsonata(item) for item in value) + "]"
    text = str(value)
    return text.removeprefix("{% ").removesuffix(" %}") if text.startswith("{%") else f"'{text}'"
