"""The states that release what a run paid for: find by name, delete by tag, look again until it is gone."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.bedrock_resources import (
    DEPLOYMENT,
    JOB,
    MODEL,
    PAID_KINDS,
    PROVISIONED_MODEL,
    ResourceKind,
    list_resources,
    read_tags,
)
from bedrock_customization.states.task import CONFLICT, NOT_FOUND, expression, task
from bedrock_customization.tags import KEPT_TAG

_LOOK_EVERY = Duration.minutes(1)
# A deployment or provisioned model that is still being created cannot be deleted; that can take an hour and more.
_MOST_LOOKS = 180


def release_all(scope: Construct, *, done: sfn.IChainable) -> sfn.Chain:
    """Stops jobs, deletes deployments and provisioned throughput, and looks again until nothing is left.

    Reads `runId`, `keep` (names) and `deleteModels`; assigns `released` and `kept`, lists of `{kind, name, arn}`. What
    is promoted, by name or by tag, is left alone. When told so, the run's custom models are deleted at the end; else
    they are listed as kept, because a trained model is worth more than its storage costs.

    Args:
        scope: The construct that holds the states.
        done: What follows when everything is gone.
    """
    first, last = _look(scope)
    left = " + ".join(f"$count($left{kind.plural})" for kind in PAID_KINDS)
    failed = sfn.Fail.jsonata(
        scope,
        "ReleaseTimedOut",
        error="ReleaseTimedOut",
        cause=expression(f"""
            $string({left}) & ' resources of run ' & $runId & ' still exist; delete them in the Bedrock console: '
            & $join([{", ".join(f"$left{kind.plural}.name" for kind in PAID_KINDS)}], ', ')
        """),
    )
    wait = sfn.Wait.jsonata(scope, "WaitForRelease", time=sfn.WaitTime.duration(_LOOK_EVERY))
    wait.next(first)
    find_models = _find(scope, MODEL)
    find_models.next(
        sfn.Choice.jsonata(scope, "AreModelsReleasedToo", assign={"kept": "{% [$kept, $found] %}"})
        .when(sfn.Condition.jsonata("{% $deleteModels %}"), _release_each(scope, MODEL).next(done))
        .otherwise(done)
    )
    last.next(
        sfn.Choice.jsonata(scope, "IsEverythingReleased", assign={"looks": "{% $looks + 1 %}"})
        .when(sfn.Condition.jsonata(f"{{% {left} = 0 %}}"), find_models)
        .when(sfn.Condition.jsonata(f"{{% $looks < {_MOST_LOOKS} %}}"), wait, assign={"looks": "{% $looks + 1 %}"})
        .otherwise(failed)
    )
    return sfn.Chain.start(first)


def _look(scope: Construct) -> tuple[sfn.CustomState, sfn.Map]:
    """One look at every kind; returns the first and the last state."""
    first = _find(scope, JOB)
    last = _release_each(scope, PROVISIONED_MODEL)
    first.next(_release_each(scope, JOB)).next(_find(scope, DEPLOYMENT)).next(_release_each(scope, DEPLOYMENT)).next(
        _find(scope, PROVISIONED_MODEL)
    ).next(last)
    return first, last


def _find(scope: Construct, kind: ResourceKind) -> sfn.CustomState:
    return list_resources(scope, f"Find{kind.plural}", kind=kind, name_contains="$runId", assign_to="found")


def _release_each(scope: Construct, kind: ResourceKind) -> sfn.Map:
    """Deletes every found resource of a kind unless it is kept; what is found again is left for the next look."""
    prepare = sfn.Pass.jsonata(scope, f"Take{kind.title}", assign={"resource": "{% $states.input %}"})
    kept = sfn.Pass.jsonata(scope, f"Keep{kind.title}", outputs="{% $merge([$resource, {'kept': true}]) %}")
    gone = sfn.Pass.jsonata(scope, f"{kind.title}IsGone", outputs="{% $merge([$resource, {'gone': true}]) %}")
    busy = sfn.Pass.jsonata(scope, f"{kind.title}IsBusy", outputs="{% $resource %}")
    delete = task(
        scope,
        f"{'Stop' if kind is JOB else 'Delete'}{kind.title}",
        resource=f"aws-sdk:bedrock:{kind.delete}",
        arguments={kind.identifier: "{% $resource.arn %}"},
        output="{% $resource %}",
    )
    delete.add_catch(gone, errors=[NOT_FOUND])
    delete.add_catch(busy, errors=[CONFLICT])
    tags = read_tags(scope, f"ReadTagsOf{kind.title}", arn="$resource.arn")
    tags.add_catch(gone, errors=[NOT_FOUND])
    is_kept = (
        sfn.Choice.jsonata(scope, f"Is{kind.title}Kept")
        .when(sfn.Condition.jsonata(f"{{% $resource.name in $keep or '{KEPT_TAG}' in $states.input.Tags.Key %}}"), kept)
        .otherwise(delete)
    )
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
