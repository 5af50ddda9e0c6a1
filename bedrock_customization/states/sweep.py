"""The states that look for what no run and no rule released, and for runs that nobody was told about."""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.bedrock_resources import PAID_KINDS, list_resources, read_tags
from bedrock_customization.states.resource_names import ANY_RUN
from bedrock_customization.states.task import NOT_FOUND, expression, task
from bedrock_customization.tags import EXECUTION_TAG, KEPT_TAG, WORKFLOW_TAG

_ENDED_BADLY = ["FAILED", "TIMED_OUT", "ABORTED"]
# Of each status. What their release adds to the history of a sweep stays far below the 25,000 events that it can have.
_MOST_RUNS = 20


def sweep(scope: Construct, *, workflow_tag: str, done: sfn.IChainable) -> sfn.Chain:
    """Finds runs that still pay for something or ended badly of late, and assigns `requests`, one for each run.

    Whether a run is over is looked up when it is released, unless it was one of a machine that the stack no longer has:
    those ended with their machine, and cannot be looked up. Reads the input's `sweep`, `paid`, empty, and `paidToken`,
    null.

    Args:
        scope: The construct that holds the states.
        workflow_tag: The tag of what the workflow made.
        done: What follows.
    """
    tags = read_tags(scope, "ReadTags", arn="$states.input")
    of_a_run = sfn.Pass.jsonata(
        scope, "TakeItsRun", outputs=f"{{% $states.input.Tags[Key = '{EXECUTION_TAG}'].Value %}}"
    )
    foreign = sfn.Pass.jsonata(scope, "LeaveItAlone", comment="Not made by this workflow, or kept", outputs="{% '' %}")
    # The tags of what others made may not even be read.
    tags.add_catch(foreign, errors=[NOT_FOUND, "Bedrock.AccessDeniedException"])
    is_ours = (
        sfn.Choice.jsonata(scope, "IsItOurs")
        .when(
            sfn.Condition.jsonata(
                f"{{% $states.input.Tags[Key = '{WORKFLOW_TAG}'].Value = '{workflow_tag}'"
                f" and $exists($states.input.Tags[Key = '{EXECUTION_TAG}'])"
                f" and $not('{KEPT_TAG}' in $states.input.Tags.Key) %}}"
            ),
            of_a_run,
        )
        .otherwise(foreign)
    )
    runs = sfn.Map.jsonata(
        scope,
        "FindRuns",
        items=sfn.ProvideItems.jsonata("{% $paid %}"),
        max_concurrency=5,
        assign={
            "requests": expression("""
                [$distinct([$endedBadly, $states.result[$ != '']])
                    .{'executionArn': $, 'isForgotten': $not($contains($, $ofTheMachine))}]
            """)
        },
        outputs={},
    ).item_processor(tags.next(is_ours))
    runs.next(done)
    following: sfn.IChainable = runs
    for kind in reversed(PAID_KINDS):
        following = list_resources(
            scope,
            f"Sweep{kind.plural}",
            kind=kind,
            wanted=f"$contains({kind.name}, {ANY_RUN})",
            # Two thousand of them still fit into a variable and, when their tags are read, into a history.
            taken=kind.arn,
            filters=kind.sweep_filters,
            assign_to="paid",
            append=True,
            done=following,
        )
    return _find_runs_that_ended_badly(scope).next(following)


def _find_runs_that_ended_badly(scope: Construct) -> sfn.Chain:
    """Assigns `endedBadly`, the ARNs of the executions that did so within `endedWithinSeconds`.

    Also assigns `ofTheMachine`, which the ARN of every execution of the machine contains.
    """
    list_runs = task(
        scope,
        "ListRuns",
        resource="aws-sdk:sfn:listExecutions",
        arguments={
            "StateMachineArn": "{% $states.input.sweep.stateMachineArn %}",
            "StatusFilter": "{% $states.input.status %}",
            "MaxResults": _MOST_RUNS,
        },
        output=expression("""
            [$states.result.Executions[$toMillis(StopDate) > $millis() - 1000 * $states.input.sweep.endedWithinSeconds]
                .ExecutionArn]
        """),
    )
    return sfn.Chain.start(
        sfn.Map.jsonata(
            scope,
            "FindRunsThatEndedBadly",
            items=sfn.ProvideItems.jsonata(f"{{% {_ENDED_BADLY} %}}"),
            item_selector={"status": "{% $states.context.Map.Item.Value %}", "sweep": "{% $states.input.sweep %}"},
            assign={
                "endedBadly": "{% $reduce($states.result, $append, []) %}",
                "ofTheMachine": (
                    "{% $replace($states.input.sweep.stateMachineArn, ':stateMachine:', ':execution:') & ':' %}"
                ),
            },
            outputs={},
        ).item_processor(list_runs)
    )
