"""The states that release what a run paid for: find by name, delete by tag, look again until it is gone."""

from __future__ import annotations

from collections.abc import Callable

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.bedrock_resources import (
    JOB,
    MODEL,
    PAID_KINDS,
    ResourceKind,
    list_resources,
    read_tags,
)
from bedrock_customization.states.resource_names import names_resource_of_run
from bedrock_customization.states.task import CONFLICT, retry, task
from bedrock_customization.tags import KEPT_TAG

# A deployment or provisioned model that is still being created cannot be deleted; that can take an hour and more. So it
# looks for three hours: after one minute, two and four, then every five. When many resources are stuck, a look each
# minute would fill the history, which has 25,000 events.
_WAIT_SECONDS = "{% $min([60 * $power(2, $looks), 300]) %}"
_MOST_LOOKS = 38
_RESOURCE = "{'kind': kind, 'name': name, 'arn': arn}"
_PROBLEM = "{% $states.errorOutput.Error & ': ' & $substring($states.errorOutput.Cause, 0, 300) %}"


def release_all(
    scope: Construct, *, done: sfn.IChainable, before_each_look: Callable[[sfn.IChainable], sfn.IChainable]
) -> sfn.IChainable:
    """Stops jobs, deletes deployments and provisioned throughput, and looks again until nothing is left.

    Reads `runId`, `keep` (ARNs) and `deleteModels`; assigns `released` and `kept`, lists of `{kind, name, arn}`. What
    is promoted, by name or by tag, is left alone. When told so, the run's custom models are deleted at the end; else
    they are listed as kept, because a trained model is worth more than its storage costs. So are those that something
    else still uses. One that could not be deleted because it is gone, which Bedrock can call a denied access, is found
    no more and listed as released. When the models cannot be listed, `unlisted` says why.

    What cannot be found or released is tried again at the next look, whatever the error was, and keeps nothing else
    from being released. What is left after the last look is assigned to `unreleased`, with its `problem`.

    Args:
        scope: The construct that holds the states.
        done: What follows.
        before_each_look: What stands between waiting and the next look; it is given the look.
    """
    left = f"[{', '.join(f'$left{kind.plural}' for kind in PAID_KINDS)}]"
    release_models = _release_each(scope, MODEL)
    release_models.next(_look_for_models(scope, done=done))
    find_models = _find(
        scope,
        "FindModels",
        MODEL,
        done=sfn.Choice.jsonata(scope, "AreModelsReleasedToo", assign={"kept": "{% [$kept, $found] %}"})
        .when(sfn.Condition.jsonata("{% $deleteModels %}"), release_models)
        .otherwise(done),
    )
    find_models.add_catch(done, errors=["States.ALL"], assign={"unlisted": _PROBLEM})
    wait = sfn.Wait.jsonata(scope, "WaitForRelease", time=sfn.WaitTime.seconds(_WAIT_SECONDS))
    is_released = (
        sfn.Choice.jsonata(
            scope,
            "IsEverythingReleased",
            assign={
                "unreleased": f"{{% {left} %}}",
                "released": f"{{% [$released[$not(arn in {left}.arn)]] %}}",
            },
        )
        .when(sfn.Condition.jsonata(f"{{% $count({left}) = 0 %}}"), find_models)
        .when(sfn.Condition.jsonata(f"{{% $looks < {_MOST_LOOKS} %}}"), wait, assign={"looks": "{% $looks + 1 %}"})
        .otherwise(find_models)
    )
    look: sfn.IChainable = is_released
    for kind in reversed(PAID_KINDS):
        look = _find_and_release(scope, kind, done=look)
    wait.next(before_each_look(look))
    return look


def _look_for_models(scope: Construct, *, done: sfn.IChainable) -> sfn.CustomState:
    gone = "$kept[kind = 'Model' and $not(arn in $modelsLeft.arn)]"
    models_released = sfn.Pass.jsonata(
        scope,
        "ModelsReleased",
        assign={"kept": f"{{% [$kept[$not(arn in {gone}.arn)]] %}}", "released": f"{{% [$released, {gone}] %}}"},
    )
    models_released.next(done)
    look = _find(scope, "LookForModels", MODEL, assign_to="modelsLeft", done=models_released)
    look.add_catch(done, errors=["States.ALL"])
    return look


