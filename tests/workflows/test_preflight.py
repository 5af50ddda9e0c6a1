"""What stops a run before anything is paid for, and a job that never begins to train."""

import json
from typing import Any

import pytest
from aws_cdk import Stack

from bedrock_customization import CustomizationWorkflow
from bedrock_customization.rehearsal import Rehearsal
from tests.workflows.small import GRADER, TEACHER, exchange, execution_input, lines, upload, workflow

LLAMA = "meta.llama3-1-8b-instruct-v1:0:128k"
MISSING = "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova-micro-v1:0:128k/abcdef012345"


def rehearse(own: CustomizationWorkflow, schema: str = "bedrock-conversation-2024") -> Rehearsal:
    rehearsal = Rehearsal.from_stack(Stack.of(own))
    upload(rehearsal, own, schema)
    return rehearsal


def refused(rehearsal: Rehearsal, own: CustomizationWorkflow, error: str, **changes: Any) -> str:
    """Runs an input that must fail before a job is created; returns the cause."""
    run = rehearsal.run(own.state_machine, execution_input(**changes))
    assert (run.status, run.error) == ("FAILED", error), run.cause
    assert "Train" not in run.states
    assert rehearsal.bedrock.billed == []
    (message,) = rehearsal.inbox
    assert run.cause.splitlines()[0] in message.message.replace("\n  ", "\n")
    return str(run.cause)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"customizationType": "DISTILLATION"}, ["customizationConfig: missing"]),
        (
            {
                "customizationType": "DISTILLATION",
                "customizationConfig": {
                    "distillationConfig": {"teacherModelConfig": {"teacherModelIdentifier": "us.amazon.nova-pro-v1:0"}}
                },
            },
            [
                "teacherModelIdentifier: the service role may not use 'us.amazon.nova-pro-v1:0'",
                TEACHER,
                "teacher_models",
            ],
        ),
        (
            {
                "baseModelIdentifier": "amazon.nova-2-lite-v1:0:256k",
                "customizationType": "REINFORCEMENT_FINE_TUNING",
                "customizationConfig": {
                    "rftConfig": {"graderConfig": {"lambdaGrader": {"lambdaArn": GRADER.replace("grade", "other")}}}
                },
            },
            ["lambdaArn: the service role may not use", "function:other", "graders"],
        ),
        (
            {"customizationType": "CONTINUED_PRE_TRAINING"},
            ["customizationType: 'amazon.nova-micro-v1:0:128k' has no CONTINUED_PRE_TRAINING", "FINE_TUNING"],
        ),
        ({"customizationType": "IMPORTED"}, ["customizationType: must not be", "customModelArn"]),
        ({"baseModelIdentifier": LLAMA}, ["baseModelIdentifier", "only in us-west-2"]),
        (
            {"baseModelIdentifier": "arn:aws:bedrock:us-east-1::foundation-model/cohere.command-light-text-v14:7:4k"},
            ["END_OF_LIFE", "Use 'amazon.nova-micro-v1:0:128k' instead"],
        ),
        ({"baseModelIdentifier": "amazon.nova-micro-v1:0"}, ["is an id for inference", "amazon.nova-micro-v1:0:128k"]),
        ({"baseModelIdentifier": "vendor.new-v1:0:9k"}, ["not in the catalogue", "Serving.on_demand()"]),
        ({"customModelArn": MISSING, "trainingDataKey": None}, ["customModelArn: Bedrock has no model", MISSING]),
        (
            {"customModelArn": MISSING.replace("us-east-1", "us-west-2"), "trainingDataKey": None},
            ["customModelArn", "is in us-west-2, this workflow runs in us-east-1"],
        ),
        (
            {"baseInferenceModelIdentifier": "amazon.nova-micro-v9:0"},
            ["baseInferenceModelIdentifier: the base model amazon.nova-micro-v9:0", "identifier is invalid", "access"],
        ),
    ],
)
def test_what_cannot_be_done_is_refused_by_field_with_the_remedy(changes: dict[str, Any], words: list[str]) -> None:
    own = workflow()
    with rehearse(own) as rehearsal:
        cause = refused(rehearsal, own, "InvalidInput", **changes)
    for word in words:
        assert word in cause


