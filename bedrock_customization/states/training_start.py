"""The states that watch whether a training job begins: Bedrock lets some wait for days without a message."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.resource_names import JOB_NAME
from bedrock_customization.states.task import NOT_FOUND, expression, task

_LOOK_EVERY = Duration.minutes(10)


def train_unless_stalled(
    scope: Construct, construct_id: str, *, training: sfn.IChainable, start_timeout: Duration
) -> sfn.Parallel:
    """Trains, and beside it looks at the job until its training begins; one that does not begin is stopped.

    Reads `resourceName` and assigns `jobName`. Fails with `TrainingStalled` when the job reports `trainingDetails:
    NotStarted` for too long. The watch never fails the training for a reason of its own.

    Args:
        scope: The construct that holds the states.
        construct_id: The state's name.
        training: The state that trains; its output has the `jobName`.
        start_timeout: When a job whose training has not begun is stopped.
    """
    return (
        sfn.Parallel.jsonata(
            scope,
            construct_id,
            comment="Trains, and stops a job whose training does not begin",
            assign={"jobName": "{% $states.result[0].jobName %}"},
        )
        .branch(training)
        .branch(_watch(scope, start_timeout))
    )


def _watch(scope: Construct, start_timeout: Duration) -> sfn.Chain:
    most_looks = max(1, int(start_timeout.to_seconds() // _LOOK_EVERY.to_seconds()))
    begin = sfn.Pass.jsonata(scope, "WatchTraining", assign={"looks": 0})
    wait = sfn.Wait.jsonata(scope, "WaitForTrainingToBegin", time=sfn.WaitTime.duration(_LOOK_EVERY))
    look = task(
        scope,
        "LookAtTraining",
        resource="aws-sdk:bedrock:getModelCustomizationJob",
        arguments={"JobIdentifier": f"{{% {JOB_NAME} %}}"},
        assign={"looks": "{% $looks + 1 %}"},
    )
    stalled = sfn.Fail.jsonata(
        scope,
        "TrainingStalled",
        error="TrainingStalled",
        cause=expression(f"""
            'The training job ' & {JOB_NAME} & ' was stopped: {start_timeout.to_human_string()} after its creation'
            & ' its training had not begun (trainingDetails NotStarted). Nothing was trained, so nothing is charged.'
            & ' Start the execution again later; if it stalls again, ask AWS Support with the name of the job.'
        """),
    )
    stop = task(
        scope,
        "StopStalledTraining",
        resource="aws-sdk:bedrock:stopModelCustomizationJob",
        arguments={"JobIdentifier": f"{{% {JOB_NAME} %}}"},
    )
    done = sfn.Pass.jsonata(scope, "TrainingNeedsNoWatch")
    waits = """
        $exists($states.input.StatusDetails) and $states.input.Status = 'InProgress'
        and $states.input.StatusDetails.TrainingDetails.Status = 'NotStarted'
    """
    # The job is not there yet while the account trains as many models as it may; that is no stall. In a redriven run
    # the training can have been over before, so that no job of that name ever comes.
    not_created = f"""
        $exists($states.input.Error) and $states.input.Error = '{NOT_FOUND}'
        and $states.context.Execution.RedriveCount = 0
    """
    choice = (
        sfn.Choice.jsonata(scope, "HasTrainingBegun")
        .when(sfn.Condition.jsonata(expression(f"{waits} and $looks >= {most_looks}")), stop)
        .when(sfn.Condition.jsonata(expression(f"({waits} and $looks < {most_looks}) or ({not_created})")), wait)
        .otherwise(done)
    )
    look.add_catch(choice, errors=["States.ALL"])
    stop.add_catch(stalled, errors=["States.ALL"])
    stop.next(stalled)
    return begin.next(wait).next(look).next(choice)