def _find_and_release(scope: Construct, kind: ResourceKind, *, done: sfn.IChainable) -> sfn.CustomState:
    release = _release_each(scope, kind)
    release.next(done)
    find = _find(scope, f"Find{kind.plural}", kind, done=release)
    find.add_catch(
        done,
        errors=["States.ALL"],
        assign={
            "foundToken": "{% null %}",
            f"left{kind.plural}": [{"name": f"The list of {kind.plural}", "problem": _PROBLEM}],
        },
    )
    return find


def _find(
    scope: Construct, construct_id: str, kind: ResourceKind, *, assign_to: str = "found", done: sfn.IChainable
) -> sfn.CustomState:
    return list_resources(
        scope,
        construct_id,
        kind=kind,
        wanted=f"{names_resource_of_run(kind.name)} and {kind.exists}",
        taken=f"{{'kind': '{kind.title}', 'name': {kind.name}, 'arn': {kind.arn}}}",
        filters={"NameContains": "$runId"},
        assign_to=assign_to,
        done=done,
    )


def _release_each(scope: Construct, kind: ResourceKind) -> sfn.Map:
    """Deletes every found resource of a kind unless it is kept; whether a paid one is gone, the next look tells."""
    prepare = sfn.Pass.jsonata(scope, f"Take{kind.title}", assign={"resource": "{% $states.input %}"})
    there = sfn.Pass.jsonata(scope, f"{kind.title}IsThere", outputs="{% $merge([$resource, {'problem': $problem}]) %}")
    delete = task(
        scope,
        f"{'Stop' if kind is JOB else 'Delete'}{kind.title}",
        resource=f"aws-sdk:bedrock:{kind.delete}",
        arguments={kind.identifier: "{% $resource.arn %}"},
        output="{% $resource %}",
        # A model can be in use for a moment by what was just deleted.
        retries=[retry([CONFLICT])] if kind is MODEL else None,
    )
    fallible, first = [delete], delete
    # A job is never kept.
    if kind is not JOB:
        kept = sfn.Pass.jsonata(scope, f"Keep{kind.title}", outputs="{% $merge([$resource, {'kept': true}]) %}")
        tags = read_tags(scope, f"ReadTagsOf{kind.title}", arn="$resource.arn")
        tags.next(
            sfn.Choice.jsonata(scope, f"Is{kind.title}Kept")
            .when(
                sfn.Condition.jsonata(f"{{% $resource.arn in $keep or '{KEPT_TAG}' in $states.input.Tags.Key %}}"),
                kept,
            )
            .otherwise(delete)
        )
        fallible, first = [tags, delete], tags
    for state in fallible:
        state.add_catch(there, errors=["States.ALL"], assign={"problem": _PROBLEM})
    # A paid resource counts as released when it is found no more; its problem was then none, or has passed.
    of_model = kind is MODEL
    stays = "$exists(kept) or $exists(problem)" if of_model else "$exists(kept)"
    assign = {
        "kept": f"{{% [$distinct([$kept, $states.result[{stays}].{_RESOURCE}])] %}}",
        # What is kept can have been found at a look before, when its tags could not be read.
        "released": (
            f"{{% [$distinct([$released, $states.result[$not({stays})].{_RESOURCE}])"
            f"[$not(arn in $states.result[{stays}].arn)]] %}}"
        ),
    }
    if not of_model:
        assign[f"left{kind.plural}"] = "{% [$states.result[$not($exists(kept))]] %}"
    return sfn.Map.jsonata(
        scope,
        f"Release{kind.plural}",
        items=sfn.ProvideItems.jsonata("{% $found %}"),
        max_concurrency=5,
        assign=assign,
        outputs={},
    ).item_processor(prepare.next(first))
