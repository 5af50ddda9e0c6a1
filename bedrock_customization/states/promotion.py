"""The states that promote the winner: its tags keep every clean-up away from it, and it is registered."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.bedrock_resources import read_tags
from bedrock_customization.states.task import expression, task
from bedrock_customization.tags import KEPT_TAG

EVENT_SOURCE = "bedrock-customization"
PROMOTED = "Custom Model Promoted"

# Systems Manager takes 8 KB in a parameter of the advanced tier. Longer values leave out what `results` has anyway.
_MOST_CHARACTERS = 8000
_PROBLEM = "{% {'error': $states.errorOutput.Error, 'cause': $states.errorOutput.Cause} %}"


def promote(scope: Construct, construct_id: str, *, parameter: ssm.IStringParameter) -> sfn.Map:
    """Tags the winner and what serves it as kept; assigns `modelId` and `promoted`, what is registered.

    Reads `winner`, `evaluation` and `data`. A model that was not trained in this run keeps its own tags. A tag that was
    set though its setting failed, as far as is known, counts: nothing would release what has it. What would be
    too long for a parameter has the scores of the deciding metric only, and no signatures.

    Args:
        scope: The construct that holds the states.
        construct_id: The state's name.
        parameter: The parameter of the current model.
    """
    tag = task(
        scope,
        "TagAsKept",
        resource="aws-sdk:bedrock:tagResource",
        arguments={"ResourceARN": "{% $resourceArn %}", "Tags": [{"Key": KEPT_TAG, "Value": "true"}]},
        output={},
    )
    read = read_tags(scope, "ReadTagsOfWinner", arn="$resourceArn")
    tag.add_catch(read, errors=["States.ALL"], assign={"problem": _PROBLEM})
    tagged = sfn.Pass.jsonata(scope, "IsKept", outputs={})
    tag.next(tagged)
    untagged = sfn.Fail.jsonata(scope, "NotKept", error="{% $problem.error %}", cause="{% $problem.cause %}")
    read.add_catch(untagged, errors=["States.ALL"])
    read.next(
        sfn.Choice.jsonata(scope, "IsKeptAllTheSame")
        .when(sfn.Condition.jsonata(f"{{% '{KEPT_TAG}' in $states.input.Tags.Key %}}"), tagged)
        .otherwise(untagged)
    )
    take = sfn.Pass.jsonata(scope, "TakeWinner", assign={"resourceArn": "{% $states.input %}"})
    return sfn.Map.jsonata(
        scope,
        construct_id,
        # What serves it comes last: until all is well, nothing that is paid for by the hour is kept from a release.
        max_concurrency=1,
        items=sfn.ProvideItems.jsonata("{% [$winner.trained ? $winner.customModelArn, $winner.modelId[$ != null]] %}"),
        assign={
            "modelId": "{% $winner.modelId %}",
            "promoted": expression(f"""(
                $metric := $evaluation.metric;
                $custom := $lookup($evaluation.scores, $winner.name);
                $base := $lookup($evaluation.scores, $evaluation.candidates[name = $winner.name].baseline);
                $all := {{
                    'parameter': '{parameter.parameter_name}',
                    'customModelName': $input.customModelName,
                    'customModelArn': $winner.customModelArn,
                    'modelId': $winner.modelId,
                    'previousModelId': null,
                    'baseModelIdentifier': $winner.baseModelIdentifier,
                    'metric': $metric,
                    'scores': {{'custom': $custom, 'base': $base}},
                    'signatures': $evaluation.signatures,
                    'data': $data,
                    'results': $evaluation.results,
                    'execution': $executionArn,
                    'promotedAt': $states.context.State.EnteredTime
                }};
                $length($string($all)) <= {_MOST_CHARACTERS} ? $all
                    : $merge([$all, {{
                        'scores': {{
                            'custom': {{$metric: $lookup($custom, $metric)}},
                            'base': {{$metric: $lookup($base, $metric)}}
                        }},
                        'signatures': {{}}
                    }}])
            )"""),
        },
        outputs={},
    ).item_processor(take.next(tag))


def register(
    scope: Construct, *, parameter: ssm.IStringParameter, event_bus: events.IEventBus, done: sfn.IChainable
) -> sfn.CustomState:
    """Writes what was promoted to the parameter, and sends the event; assigns `registrationFailure` when that fails.

    The model is kept by then, so a failure does not undo it; the parameter then names the one before it.
    That one stays served, so that one can go back to it; `previousModelId` is assigned, for the message to say so, and
    registered, for that of a run that is stopped before its message.

    Args:
        scope: The construct that holds the states.
        parameter: The parameter of the current model.
        event_bus: Where the event goes.
        done: What follows.
    """
    current = "$parse($states.result.Parameter.Value).modelId"
    previous = f"($exists({current}) and {current} != $modelId ? {current} : null)"
    read = task(
        scope,
        "ReadCurrentModel",
        resource="aws-sdk:ssm:getParameter",
        arguments={"Name": parameter.parameter_name},
        output={},
        assign={
            "previousModelId": f"{{% {previous} %}}",
            "promoted": f"{{% $merge([$promoted, {{'previousModelId': {previous}}}]) %}}",
        },
    )
    write = task(
        scope,
        "RegisterModel",
        resource="aws-sdk:ssm:putParameter",
        arguments={
            "Name": parameter.parameter_name,
            "Type": "String",
            "Value": "{% $string($promoted) %}",
            # What is longer than 4,096 characters needs the advanced tier; only then is it paid for.
            "Tier": "Intelligent-Tiering",
            "Overwrite": True,
        },
        output={},
    )
    announce = task(
        scope,
        "AnnounceModel",
        resource="events:putEvents",
        arguments={
            "Entries": [
                {
                    "Source": EVENT_SOURCE,
                    "DetailType": PROMOTED,
                    "Detail": "{% $promoted %}",
                    "EventBusName": event_bus.event_bus_name,
                }
            ]
        },
        output={},
    )
    read.add_catch(write, errors=["States.ALL"])
    write.add_catch(done, **_failure(f"Its parameter {parameter.parameter_name} still names the model before it: "))
    announce.add_catch(done, **_failure("Its parameter names it, but the event about it was not sent: "))
    read.next(write)
    write.next(announce)
    announce.next(done)
    return read


def _failure(consequence: str) -> dict[str, Any]:
    cause = "$states.errorOutput.Error & ': ' & $substring($states.errorOutput.Cause, 0, 2000)"
    return {
        "errors": ["States.ALL"],
        "assign": {"registrationFailure": f"{{% '{consequence}' & {cause} %}}"},
    }