def test_a_model_that_became_legacy_after_the_catalogue_was_written_is_refused() -> None:
    own = workflow()
    with rehearse(own) as rehearsal:
        models = rehearsal.bedrock.registry.foundation_models
        models["amazon.nova-micro-v1:0:128k"] = _changed(models["amazon.nova-micro-v1:0:128k"], lifecycle="LEGACY")
        cause = refused(rehearsal, own, "InvalidInput")
    assert cause.startswith("baseModelIdentifier: amazon.nova-micro-v1:0:128k has the status LEGACY.")


def distillation(teacher: str) -> dict[str, Any]:
    """What a distillation with a teacher changes in an input."""
    config = {"distillationConfig": {"teacherModelConfig": {"teacherModelIdentifier": teacher}}}
    return {"customizationType": "DISTILLATION", "customizationConfig": config}


def test_a_teacher_that_became_legacy_is_refused() -> None:
    own = workflow()
    with rehearse(own) as rehearsal:
        models = rehearsal.bedrock.registry.foundation_models
        known = models["amazon.nova-micro-v1:0:128k"]
        models["amazon.nova-premier-v1:0"] = _changed(known, id="amazon.nova-premier-v1:0", lifecycle="LEGACY")
        cause = refused(rehearsal, own, "InvalidInput", **distillation(TEACHER))
    assert cause.startswith("customizationConfig.distillationConfig.teacherModelConfig.teacherModelIdentifier: ")
    assert "amazon.nova-premier-v1:0 has the status LEGACY. Choose a teacher that is active." in cause


def test_a_model_that_an_organization_denies_says_what_to_do() -> None:
    own = workflow()
    with rehearse(own) as rehearsal:
        denial = "User is not authorized to perform bedrock:GetFoundationModel with an explicit deny"
        rehearsal.faults.fail("GetFoundationModel", "Bedrock.AccessDeniedException", cause=denial)
        cause = refused(rehearsal, own, "InvalidInput")
    assert cause.startswith("baseModelIdentifier: the workflow may not read amazon.nova-micro-v1:0:128k (User is not")
    assert "explicit deny" in cause
    assert "a policy of the organization" in cause


def _changed(model: Any, **changes: Any) -> Any:
    return type(model)(**{**vars(model), **changes})


def test_a_quota_of_model_units_that_is_too_low_is_found_before_training() -> None:
    own = workflow("us-west-2", "provisioned")
    with rehearse(own, "prompt-completion") as rehearsal:
        rehearsal.bedrock.provisioned_models.no_commitment_units = 2
        cause = refused(rehearsal, own, "QuotaTooLow", baseModelIdentifier=LLAMA, candidates=[{}, {}, {}])
    assert "L-BE77399C" in cause
    assert "is 2 in this account and Region, and this run needs 3" in cause


def test_a_quota_that_cannot_be_asked_stops_nothing_and_is_a_warning() -> None:
    own = workflow("us-west-2", "provisioned")
    with rehearse(own, "prompt-completion") as rehearsal:
        rehearsal.faults.fail("servicequotas:getServiceQuota", "AccessDeniedException", times=2)
        run = rehearsal.run(own.state_machine, execution_input(baseModelIdentifier=LLAMA))
        assert run.status == "SUCCEEDED", run.cause
        (mail,) = rehearsal.inbox
    for code in ("L-C02E1E99", "L-BE77399C"):
        assert f"The quota {code} (" in mail.message
    assert "could not be asked, so it is not known whether the run fits: ServiceQuotas.AccessDenied" in mail.message


