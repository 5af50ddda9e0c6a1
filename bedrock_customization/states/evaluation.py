"""All states of an evaluation, in the order in which they run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import Evaluator, Inference, Metric, QualityGate
from bedrock_customization.schemas import schema
from bedrock_customization.states.comparison import compare_models, quality_gate, write_report
from bedrock_customization.states.inference import asking_deadline, check_models, generate_responses
from bedrock_customization.states.scoring import count_document_frequencies, list_shards, score_responses
from bedrock_customization.states.task import expression, invoke_function


def evaluate(
    states: Construct,
    *,
    data_bucket: str,
    results_bucket: str,
    dataset_arn: str,
    scoring_arn: str,
    comparison_arn: str,
    inference: Inference,
    metrics: Sequence[Metric],
    evaluators: Sequence[Evaluator],
    gate: QualityGate,
    scoring_concurrency: int,
    timeout: Duration,
) -> sfn.IChainable:
    """Checks the data, asks the models if any has to be asked, scores the answers, compares, decides and reports.

    Args:
        states: The construct that holds the states.
        data_bucket: The bucket of the evaluation data.
        results_bucket: The bucket that everything is written to.
        dataset_arn: The ARN of the function that checks data.
        scoring_arn: The ARN of the function that scores.
        comparison_arn: The ARN of the function that compares.
        inference: How models are asked.
        metrics: What is computed.
        evaluators: The user's own metrics.
        gate: When a candidate is better.
        scoring_concurrency: Shards that are scored at the same time.
        timeout: When an execution is given up.
    """
    comparison: dict[str, Any] = {
        "results_bucket": results_bucket,
        "function_arn": comparison_arn,
        "gate": gate,
    }
    prepare = _prepare(states, timeout)
    check_data = _check_data(states, data_bucket, results_bucket, dataset_arn, inference, gate, timeout)
    check = check_models(states, "CheckModels", inference=inference, timeout=timeout)
    generate = generate_responses(
        states,
        "GenerateResponses",
        results_bucket=results_bucket,
        inference=inference,
        gate=gate,
        keep_prompts=bool(evaluators),
        timeout=timeout,
    )
    shards = list_shards(states, "ListShards", results_bucket=results_bucket)
    score = _score(states, results_bucket, scoring_arn, metrics, evaluators, scoring_concurrency)
    compare = compare_models(states, "CompareModels", **comparison)
    report = write_report(states, "WriteReport", **comparison)
    decide = quality_gate(states, "QualityGate", gate=gate, decided=report)

    report.next(_evaluated(states, gate))
    shards.next(score.next(compare.next(decide)))
    check.next(generate).next(shards)
    is_any_asked = (
        sfn.Choice.jsonata(states, "IsAnyModelAsked")
        .when(
            sfn.Condition.jsonata("{% $count($asked) = 0 %}"),
            shards,
            comment="All answers came with the data.",
            outputs={"Key": "{% $manifest %}"},
        )
        .otherwise(check)
    )
    return prepare.next(check_data).next(is_any_asked)


def _prepare(states: Construct, timeout: Duration) -> sfn.Pass:
    return sfn.Pass.jsonata(
        states,
        "Prepare",
        assign={
            "prefix": expression("""
                'runs/' & ($exists($states.input.runId) ? $states.input.runId
                    : $substring($hash($states.context.Execution.Id, 'SHA-256'), 0, 16)) & '/'
            """),
            "deadline": asking_deadline(timeout),
        },
    )


def _check_data(
    states: Construct,
    data_bucket: str,
    results_bucket: str,
    dataset_arn: str,
    inference: Inference,
    gate: QualityGate,
    timeout: Duration,
) -> sfn.CustomState:
    return invoke_function(
        states,
        "CheckEvaluationData",
        function_arn=dataset_arn,
        payload={
            "operation": "checkEvaluation",
            "input": "{% $states.input %}",
            "inputSchema": schema("evaluation-input"),
            "dataBucket": data_bucket,
            "resultsBucket": results_bucket,
            "prefix": "{% $prefix %}",
            "minCoverage": gate.min_coverage,
            "inference": inference.to_json(),
            "timeout": timeout.to_seconds(),
        },
        timeout=Duration.minutes(16),
        output={},
        assign={
            "models": "{% [$states.result.Payload.models] %}",
            "asked": "{% [$states.result.Payload.models[$exists(modelId)]] %}",
            "manifest": "{% $states.result.Payload.manifest %}",
            "baseline": "{% $states.input.baseline %}",
            "records": "{% $states.result.Payload.records %}",
            "evaluationDataKey": "{% $states.result.Payload.key %}",
        },
    )


def _score(
    states: Construct,
    results_bucket: str,
    scoring_arn: str,
    metrics: Sequence[Metric],
    evaluators: Sequence[Evaluator],
    concurrency: int,
) -> sfn.Chain:
    shared: dict[str, Any] = {
        "results_bucket": results_bucket,
        "function_arn": scoring_arn,
        "max_concurrency": concurrency,
    }
    score = score_responses(states, "ScoreResponses", metrics=metrics, evaluators=evaluators, **shared)
    if any(metric.idf for metric in metrics):
        return count_document_frequencies(states, "CountDocumentFrequencies", **shared).next(score)
    return sfn.Chain.start(score)


def _evaluated(states: Construct, gate: QualityGate) -> sfn.Succeed:
    return sfn.Succeed.jsonata(
        states,
        "Evaluated",
        outputs={
            "verdict": "{% $verdict %}",
            "winner": "{% $winner %}",
            "baseline": "{% $baseline %}",
            "metric": gate.metric,
            "records": "{% $comparison.records %}",
            "counted": "{% $comparison.counted %}",
            "coverage": "{% $comparison.coverage %}",
            "scores": "{% $comparison.means %}",
            "candidates": "{% [$comparison.candidates] %}",
            "signatures": "{% $comparison.signatures %}",
            "report": "{% $states.input.report %}",
            "results": "{% $states.input.results %}",
        },
    )
