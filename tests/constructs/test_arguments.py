"""Arguments of the wrong type are refused by name, with what to pass instead."""

from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_sns as sns

from bedrock_customization import (
    Commitment,
    CustomizationWorkflow,
    EvaluationWorkflow,
    NotificationTopic,
    OnSuccess,
    Serving,
)


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"serving": "on-demand"},
            r"^serving: got 'on-demand'; it must be of type Serving: pass Serving.on",
        ),
        (
            {"on_success": "keep"},
            r"^on_success: got 'keep'; it must be of type OnSuccess: pass OnSuccess.KEEP_SERVING or",
        ),
        ({"topic": "arn:aws:sns:us-east-1:123456789012:team"}, r"^topic: got 'arn:aws:sns.*from_topic_arn\("),
        ({"evaluation": "Evaluation"}, r"^evaluation: got 'Evaluation'; it must be of type EvaluationWorkflow"),
        ({"quality_gate": {"metric": "rouge_l"}}, r"^quality_gate: got {'metric': 'rouge_l'}; .*QualityGate\("),
        ({"inference": 512}, r"^inference: got 512; it must be of type Inference: pass Inference\(max_tokens=512\)"),
        ({"image": "latest"}, r"^image: got 'latest'; it must be of type FunctionImage: pass FunctionImage.build\(\)"),
    ],
)
def test_a_customization(stack: Stack, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        CustomizationWorkflow(stack, "Customization", **arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"metrics": []}, ValueError, r"^metrics: got none, and no evaluators; pass at least one, such as \[Metric"),
        ({"metrics": "bertscore"}, TypeError, r"^metrics: got 'bertscore'; it must be a list"),
        ({"metrics": ["bertscore"]}, TypeError, r"^metrics: got 'bertscore'; it must be of type Metric: pass \[Metric"),
        ({"evaluators": [len]}, TypeError, r"^evaluators: got <built-in function len>; it must be of type Evaluator"),
        ({"scoring_concurrency": 0}, ValueError, r"^scoring_concurrency: got 0; it must be a whole number from 1 to"),
        ({"scoring_concurrency": 2.5}, ValueError, r"^scoring_concurrency: got 2.5; it must be a whole number"),
        ({"scoring_concurrency": True}, ValueError, r"^scoring_concurrency: got True; it must be a whole number"),
    ],
)
def test_an_evaluation(stack: Stack, arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        EvaluationWorkflow(stack, "Evaluation", **arguments)


def test_a_commitment_is_not_released_on_success(stack: Stack) -> None:
    serving = Serving.provisioned(commitment=Commitment.ONE_MONTH, release_automatically=False)
    with pytest.raises(
        ValueError, match=r"^on_success: got .*RELEASE_SERVING, but serving has a commitment of OneMonth"
    ):
        CustomizationWorkflow(stack, "Customization", serving=serving, on_success=OnSuccess.RELEASE_SERVING)


def test_a_topic_of_sns_is_taken_as_it_is(stack: Stack) -> None:
    topic = sns.Topic(stack, "Team")
    workflow = CustomizationWorkflow(stack, "Customization", topic=topic)
    assert isinstance(workflow.topic, NotificationTopic)
    assert workflow.topic.topic is topic