def test_where_a_quota_was_never_changed_the_default_counts() -> None:
    own = workflow("us-west-2", "provisioned")
    with rehearse(own, "prompt-completion") as rehearsal:
        rehearsal.faults.fail("servicequotas:getServiceQuota", "NoSuchResourceException", times=2)
        rehearsal.bedrock.provisioned_models.no_commitment_units = 0
        cause = refused(rehearsal, own, "QuotaTooLow", baseModelIdentifier=LLAMA)
    assert "is 0 in this account and Region, and this run needs 1" in cause


def test_a_job_that_does_not_begin_to_train_is_stopped_and_reported() -> None:
    own = workflow()
    with rehearse(own) as rehearsal:
        rehearsal.bedrock.jobs.stalls = True
        run = rehearsal.run(own.state_machine, execution_input())

        assert (run.status, run.error) == ("FAILED", "TrainingStalled")
        assert "12 hours after its creation its training had not begun" in run.cause
        assert 12 * 3600 <= run.duration < 14 * 3600
        assert rehearsal.bedrock.billed == []
        (job,) = rehearsal.bedrock.registry.jobs
        assert job.status in ("Stopping", "Stopped")
        (message,) = rehearsal.inbox
        assert "TrainingStalled" in message.message


def test_a_long_job_that_has_begun_is_left_alone() -> None:
    own = workflow()
    with rehearse(own) as rehearsal:
        rehearsal.bedrock.jobs.training_seconds = 20 * 3600
        run = rehearsal.run(own.state_machine, execution_input())
        assert run.status == "SUCCEEDED", run.cause
        assert run.duration > 20 * 3600


def test_a_watch_that_fails_does_not_fail_the_training() -> None:
    own = workflow()
    with rehearse(own) as rehearsal:
        rehearsal.faults.fail("LookAtTraining", "Bedrock.AccessDeniedException", times=100)
        run = rehearsal.run(own.state_machine, execution_input())
        assert run.status == "SUCCEEDED", run.cause


def test_a_model_that_the_catalogue_does_not_know_can_be_used_and_is_warned_of() -> None:
    own = workflow("us-east-1", "on-demand")
    with rehearse(own) as rehearsal:
        models = rehearsal.bedrock.registry.foundation_models
        known = models["amazon.nova-micro-v1:0:128k"]
        models["vendor.new-v1:0:9k"] = _changed(known, id="vendor.new-v1:0:9k", inference_id="vendor.new-v1:0")
        run = rehearsal.run(
            own.state_machine,
            execution_input(
                baseModelIdentifier="vendor.new-v1:0:9k", baseInferenceModelIdentifier="us.vendor.new-v1:0"
            ),
        )
        assert run.status == "SUCCEEDED", run.cause
        report_key = next(key for key in rehearsal.keys(own.results_bucket) if key.endswith("dataset-report.json"))
        report = json.loads(rehearsal.download(own.results_bucket, report_key))
    (finding,) = [finding for finding in report["findings"] if finding["kind"] == "unknownModel"]
    assert finding["severity"] == "warning"
    assert "'vendor.new-v1:0:9k' is not in the catalogue" in finding["details"][0]


def test_data_in_the_other_schema_are_converted_on_request() -> None:
    own = workflow()
    with rehearse(own, "prompt-completion") as rehearsal:
        rehearsal.upload(own.validation_bucket, "validation.jsonl", lines("prompt-completion", range(500, 510)))
        asked = execution_input(validationDataKey="validation.jsonl")
        run = rehearsal.run(own.state_machine, asked)
        assert run.error == "InvalidData"
        assert "convertData" in run.cause
        run = rehearsal.run(own.state_machine, asked | {"convertData": True})
        assert run.status == "SUCCEEDED", run.cause
        (job,) = rehearsal.bedrock.registry.jobs
        bucket, _, key = job.request["trainingDataConfig"]["s3Uri"].removeprefix("s3://").partition("/")
        assert key.split("/")[2:] == ["training", "data", "bedrock-conversation-2024", "training.jsonl"]
        converted = rehearsal.download(bucket, key)
    assert converted.splitlines()[0].startswith(b'{"schemaVersion": "bedrock-conversation-2024"')
    assert len(converted.splitlines()) == 110


