"""The states of an attempt: check the data, train candidates, evaluate what is served."""

from __future__ import annotations

from typing import Any

from aws_cdk import Aws, Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.models.catalogue import machine_catalogue
from bedrock_customization.options import QualityGate, Serving
from bedrock_customization.schemas import schema
from bedrock_customization.states.scoring_failure import fail_with_shards_error
from bedrock_customization.states.task import expression, invoke_function, task, tell_timeout


def attempt(scope: Construct, construct_id: str, *, branch: sfn.IChainable) -> sfn.Parallel:
    """Wraps the attempt in a Parallel state of one branch, so that one catch covers it all.

    Assigns `evaluation`, `models` (`[{"name", "description"}]`, what was compared), `served`, `failedCandidates`,
    `data` and `warnings`.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        branch: The attempt.
    """
    return sfn.Parallel.jsonata(
        scope,
        construct_id,
        comment="Its one catch is the only failure path",
        assign={
            "evaluation": "{% $states.result[0].evaluation %}",
            "models": "{% [$states.result[0].models] %}",
            "served": "{% [$states.result[0].served] %}",
            "failedCandidates": "{% [$states.result[0].failedCandidates] %}",
            "data": "{% $states.result[0].data %}",
            "warnings": "{% [$states.result[0].warnings] %}",
        },
        outputs={},
    ).branch(branch)


def check_name(scope: Construct, construct_id: str, *, done: sfn.IChainable) -> sfn.Choice:
    """Refuses an execution whose name cannot be a tag, by which everything that it pays for is found and released.

    Step Functions allows more characters in a name than Bedrock does in a tag.

    Args:
        scope: The construct that holds the states.
        construct_id: The state's name.
        done: What follows.
    """
    refused = sfn.Fail.jsonata(
        scope,
        "NameRefused",
        error="InvalidInput",
        cause=expression("""
            'name of the execution: got ' & $states.context.Execution.Name & '; letters without accents, digits and'
            & ' . _ + = @ - are allowed, because it becomes a tag of everything that the run makes in Bedrock.'
            & ' Start the execution again with another name, or without one.'
        """),
    )
    return (
        sfn.Choice.jsonata(scope, construct_id)
        .when(sfn.Condition.jsonata(r"{% $contains($executionArn, /[^a-zA-Z0-9\s._:\/=+@-]/) %}"), refused)
        .otherwise(done)
    )


def check_data(
    scope: Construct,
    construct_id: str,
    *,
    function_arn: str,
    serving: Serving,
    gate: QualityGate,
    training_bucket: str,
    validation_bucket: str,
    results_bucket: str,
    allowed: dict[str, Any],
) -> sfn.CustomState:
    """Checks input, hyperparameters and every line of the data before anything is paid for.

    Assigns `candidates` (`[{"name", "description", "baseModelIdentifier", "serving", "customModelArn", "job"}]`),
    `baseModels` (`[{"name", "modelId"}]`), `teachers` (ids of foundation models), `checkedData` (each file's URI,
    version and ETag) and `checkWarnings` (texts).

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        function_arn: The dataset function's ARN.
        serving: How candidates are served; `automatic` is settled here.
        gate: Its coverage says how much of the evaluation data must be usable.
        training_bucket: The bucket of the training data.
        validation_bucket: The bucket of validation and evaluation data.
        results_bucket: The bucket that the data report goes to.
        allowed: What the service role may use beside the buckets: `teacherModels`, `graders`, `invocationLogsBucket`.
    """
    timeout = Duration.minutes(16)
    check = invoke_function(
        scope,
        construct_id,
        function_arn=function_arn,
        payload={
            "operation": "checkCustomization",
            "input": "{% $input %}",
            "inputSchema": schema("customization-input"),
            "models": machine_catalogue(),
            "serving": serving.mode.value,
            "region": Aws.REGION,
            "trainingBucket": training_bucket,
            "validationBucket": validation_bucket,
            "resultsBucket": results_bucket,
            "prefix": "{% $prefix %}",
            "minCoverage": gate.min_coverage,
            **allowed,
        },
        timeout=timeout,
        output={},
        assign={
            "candidates": "{% [$states.result.Payload.candidates] %}",
            "baseModels": "{% [$states.result.Payload.baseModels] %}",
            "teachers": "{% [$states.result.Payload.teachers] %}",
            "checkedData": "{% $states.result.Payload.data %}",
            "checkWarnings": "{% [$states.result.Payload.warningTexts] %}",
        },
    )
    return tell_timeout(
        scope,
        check,
        cause=f"The function that checks the data gave no answer in {timeout.to_human_string()}, whenever it was asked."
        " Start again; if it comes back, give fewer or shorter records.",
    )


def evaluate_served(
    scope: Construct, construct_id: str, *, state_machine_arn: str, evaluation_timeout: Duration, results_bucket: str
) -> sfn.Choice:
    """Evaluates the base models and the candidates that are served; without any, fails with the first one's error.

    Every base model is a baseline, whichever one a candidate was made from: a candidate that is not better than a base
    model that could simply be asked instead is not worth keeping.

    Args:
        scope: The construct that holds the states.
        construct_id: The name of the state that evaluates.
        state_machine_arn: The evaluation's state machine.
        evaluation_timeout: When the evaluation itself is given up; this waits an hour longer, so that its own error is
            the one that is reported.
        results_bucket: The bucket that the evaluation writes to.
    """
    timeout = evaluation_timeout.plus(Duration.hours(1))
    evaluate = task(
        scope,
        construct_id,
        resource="states:startExecution.sync:2",
        arguments={
            "StateMachineArn": state_machine_arn,
            "Name": "{% $runId & '-evaluation-' & $states.context.Execution.RedriveCount %}",
            "Input": {
                "models": "{% [$baseModels, $servedCandidates.{'name': name, 'modelId': modelId}] %}",
                "baseline": "{% [$baseModels.name] %}",
                "evaluationDataKey": "{% $input.evaluationDataKey %}",
                "runId": "{% $runId %}",
                "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "{% $executionArn %}",
            },
        },
        timeout=timeout,
        output={
            "evaluation": "{% $states.result.Output %}",
            "models": expression("""
                [$baseModels.{'name': name, 'description': modelId},
                 $servedCandidates.{'name': name, 'description': description}]
            """),
            "served": "{% $servedCandidates %}",
            "failedCandidates": "{% $notServed %}",
            "data": "{% $checkedData %}",
            "warnings": "{% $checkWarnings %}",
        },
    )
    tell_timeout(
        scope,
        evaluate,
        cause=f"timeout: the evaluation was given up after {timeout.to_human_string()}. Raise timeout of the"
        " EvaluationWorkflow, or give fewer evaluation records; then start again.",
    )
    fail_with_shards_error(scope, evaluate, results_bucket=results_bucket)
    none_served = sfn.Fail.jsonata(
        scope,
        "NoCandidateServed",
        error="{% $notServed[0].error %}",
        cause=expression("""
            $count($notServed) = 1 ? $notServed[0].cause
                : $join([$notServed.(
                    name & ' (' & description & '): ' & error & ': ' & $substring(cause, 0, 2000)
                )], '\\n')
        """),
    )
    return (
        sfn.Choice.jsonata(scope, "IsAnyCandidateServed")
        .when(sfn.Condition.jsonata("{% $count($servedCandidates) = 0 %}"), none_served)
        .otherwise(evaluate)
    )
