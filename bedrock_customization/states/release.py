"""The states that release what a run paid for: find by name, delete by tag, look again until it is gone."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.task import CONFLICT, NOT_FOUND, expression, task
from bedrock_customization.tags import KEPT_TAG

_LOOK_EVERY = Duration.minutes(1)
# A deployment or provisioned model that is still being created cannot be deleted; that can take an hour and more.
_MOST_LOOKS = 180


@dataclass(frozen=True)
class _Kind:
    """What Bedrock calls something that is paid for: operations and fields."""

    title: str
    plural: str
    list: str
    summaries: str
    name: str
    arn: str
    delete: str
    identifier: str
    running: str = "true"


_JOB = _Kind(
    title="Job",
    plural="Jobs",
    list="listModelCustomizationJobs",
    summaries="ModelCustomizationJobSummaries",
    name="JobName",
    arn="JobArn",
    delete="stopModelCustomizationJob",
    identifier="JobIdentifier",
    running="Status in ['InProgress', 'Stopping']",
)
_DEPLOYMENT = _Kind(
    title="Deployment",
    plural="Deployments",
    list="listCustomModelDeployments",
    summaries="ModelDeploymentSummaries",
    name="CustomModelDeploymentName",
    arn="CustomModelDeploymentArn",
    delete="deleteCustomModelDeployment",
    identifier="CustomModelDeploymentIdentifier",
)
_PROVISIONED_MODEL = _Kind(
    title="ProvisionedModel",
    plural="ProvisionedModels",
    list="listProvisionedModelThroughputs",
    summaries="ProvisionedModelSummaries",
    name="ProvisionedModelName",
    arn="ProvisionedModelArn",
    delete="deleteProvisionedModelThroughput",
    identifier="ProvisionedModelId",
)
_MODEL = _Kind(
    title="Model",
    plural="Models",
    list="listCustomModels",
    summaries="ModelSummaries",
    name="ModelName",
    arn="ModelArn",
    delete="deleteCustomModel",
    identifier="ModelIdentifier",
)


def release_all(scope: Construct, *, done: sfn.IChainable) -> sfn.Chain:
    """Stops jobs, deletes deployments and provisioned throughput, and looks again until nothing is left.

    Reads `runId`, `keep` (names) and `deleteModels`; assigns `released` and `kept`, lists of `{kind, name, arn}`. What
    is promoted, by name or by tag, is left alone. When told so, the run's custom models are deleted at the end; else
    they are listed as kept, because a trained model is worth more than its storage costs.

    Args:
        scope: The construct that holds the states.
        done: What follows when everything is gone.
    """
    still_there = sfn.Choice.jsonata(scope, "IsEverythingReleased")
    failed = sfn.Fail.jsonata(
        scope,
        "ReleaseTimedOut",
        error="ReleaseTimedOut",
        cause="{% $string($count($leftJobs) + $count($leftDeployments) + $count($leftProvisionedModels)) &"
        " ' resources of run ' & $runId & ' still exist; delete them in the Bedrock console: ' &"
        " $join([$leftJobs.name, $leftDeployments.name, $leftProvisionedModels.name], ', ') %}",
    )
    wait = sfn.Wait.jsonata(scope, "WaitForRelease", time=sfn.WaitTime.duration(_LOOK_EVERY))
    find_models = _find(scope, _MODEL)
    release_models = sfn.Choice.jsonata(
        scope, "AreModelsReleasedToo", assign={"kept": "{% [$kept, $found] %}"}
    )
    first = _find(scope, _JOB, assign={"looks": "{% $looks + 1 %}"})
    look = (
        first.next(_release_each(scope, _JOB))
        .next(_find(scope, _DEPLOYMENT))
        .next(_release_each(scope, _DEPLOYMENT))
        .next(_find(scope, _PROVISIONED_MODEL))
        .next(_release_each(scope, _PROVISIONED_MODEL))
        .next(still_there)
    )
    still_there.when(
        sfn.Condition.jsonata("{% $count($leftJobs) + $count($leftDeployments) + $count($leftProvisionedModels) = 0 %}"),
        find_models,
    ).when(sfn.Condition.jsonata(f"{{% $looks < {_MOST_LOOKS} %}}"), wait).otherwise(failed)
    wait.next(first)
    find_models.next(release_models)
    release_models.when(
        sfn.Condition.jsonata("{% $deleteModels %}"), _release_each(scope, _MODEL).next(done)
    ).otherwise(done)
    return look


def _find(scope: Construct, kind: _Kind, assign: dict[str, str] | None = None) -> sfn.CustomState:
    found = expression(f"""
        [$states.result.{kind.summaries}[$contains({kind.name}, '-' & $runId) and {kind.running}]
            .{{'kind': '{kind.title}', 'name': {kind.name}, 'arn': {kind.arn}}}]
    """)
    return task(
        scope,
        f"Find{kind.plural}",
        resource=f"aws-sdk:bedrock:{kind.list}",
        arguments={"NameContains": "{% $runId %}"},
        output={},
        assign={"found": found, **(assign or {})},
    )


def _release_each(scope: Construct, kind: _Kind) -> sfn.Map:
    """Deletes every found resource of a kind unless it is kept; what is found again is left for the next look."""
    kept = sfn.Pass.jsonata(scope, f"Keep{kind.title}", outputs="{% $merge([$resource, {'kept': true}]) %}")
    gone = sfn.Pass.jsonata(scope, f"{kind.title}IsGone", outputs="{% $merge([$resource, {'gone': true}]) %}")
    busy = sfn.Pass.jsonata(scope, f"{kind.title}IsBusy", outputs="{% $resource %}")
    delete = task(
        scope,
        f"{'Stop' if kind is _JOB else 'Delete'}{kind.title}",
        resource=f"aws-sdk:bedrock:{kind.delete}",
        arguments={kind.identifier: "{% $resource.arn %}"},
        output="{% $resource %}",
    )
    delete.add_catch(gone, errors=[NOT_FOUND])
    delete.add_catch(busy, errors=[CONFLICT])
    tags = task(
        scope,
        f"ReadTagsOf{kind.title}",
        resource="aws-sdk:bedrock:listTagsForResource",
        arguments={"ResourceARN": "{% $resource.arn %}"},
    )
    tags.add_catch(gone, errors=[NOT_FOUND])
    is_kept = (
        sfn.Choice.jsonata(scope, f"Is{kind.title}Kept")
        .when(
            sfn.Condition.jsonata(f"{{% $resource.name in $keep or '{KEPT_TAG}' in $states.input.Tags.Key %}}"), kept
        )
        .otherwise(delete)
    )
    prepare = sfn.Pass.jsonata(scope, f"Take{kind.title}", assign={"resource": "{% $states.input %}"})
    return sfn.Map.jsonata(
        scope,
        f"Release{kind.plural}",
        items=sfn.ProvideItems.jsonata("{% $found %}"),
        max_concurrency=5,
        assign={
            f"left{kind.plural}": "{% [$states.result[$not($exists(kept)) and $not($exists(gone))]] %}",
            "kept": "{% [$distinct([$kept, $states.result[kept].{'kind': kind, 'name': name, 'arn': arn}])] %}",
            "released": expression("""
                [$distinct([$released, $states.result[$not($exists(kept))].{'kind': kind, 'name': name, 'arn': arn}])]
            """),
        },
        outputs={},
    ).item_processor(prepare.next(tags).next(is_kept))
