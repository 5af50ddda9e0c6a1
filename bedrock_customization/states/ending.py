"""The states around an attempt: what a run starts with, what its verdict leads to, and how it ends."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.task import expression, task

RELEASE_ERROR = {
    "error": "{% $states.errorOutput.Error %}",
    "cause": "{% $substring($states.errorOutput.Cause, 0, 4000) %}",
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
            "modelId": "{% null %}",
            "winner": "{% null %}",
            "failedCandidates": [],
            "keep": [],
            "deleteModels": False,
        },
    )


def act_on_verdict(
    scope: Construct, construct_id: str, *, promote: sfn.IChainable, release: sfn.IChainable
) -> sfn.Choice:
    """Promotes the winner of a BETTER verdict; releases everything else.

    Custom models are deleted when the verdict is against them, and kept when there is none: they need not be trained
    again. Assigns `winner`, `keep` (resource names) and `deleteModels`.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        promote: What promotes the winner.
        release: What releases.
    """
    return (
        sfn.Choice.jsonata(scope, construct_id, comment="The last case: nothing could be decided")
        .when(
            sfn.Condition.jsonata("{% $evaluation.verdict = 'BETTER' %}"),
            promote,
            assign={
                "winner": "{% $served[name = $evaluation.winner] %}",
                "keep": "{% [$served[name = $evaluation.winner].resourceName] %}",
                "deleteModels": True,
            },
        )
        .when(sfn.Condition.jsonata("{% $evaluation.verdict = 'NOT_BETTER' %}"), release, assign={"deleteModels": True})
        .otherwise(release)
    )


def release_run(scope: Construct, construct_id: str, *, state_machine_arn: str) -> sfn.CustomState:
    """Runs the release machine for this run and waits for it; assigns `release`.

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
            "Name": "{% $runId & '-release-' & $states.context.Execution.RedriveCount %}",
            "Input": {
                "runId": "{% $runId %}",
                "keep": "{% $keep %}",
                "deleteModels": "{% $deleteModels %}",
                "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "{% $executionArn %}",
            },
        },
        timeout=Duration.hours(13),
        assign={"release": "{% $states.result.Output.runs[0] %}"},
        output={},
    )


def outcome(scope: Construct, construct_id: str) -> sfn.Choice:
    """Ends the run: with its verdict, with the first error, or with `ReleaseFailed`.

    Args:
        scope: The construct that holds the states.
        construct_id: The name of the state that chooses.
    """
    done = sfn.Succeed.jsonata(
        scope,
        "Done",
        outputs={
            "verdict": "{% $evaluation.verdict %}",
            "model": expression("""
                $winner = null ? null : {'customModelArn': $winner.customModelArn, 'modelId': $winner.modelId}
            """),
            "evaluation": "{% $evaluation %}",
            "failedCandidates": "{% $failedCandidates %}",
            "released": "{% $release.released %}",
            "kept": "{% $release.kept %}",
        },
    )
    failed = sfn.Fail.jsonata(scope, "Failed", error="{% $failure.error %}", cause="{% $failure.cause %}")
    release_failed = sfn.Fail.jsonata(
        scope, "ReleaseFailed", error="ReleaseFailed", cause="{% $release.error & ': ' & $release.cause %}"
    )
    return (
        sfn.Choice.jsonata(scope, construct_id)
        .when(sfn.Condition.jsonata("{% $failure != null %}"), failed)
        .when(sfn.Condition.jsonata("{% $exists($release.error) %}"), release_failed)
        .otherwise(done)
    )
