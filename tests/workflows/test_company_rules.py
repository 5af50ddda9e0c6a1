"""A run with the company's key, network and tags: what Bedrock is asked for."""

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from bedrock_customization import Commitment, CustomizationWorkflow, EvaluationWorkflow, Metric, QualityGate, Serving
from bedrock_customization.rehearsal import Rehearsal
from tests.workflows.small import TEACHER, execution_input, lines, upload

KEY = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"


def new_stack() -> Stack:
    return Stack(App(), "Company", env=Environment(account="123456789012", region="us-east-1"))


def evaluation(stack: Stack) -> EvaluationWorkflow:
    return EvaluationWorkflow(
        stack, "Evaluation", metrics=[Metric.token_f1()], quality_gate=QualityGate(metric="token_f1")
    )


def test_jobs_have_the_key_the_network_and_the_tags() -> None:
    stack = new_stack()
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    own = CustomizationWorkflow(
        stack,
        "Customization",
        evaluation=evaluation(stack),
        vpc=vpc,
        encryption_key=kms.Key.from_key_arn(stack, "Key", KEY),
        resource_tags={"cost-center": "4711"},
    )
    with Rehearsal.from_stack(stack) as rehearsal:
        upload(rehearsal, own)
        run = rehearsal.run(own.state_machine, execution_input())
        assert run.status == "SUCCEEDED", run.cause
        registry = rehearsal.bedrock.registry
        request = registry.jobs[0].request
        assert request["customModelKmsKeyId"] == KEY
        assert len(request["vpcConfig"]["subnetIds"]) == 2
        assert len(request["vpcConfig"]["securityGroupIds"]) == 1
        for resource in (registry.jobs[0], registry.models[0], registry.deployments[0]):
            assert resource.tags["cost-center"] == "4711"


def test_distillation_reads_invocation_logs() -> None:
    stack = new_stack()
    logs = s3.Bucket(stack, "Logs")
    own = CustomizationWorkflow(
        stack,
        "Customization",
        evaluation=evaluation(stack),
        teacher_models=[TEACHER],
        invocation_logs_bucket=logs,
    )
    teacher = {"teacherModelConfig": {"teacherModelIdentifier": TEACHER}}
    with Rehearsal.from_stack(stack) as rehearsal:
        upload(rehearsal, own)
        name = rehearsal.bucket_name(logs)
        config = {
            "invocationLogSource": {"s3Uri": f"s3://{name}/AWSLogs/"},
            "usePromptResponse": True,
            "requestMetadataFilters": {"andAll": [{"equals": {"team": "support"}}, {"notEquals": {"stage": "test"}}]},
        }
        asked = execution_input(
            trainingDataKey=None,
            customizationType="DISTILLATION",
            customizationConfig={"distillationConfig": teacher},
            invocationLogsConfig=config,
        )
        run = rehearsal.run(own.state_machine, asked)
        assert run.error == "InvalidInput"
        assert "invocationLogsConfig.invocationLogSource.s3Uri: there is no object under" in run.cause

        rehearsal.upload(logs, "AWSLogs/one.jsonl", lines("prompt-completion", range(5)))
        run = rehearsal.run(own.state_machine, asked)
        assert run.status == "SUCCEEDED", run.cause
        request = rehearsal.bedrock.registry.jobs[0].request
        assert request["trainingDataConfig"] == {"invocationLogsConfig": config}


def test_what_was_bought_for_a_term_is_not_released() -> None:
    stack = new_stack()
    own = CustomizationWorkflow(
        stack,
        "Customization",
        evaluation=evaluation(stack),
        serving=Serving.provisioned(commitment=Commitment.ONE_MONTH, release_automatically=False),
    )
    with Rehearsal.from_stack(stack) as rehearsal:
        upload(rehearsal, own)
        rehearsal.upload(own.training_bucket, "train.jsonl", lines("bedrock-conversation-2024", range(110), poor=True))
        run = rehearsal.run(own.state_machine, execution_input())
        assert run.status == "SUCCEEDED", run.cause
        assert run.output["verdict"] == "NOT_BETTER"
        (billed,) = rehearsal.bedrock.billed
        assert [kept["arn"] for kept in run.output["kept"] if kept["kind"] == "ProvisionedModel"] == [billed.arn]
