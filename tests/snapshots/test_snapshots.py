"""Template and definitions of the smallest and of a fully configured use."""

import pytest
from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template
from syrupy.assertion import SnapshotAssertion

from bedrock_customization import (
    CustomizationWorkflow,
    Encoder,
    EvaluationWorkflow,
    FunctionImage,
    Inference,
    Metric,
    NotificationTopic,
    QualityGate,
    Serving,
)
from tests.support import readable_definition


def minimal() -> Template:
    stack = Stack(App(), "Minimal")
    CustomizationWorkflow(stack, "Customization")
    return Template.from_stack(stack)


def full() -> Template:
    stack = Stack(App(), "Full")
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    evaluation = EvaluationWorkflow(
        stack,
        "Evaluation",
        data_bucket=s3.Bucket.from_bucket_name(stack, "Data", "the-data-lake"),
        results_bucket=s3.Bucket(stack, "Results", encryption_key=key, removal_policy=RemovalPolicy.DESTROY),
        inference=Inference(max_tokens=256, temperature=0.2, top_p=0.9, max_concurrency=2, requests_per_minute=8),
        metrics=[Metric.bertscore(idf=True, rescale=True), Metric.token_f1()],
        quality_gate=QualityGate(metric="token_f1", min_improvement=0.01, confidence=0.9, min_coverage=0.95),
        image=FunctionImage.build(encoder=Encoder.distilbert()),
        architecture=lambda_.Architecture.ARM_64,
        scoring_concurrency=4,
        timeout=Duration.hours(6),
        encryption_key=key,
        log_execution_data=True,
    )
    CustomizationWorkflow(
        stack,
        "Customization",
        evaluation=evaluation,
        topic=NotificationTopic(stack, "Notifications", emails=["team@example.com"], encryption_key=key),
        serving=Serving.provisioned(model_units=2),
        training_timeout=Duration.hours(12),
        serving_timeout=Duration.hours(1),
        encryption_key=key,
    )
    return Template.from_stack(stack)


@pytest.fixture(scope="module", params=[minimal, full], ids=["minimal", "full"])
def template(request: pytest.FixtureRequest) -> Template:
    return request.param()


def test_template(template: Template, template_snapshot: SnapshotAssertion) -> None:
    resources = template.to_json()
    for resource in resources["Resources"].values():
        # The definitions have snapshots of their own, which a person can read.
        resource.get("Properties", {}).pop("DefinitionString", None)
    assert resources == template_snapshot


def test_definitions(template: Template, snapshot_json: SnapshotAssertion) -> None:
    for logical_id in template.find_resources("AWS::StepFunctions::StateMachine"):
        assert readable_definition(template, logical_id) == snapshot_json(name=logical_id)
