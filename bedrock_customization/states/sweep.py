"""The states that look for what no run and no rule released, and for runs that nobody was told about."""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.bedrock_resources import PAID_KINDS, list_resources, read_tags
from bedrock_customization.states.resource_names import ANY_RUN
from bedrock_customization.states.task import NOT_FOUND, expression, task
from bedrock_customization.tags import EXECUTION_TAG, KEPT_TAG, WORKFLOW_TAG

SWEEP_FAILED = "SweepFailed"
"""The error of a sweep that could not list, read or start something; it did all that it could."""

_ENDED_BADLY = ["FAILED", "TIMED_OUT", "ABORTED"]
# Of each status; as many as certainly fit into a task's result of 256 KiB.
_MOST_RUNS = 100
_PROBLEM = "$states.errorOutput.Error & ': ' & $substring($states.errorOutput.Cause, 0, 300)"


def sweep(scope: Construct, *, workflow_tag: str) -> sfn.Chain:
    """Finds runs that still pay for something or ended badly of late, and starts a release of each.

    Each release is an execution of this machine of its own, so that none is hindered by another one that fails, or that
    looks for hours. Whether a run is over is looked up there, unless it was one of a machine that the stack no longer
    has: those ended with their machine, and cannot be looked up. Reads the input's `sweep`, `paid` and `problems`,
    empty, and `paidToken`, null. The output is `{"runs": [], "started": [<ARNs of the releases>]}`. What could not be
    listed, read or started keeps nothing else from being found; the execution then fails with `SweepFailed` at its end.

    Args:
        scope: The construct that holds the states.
        workflow_tag: The tag of what the workflow made.
    """
    start = _start_releases(scope)
    following: sfn.IChainable = _find_runs_of_resources(scope, workflow_tag=workflow_tag, done=start)
    for kind in reversed(PAID_KINDS):
        done = following
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
            done=done,
        )
        following.add_catch(
            done, errors=["States.ALL"], assign={"paidToken": "{% null %}", "problems": _one_more(_PROBLEM)}
        )
    return _find_runs_that_ended_badly(scope).next(following)


def _one_more(problem: str) -> str:
    return f"{{% [$problems, {problem}] %}}"


def _find_runs_of_resources(scope: Construct, *, workflow_tag: str, done: sfn.IChainable) -> sfn.Map:
    """Assigns `requests`, one for each run that ended badly or has something that is paid for."""
    tags = read_tags(scope, "ReadTags", arn="$states.input")
    of_a_run = sfn.Pass.jsonata(
        scope, "TakeItsRun", outputs=f"{{% $states.input.Tags[Key = '{EXECUTION_TAG}'].Value %}}"
    )
    foreign = sfn.Pass.jsonata(scope, "LeaveItAlone", comment="Not made by this workflow, or kept", outputs="{% '' %}")
    unread = sfn.Pass.jsonata(scope, "TagsUnread", outputs={"problem": "{% $problem %}"})
    # The tags of what others made may not even be read.
    tags.add_catch(foreign, errors=[NOT_FOUND, "Bedrock.AccessDeniedException"])
    tags.add_catch(unread, errors=["States.ALL"], assign={"problem": f"{{% {_PROBLEM} %}}"})
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
                [$distinct([$endedBadly, $states.result[$type($) = 'string' and $ != '']])
                    .{'executionArn': $, 'isForgotten': $not($contains($, $ofTheMachine))}]
            """),
            "problems": _one_more("$states.result.problem"),
        },
        outputs={},
    ).item_processor(tags.next(is_ours))
    runs.next(done)
    return runs


def _start_releases(scope: Construct) -> sfn.Map:
    """Starts the releases of `requests`; ends the execution, which fails if there are `problems`."""
    release = task(
        scope,
        "StartRelease",
        resource="states:startExecution",
        arguments={
            # The machine's own ARN cannot be in its definition.
            "StateMachineArn": "{% $states.context.StateMachine.Id %}",
            # The same when the response to a start is lost, so that no second one begins.
            "Name": expression("""
                $substring($hash($states.input.executionArn, 'SHA-256'), 0, 16) & '-sweep-'
                & $substring($hash($states.context.Execution.Id, 'SHA-256'), 0, 16)
            """),
            "Input": expression("""
                $merge([$states.input,
                    {'AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID': $states.context.Execution.Id}])
            """),
        },
        output={"started": "{% $states.result.ExecutionArn %}"},
    )
    unstarted = sfn.Pass.jsonata(scope, "ReleaseNotStarted", outputs={"problem": "{% $problem %}"})
    is_over = sfn.Pass.jsonata(scope, "ReleaseIsOver", comment="Started, and over before that was known", outputs={})
    release.add_catch(is_over, errors=["StepFunctions.ExecutionAlreadyExistsException"])
    release.add_catch(unstarted, errors=["States.ALL"], assign={"problem": f"{{% {_PROBLEM} %}}"})
    swept = sfn.Succeed.jsonata(scope, "Swept", outputs={"runs": [], "started": "{% $started %}"})
    failed = sfn.Fail.jsonata(
        scope,
        SWEEP_FAILED,
        error=SWEEP_FAILED,
        cause=expression("""
            'Runs may still pay for something that was not found; the next sweep looks again. '
            & $join($distinct($problems), ' ')
        """),
    )
    is_complete = (
        sfn.Choice.jsonata(scope, "IsSweepComplete")
        .when(sfn.Condition.jsonata("{% $count($problems) = 0 %}"), swept)
        .otherwise(failed)
    )
    releases = sfn.Map.jsonata(
        scope,
        "StartReleases",
        items=sfn.ProvideItems.jsonata("{% $requests %}"),
        max_concurrency=5,
        assign={"started": "{% [$states.result.started] %}", "problems": _one_more("$states.result.problem")},
        outputs={},
    ).item_processor(release)
    releases.next(is_complete)
    return releases


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
        output={
            "runs": expression("""
                [$states.result.Executions[
                    $toMillis(StopDate) > $millis() - 1000 * $states.input.sweep.endedWithinSeconds
                ].ExecutionArn]
            """)
        },
    )
    unlisted = sfn.Pass.jsonata(scope, "RunsNotListed", outputs={"problem": "{% $problem %}"})
    list_runs.add_catch(unlisted, errors=["States.ALL"], assign={"problem": f"{{% {_PROBLEM} %}}"})
    return sfn.Chain.start(
        sfn.Map.jsonata(
            scope,
            "FindRunsThatEndedBadly",
            items=sfn.ProvideItems.jsonata(f"{{% {_ENDED_BADLY} %}}"),
            item_selector={"status": "{% $states.context.Map.Item.Value %}", "sweep": "{% $states.input.sweep %}"},
            assign={
                "endedBadly": "{% [$states.result.runs] %}",
                "problems": _one_more("$states.result.problem"),
                "ofTheMachine": (
                    "{% $replace($states.input.sweep.stateMachineArn, ':stateMachine:', ':execution:') & ':' %}"
                ),
            },
            outputs={},
        ).item_processor(list_runs)
    )
