"""The states that compare the models, decide and write the report."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import QualityGate
from bedrock_customization.states.scoring import TASK_TIMEOUT
from bedrock_customization.states.task import invoke_function


def compare_models(
    scope: Construct, construct_id: str, *, results_bucket: str, function_arn: str, gate: QualityGate
) -> sfn.CustomState:
    """Compares every model with the baseline, or with each of several, over all scores.

    Assigns `comparison` (the function's answer) and `compared` (the candidates whose difference could be computed).

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        results_bucket: The bucket with the scores.
        function_arn: The comparison function's ARN.
        gate: The metric and confidence to compare with.
    """
    return invoke_function(
        scope,
        construct_id,
        function_arn=function_arn,
        payload={
            "operation": "compare",
            "bucket": results_bucket,
            "prefix": "{% $prefix %}",
            "shards": "{% $count($shards) %}",
            "records": "{% $records %}",
            "models": "{% [$models.name] %}",
            "baseline": "{% $baseline %}",
            "gate": gate_to_json(gate),
        },
        timeout=TASK_TIMEOUT,
        output={},
        assign={
            "comparison": "{% $states.result.Payload %}",
            "compared": (
                "{% [$states.result.Payload.candidates[$type(difference.mean) = 'number' and"
                " $type(difference.low) = 'number']] %}"
            ),
        },
    )


def quality_gate(scope: Construct, construct_id: str, *, gate: QualityGate, decided: sfn.IChainable) -> sfn.Choice:
    """The decision, in plain sight: coverage first, then the lower end of the best candidate's interval.

    A candidate's difference is that from the baseline which it does worst against, so that passing means to be better
    than all of them. Of several that pass, the one with the highest score wins.

    Assigns `verdict` (BETTER, NOT_BETTER or INCONCLUSIVE) and `winner` (a model's name, or null).

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        gate: The thresholds.
        decided: What follows.
    """
    passed = f"$compared[difference.low > {gate.min_improvement}]"
    nobody = "{% null %}"
    return (
        sfn.Choice.jsonata(
            scope,
            construct_id,
            comment="The last case: no candidate's interval lies above the margin.",
            assign={"verdict": "NOT_BETTER", "winner": nobody},
        )
        .when(
            sfn.Condition.jsonata(f"{{% $comparison.coverage < {gate.min_coverage} or $count($compared) = 0 %}}"),
            decided,
            comment="Too few complete answers to believe any comparison.",
            assign={"verdict": "INCONCLUSIVE", "winner": nobody},
        )
        .when(
            sfn.Condition.jsonata(f"{{% $count({passed}) > 0 %}}"),
            decided,
            comment="The whole interval of the paired mean improvement, over every baseline, lies above the margin.",
            assign={"verdict": "BETTER", "winner": f"{{% ({passed}^(>score))[0].name %}}"},
        )
        .otherwise(decided)
    )


def write_report(
    scope: Construct, construct_id: str, *, results_bucket: str, function_arn: str, gate: QualityGate
) -> sfn.CustomState:
    """Writes the report with the verdict; its output is `{"report", "results"}`, keys in the results bucket.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        results_bucket: The bucket with the scores.
        function_arn: The comparison function's ARN.
        gate: The gate that decided.
    """
    return invoke_function(
        scope,
        construct_id,
        function_arn=function_arn,
        payload={
            "operation": "report",
            "bucket": results_bucket,
            "prefix": "{% $prefix %}",
            "verdict": "{% $verdict %}",
            "winner": "{% $winner %}",
            "models": "{% [$models.{'name': name, 'modelId': modelId}] %}",
            "evaluationDataKey": "{% $evaluationDataKey %}",
            "responses": "{% $responses %}",
            "gate": gate_to_json(gate),
        },
        timeout=TASK_TIMEOUT,
    )


def gate_to_json(gate: QualityGate) -> dict[str, Any]:
    """The gate as the comparison function's events name it."""
    return {
        "metric": gate.metric,
        "minImprovement": gate.min_improvement,
        "confidence": gate.confidence,
        "minCoverage": gate.min_coverage,
    }