def test_a_type_that_no_active_model_has_can_be_used_with_an_unknown_model() -> None:
    own = workflow("us-east-1", "on-demand")
    with rehearse(own, "input") as rehearsal:
        models = rehearsal.bedrock.registry.foundation_models
        known = models["amazon.nova-micro-v1:0:128k"]
        models["vendor.new-v1:0:9k"] = _changed(
            known,
            id="vendor.new-v1:0:9k",
            inference_id="vendor.new-v1:0",
            customizations=("CONTINUED_PRE_TRAINING",),
        )
        asked = execution_input(
            baseModelIdentifier="vendor.new-v1:0:9k",
            baseInferenceModelIdentifier="vendor.new-v1:0",
            customizationType="CONTINUED_PRE_TRAINING",
        )
        run = rehearsal.run(own.state_machine, asked)
        assert run.status == "SUCCEEDED", run.cause
        (job,) = rehearsal.bedrock.registry.jobs
        assert job.request["customizationType"] == "CONTINUED_PRE_TRAINING"


def test_a_custom_model_is_customized_further() -> None:
    own = workflow()
    with rehearse(own) as rehearsal:
        first = rehearsal.run(own.state_machine, execution_input())
        model = first.output["model"]["customModelArn"]
        run = rehearsal.run(own.state_machine, execution_input(baseModelIdentifier=model))
        assert run.status == "SUCCEEDED", run.cause
        _, job = rehearsal.bedrock.registry.jobs
        assert job.request["baseModelIdentifier"] == model
        assert set(run.output["evaluation"]["scores"]) == {"base", "custom"}
        assert "base (amazon.nova-micro-v1:0)" in rehearsal.inbox[1].message


@pytest.mark.parametrize(
    "base",
    [
        "us.amazon.nova-micro-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0",
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0",
    ],
)
def test_the_base_model_may_be_asked_by_profile_or_arn(base: str) -> None:
    own = workflow()
    with rehearse(own) as rehearsal:
        run = rehearsal.run(own.state_machine, execution_input(baseInferenceModelIdentifier=base))
        assert run.status == "SUCCEEDED", run.cause
        assert f"base ({base})" in rehearsal.inbox[0].message


def test_pairs_become_graded_prompts_for_a_reinforcement_on_request() -> None:
    own = workflow()
    with rehearse(own, "prompt-completion") as rehearsal:
        grader = {"graderConfig": {"lambdaGrader": {"lambdaArn": GRADER}}}
        run = rehearsal.run(
            own.state_machine,
            execution_input(
                baseModelIdentifier="amazon.nova-2-lite-v1:0:256k",
                customizationType="REINFORCEMENT_FINE_TUNING",
                customizationConfig={"rftConfig": grader},
                convertData=True,
            ),
        )
        assert run.status == "SUCCEEDED", run.cause
        (job,) = rehearsal.bedrock.registry.jobs
        bucket, _, key = job.request["trainingDataConfig"]["s3Uri"].removeprefix("s3://").partition("/")
        first = json.loads(rehearsal.download(bucket, key).splitlines()[0])
    question, answer = exchange(0)
    assert first == {"messages": [{"role": "user", "content": question}], "reference_answer": answer}


def test_a_line_that_conversion_would_change_is_refused_before_training() -> None:
    own = workflow("us-west-2", "provisioned")
    with rehearse(own) as rehearsal:
        several = lines("bedrock-conversation-2024", range(110))
        two_exchanges = json.loads(several.splitlines()[0])
        two_exchanges["messages"] *= 2
        rehearsal.upload(own.training_bucket, "train.jsonl", several + json.dumps(two_exchanges).encode() + b"\n")
        cause = refused(rehearsal, own, "InvalidData", baseModelIdentifier=LLAMA, convertData=True)
    assert "trainingDataKey: notConvertible, 1 time: line 111: a prompt and a completion cannot hold" in cause
