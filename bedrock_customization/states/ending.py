"""The states around an attempt: what a run starts with, what its verdict leads to, and how it ends."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import OnSuccess
from bedrock_customization.states.first_error import first_error
from bedrock_customization.states.task import expression, task

_FIRST_ERROR = first_error("$states.errorOutput.Error", "$states.errorOutput.Cause").removeprefix("{% ")
RELEASE_FAILURE = expression(f"""(
    $first := {_FIRST_ERROR.removesuffix(" %}")};
    {{'error': 'ReleaseFailed', 'cause': $first.error & ': ' & $first.cause}}
)""")
OUTPUT = {
    "verdict": "{% $evaluation.verdict %}",
    "model": expression("""
        $winner = null ? null : {'customModelArn': $winner.customModelArn, 'modelId': $winner.modelId}
    """),
    "evaluation": "{% $evaluation %}",
    "failedCandidates": "{% $failedCandidates %}",
    "registrationFailure": "{% $registrationFailure %}",
    "released": "{% $release.released %}",
    "kept": "{% $release.kept %}",
}


def prepare_run(scope: Construct, construct_id: str) -> sfn.Pass:
    """Assigns the run's id, prefix and name, and empty values for all that later states read.

    It reads nothing that an input could lack: a state that fails here would not be caught.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
    """
    run_id = "$substring($hash($states.context.Execution.Id, 'SHA-256'), 0, 16)"
    return sfn.Pass.jsonata(
        scope,
        construct_id,
        assign={
            "runId": f"{{% {run_id} %}}",
            "prefix": f"{{% 'runs/' & {run_id} & '/' %}}",
            "executionArn": "{% $states.context.Execution.Id %}",
            "input": "{% $states.input %}",
            "name": expression("""
                $type($states.input) = 'object' and $type($states.input.customModelName) = 'string'
                    ? $substring($states.input.customModelName, 0, 39) : $states.context.Execution.Name
            """),
            "evaluation": "{% null %}",
            "failure": "{% null %}",
            "models": [],
            "failedCandidates": [],
            "warnings": [],
            "modelId": "{% null %}",
            "previousModelId": "{% null %}",
            "winner": "{% null %}",
            "registrationFailure": "{% null %}",
            "keep": [],
            "deleteModels": False,
        },
    )


def act_on_verdict(
    scope: Construct,
    construct_id: str,
    *,
    on_success: OnSuccess,
    promote: sfn.IChainable,
    release: sfn.IChainable,
) -> sfn.Choice:
    """Promotes the winner of a BETTER verdict; releases everything else.

    Custom models are deleted when the verdict is against them, and kept when there is none: they need not be trained
    again. Assigns `winner` (its `modelId` is null when its serving is released), `keep` (ARNs) and `deleteModels`.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        on_success: What becomes of the winner's serving.
        promote: What promotes the winner.
        release: What releases.
    """
    winner = "$served[name = $evaluation.winner]"
    if on_success is OnSuccess.KEEP_SERVING:
        promoted = {"winner": f"{{% {winner} %}}", "keep": f"{{% [{winner}.customModelArn, {winner}.modelId] %}}"}
    else:
        promoted = {
            "winner": f"{{% $merge([{winner}, {{'modelId': null}}]) %}}",
            "keep": f"{{% [{winner}.customModelArn] %}}",
        }
    return (
        sfn.Choice.jsonata(scope, construct_id, comment="The last case: nothing could be decided")
        .when(
            sfn.Condition.jsonata("{% $evaluation.verdict = 'BETTER' %}"),
            promote,
            assign={**promoted, "deleteModels": True},
        )
        .when(sfn.Condition.jsonata("{% $evaluation.verdict = 'NOT_BETTER' %}"), release, assign={"deleteModels": True})
        .otherwise(release)
    )


def release_run(scope: Construct, construct_id: str, *, state_machine_arn: str) -> sfn.CustomState:
    """Runs the release machine for this run and waits for it; assigns `release`.

    When the run failed, the release machine also notifies.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        state_machine_arn: The release machine.
    """
    return task(
        scope,
        construct_id,
        resource="states:startExecution.sync:2",
        arguments={
            "StateMachineArn": state_machine_arn,
            # A release that is started again does no harm; one of the same name that is over could not be started.
            "Name": expression("""
                $runId & '-release-' & $states.context.Execution.RedriveCount & '-' & $states.context.State.RetryCount
            """),
            "Input": {
                "runId": "{% $runId %}",
                "name": "{% $name %}",
                "executionArn": "{% $executionArn %}",
                "keep": "{% $keep %}",
                "deleteModels": "{% $deleteModels %}",
                "failure": "{% $failure %}",
                "redriveCount": "{% $states.context.Execution.RedriveCount %}",
                "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "{% $executionArn %}",
            },
        },
        timeout=Duration.hours(13),
        assign={"release": "{% $states.result.Output.runs[0] %}"},
        output={},
    )


def fail_with_first_error(scope: Construct, construct_id: str) -> sfn.Fail:
    """Ends a run that failed; the rule on its status looks again whether everything is released.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
    """
    return sfn.Fail.jsonata(scope, construct_id, error="{% $failure.error %}", cause="{% $failure.cause %}")
