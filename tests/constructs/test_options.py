"""Options are refused at synth, by field, with what is allowed."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Stack

from bedrock_customization import (
    Commitment,
    Encoder,
    EvaluationWorkflow,
    Evaluator,
    FunctionImage,
    Inference,
    Metric,
    QualityGate,
    Serving,
)
from bedrock_customization.options import ServingMode


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Serving.provisioned(model_units=0), r"^model_units: got 0; .*at least 1"),
        (
            lambda: Serving.provisioned(commitment=Commitment.SIX_MONTHS),
            r"^commitment: got SixMonths, but .*pass release_automatically=False",
        ),
        (lambda: Serving.provisioned(release_automatically=False), r"^release_automatically: got False without"),
        (
            lambda: Serving(mode=ServingMode.ON_DEMAND, commitment=Commitment.ONE_MONTH),
            r"^commitment: got OneMonth for on-demand serving",
        ),
        (lambda: Inference(max_tokens=0), r"^max_tokens: got 0; .*1 to 4,096"),
        (lambda: Inference(max_tokens=5000), r"^max_tokens: got 5000"),
        (lambda: Inference(temperature=1.5), r"^temperature: got 1.5; .*from 0 to 1"),
        (lambda: Inference(max_concurrency=0), r"^max_concurrency: got 0"),
        (lambda: Inference(requests_per_minute=0), r"^requests_per_minute: got 0"),
        (lambda: QualityGate(metric="ROUGE-L"), r"^metric: got 'ROUGE-L'; .*bertscore_f1"),
        (lambda: QualityGate(metric="answer_length"), r"^metric: got 'answer_length'"),
        (lambda: QualityGate(min_improvement=-0.1), r"^min_improvement: got -0.1; .*worse model would pass"),
        (lambda: QualityGate(min_improvement=float("nan")), r"^min_improvement: got nan"),
        (lambda: QualityGate(confidence=1.0), r"^confidence: got 1.0; .*below 1"),
        (lambda: QualityGate(min_coverage=2), r"^min_coverage: got 2; .*from 0 to 1"),
        (lambda: Encoder.of("no such/name/here", 5, "main"), r"^name: got"),
        (lambda: Encoder.of("roberta-large", -1, "main"), r"^layer: got -1; .*from 0 to 100"),
        (lambda: Encoder.of("team/own-encoder"), r"^layer: missing; bert-score knows none for 'team/own-encoder'"),
        (lambda: Encoder.of("roberta-large", 17, "a commit"), r"^revision: got 'a commit'"),
        (lambda: Encoder.for_language("German"), r"^language: got 'German'; .*such as 'de'"),
        (lambda: Serving.provisioned(model_units=True), r"^model_units: got True; .*at least 1"),
        (lambda: QualityGate(confidence="0.95"), r"^confidence: got '0.95'; .*such as 0.95"),  # type: ignore[arg-type]
        (lambda: QualityGate(min_improvement=True), r"^min_improvement: got True; .*finite number"),
        (lambda: Metric(name="bleu"), r"^name: got 'bleu'; .*rouge, .*Evaluator"),
        (lambda: Metric.bertscore(precision="int8"), r"^precision: got 'int8'; .*fp32, bf16"),
    ],
)
def test_a_bad_option_is_named(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (
            Serving.provisioned,
            {"commitment": "OneMonth"},
            r"^commitment: got 'OneMonth'; .*pass Commitment.ONE_MONTH",
        ),
        (Serving.provisioned, {"release_automatically": "no"}, r"^release_automatically: got 'no'; .*True or False"),
        (Serving, {"mode": "on-demand"}, r"^mode: got 'on-demand'; .*pass Serving.on_demand\(\)"),
        (FunctionImage.build, {"encoder": "roberta-large"}, r"^encoder: got 'roberta-large'; .*Encoder.roberta_large"),
        (Evaluator, {"name": "politeness", "function": None}, r"^function: got None; .*type lambda.IFunction"),
        (Evaluator, {"name": 5, "function": None}, r"^name: got 5; .*of type str"),
        (QualityGate, {"metric": Metric.rouge()}, r"^metric: got Metric\(.*of type str: pass \"bertscore_f1\""),
        (Metric.bertscore, {"idf": "no"}, r"^idf: got 'no'; it must be True or False"),
        (Metric.rouge, {"stemmer": 1}, r"^stemmer: got 1; it must be True or False"),
    ],
)
def test_an_option_of_another_type_is_named(make: Callable[..., Any], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make(**arguments)


def test_a_gate_needs_its_metric() -> None:
    with pytest.raises(ValueError, match=r"^quality_gate: got metric 'rouge_l', which is not computed"):
        EvaluationWorkflow(
            Stack(App(), "Stack"),
            "Evaluation",
            metrics=[Metric.bertscore()],
            quality_gate=QualityGate(metric="rouge_l"),
        )


def test_rescaling_needs_a_baseline_of_the_encoder_and_its_language() -> None:
    def make(encoder: Encoder) -> None:
        EvaluationWorkflow(
            Stack(App(), "Stack"),
            "Evaluation",
            metrics=[Metric.bertscore(rescale=True)],
            image=FunctionImage.build(encoder=encoder),
        )

    for encoder in (Encoder.roberta_large(), Encoder.for_language("de"), Encoder.for_language("en-sci")):
        make(encoder)
    for encoder in (Encoder.for_language("tr"), Encoder.multilingual(language="sv"), Encoder.of("own/encoder", 3)):
        with pytest.raises(ValueError, match=rf"^metrics: got rescale=True, but .*{encoder.name}"):
            make(encoder)
