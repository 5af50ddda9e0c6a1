"""The states that serve a trained model: on demand or by provisioned throughput, polled until it is ready."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import Serving, ServingMode
from bedrock_customization.states.task import retry, task
from bedrock_customization.tags import KEPT_TAG

_POLL_EVERY = Duration.minutes(1)
# Bedrock lets two deployments of an account come up at a time, in some minutes each. This looks for half an hour or so.
_WAIT_FOR_OTHERS = retry(
    ["Bedrock.ServiceQuotaExceededException"],
    max_attempts=16,
    interval=Duration.minutes(1),
    max_delay=Duration.minutes(5),
)


@dataclass(frozen=True)
class _Kind:
    """What Bedrock calls a kind of serving: its operations, fields and ready status."""

    state: str
    create: str
    get: str
    arguments: dict[str, Any]
    arn: str
    identifier: str
    ready: str
    retries: list[dict[str, Any]] = field(default_factory=list)


def serve(
    scope: Construct, *, serving: Serving, tags: list[dict[str, str]], ready_timeout: Duration, done: sfn.IChainable
) -> tuple[sfn.IChainable, list[sfn.CustomState]]:
    """Creates what serves the model and polls it until it is ready.

    Reads `customModelArn`, `resourceName` and `candidate.serving`; assigns `servingArn`, which inference takes as
    model id.

    Args:
        scope: The construct that holds the states.
        serving: How to serve; `automatic` decides per candidate at run time.
        tags: The tags of what is created.
        ready_timeout: When a model that is not ready counts as failed.
        done: What follows when the model is ready.

    Returns:
        The first state, and the tasks that can fail.
    """
    if serving.mode is ServingMode.ON_DEMAND:
        return _serve(scope, _deployment(tags), ready_timeout, done)
    if serving.mode is ServingMode.PROVISIONED:
        return _serve(scope, _provisioned_throughput(tags, serving), ready_timeout, done)
    on_demand, on_demand_tasks = _serve(scope, _deployment(tags), ready_timeout, done)
    provisioned, provisioned_tasks = _serve(scope, _provisioned_throughput(tags, serving), ready_timeout, done)
    choice = (
        sfn.Choice.jsonata(scope, "ServingMode")
        .when(sfn.Condition.jsonata("{% $candidate.serving = 'on-demand' %}"), on_demand)
        .otherwise(provisioned)
    )
    return choice, on_demand_tasks + provisioned_tasks


def _deployment(tags: list[dict[str, str]]) -> _Kind:
    return _Kind(
        state="Deployment",
        create="createCustomModelDeployment",
        get="getCustomModelDeployment",
        arguments={
            "ModelDeploymentName": "{% $resourceName %}",
            "ModelArn": "{% $customModelArn %}",
            "ClientRequestToken": "{% $resourceName & '-serve' %}",
            "Tags": tags,
        },
        arn="CustomModelDeploymentArn",
        identifier="CustomModelDeploymentIdentifier",
        ready="Active",
        retries=[_WAIT_FOR_OTHERS],
    )


def _provisioned_throughput(tags: list[dict[str, str]], serving: Serving) -> _Kind:
    arguments: dict[str, Any] = {
        "ProvisionedModelName": "{% $resourceName %}",
        "ModelId": "{% $customModelArn %}",
        "ModelUnits": serving.model_units,
        "ClientRequestToken": "{% $resourceName & '-serve' %}",
        "Tags": tags,
    }
    if serving.commitment is not None:
        arguments["CommitmentDuration"] = serving.commitment.value
        # It cannot be deleted before its term ends, so no release shall try for hours.
        arguments["Tags"] = [*tags, {"Key": KEPT_TAG, "Value": "true"}]
    return _Kind(
        state="ProvisionedModel",
        create="createProvisionedModelThroughput",
        get="getProvisionedModelThroughput",
        arguments=arguments,
        arn="ProvisionedModelArn",
        identifier="ProvisionedModelId",
        ready="InService",
    )


def _serve(
    scope: Construct, kind: _Kind, ready_timeout: Duration, done: sfn.IChainable
) -> tuple[sfn.IChainable, list[sfn.CustomState]]:
    polls = ready_timeout.to_seconds() // _POLL_EVERY.to_seconds()
    create = task(
        scope,
        f"Create{kind.state}",
        resource=f"aws-sdk:bedrock:{kind.create}",
        arguments=kind.arguments,
        assign={"servingArn": f"{{% $states.result.{kind.arn} %}}", "polls": 0},
        retries=kind.retries,
    )
    wait = sfn.Wait.jsonata(scope, f"WaitFor{kind.state}", time=sfn.WaitTime.duration(_POLL_EVERY))
    get = task(
        scope,
        f"Get{kind.state}",
        resource=f"aws-sdk:bedrock:get{kind.get.removeprefix('get')}",
        arguments={kind.identifier: "{% $servingArn %}"},
        assign={"polls": "{% $polls + 1 %}"},
    )
    failed = sfn.Pass.jsonata(
        scope,
        f"{kind.state}Failed",
        outputs={
            "name": "{% $candidate.name %}",
            "customModelArn": "{% $customModelArn %}",
            "error": f"{kind.state}Failed",
            "cause": (
                "{% $exists($states.input.FailureMessage) ? $states.input.FailureMessage : "
                "'status ' & $states.input.Status & ' after ' & $polls & ' minutes' %}"
            ),
        },
    )
    ready = (
        sfn.Choice.jsonata(scope, f"Is{kind.state}Ready")
        .when(sfn.Condition.jsonata(f"{{% $states.input.Status = '{kind.ready}' %}}"), done)
        .when(
            sfn.Condition.jsonata(f"{{% $states.input.Status = 'Creating' and $polls < {polls:.0f} %}}"),
            wait,
        )
        .otherwise(failed)
    )
    create.next(wait)
    wait.next(get)
    get.next(ready)
    return create, [create, get]
