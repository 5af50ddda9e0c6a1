"""Jobs, provisioned models and deployments live as Bedrock's do."""

import json
from typing import Any

import pytest

from bedrock_customization.rehearsal import Rehearsal, Run
from tests.rehearsal.machines import machine, single, task

BUCKET = "team-data"
MICRO = "amazon.nova-micro-v1:0:128k"
LINES = [
    {
        "prompt": f"Summarize.\n\nAnn: Hello there.\nBen: Shop {n} opens at {n} on Monday with fresh bread.",
        "completion": f"Shop {n} opens at {n}.",
    }
    for n in range(10)
]
JOB: dict[str, Any] = {
    "JobName": "job-1",
    "CustomModelName": "model-1",
    "RoleArn": "arn:aws:iam::123456789012:role/service",
    "BaseModelIdentifier": MICRO,
    "TrainingDataConfig": {"S3Uri": f"s3://{BUCKET}/train.jsonl"},
    "OutputDataConfig": {"S3Uri": f"s3://{BUCKET}/out/"},
}
CREATE_JOB = "bedrock:createModelCustomizationJob"
CREATE_PROVISIONED = "aws-sdk:bedrock:createProvisionedModelThroughput"
CREATE_DEPLOYMENT = "aws-sdk:bedrock:createCustomModelDeployment"
DYNAMIC = "{% $states.input %}"


def account(**definitions: Any) -> Rehearsal:
    """A rehearsal with training data and one machine for each API call that the tests make."""
    calls = {
        "train": single(f"{CREATE_JOB}.sync", DYNAMIC),
        "start": single(CREATE_JOB, DYNAMIC),
        "provision": single(CREATE_PROVISIONED, DYNAMIC),
        "deploy": single(CREATE_DEPLOYMENT, DYNAMIC),
        "converse": single("aws-sdk:bedrockruntime:converse", DYNAMIC),
        **{
            action: single(f"aws-sdk:bedrock:{action}", DYNAMIC)
            for action in (
                "getModelCustomizationJob",
                "listModelCustomizationJobs",
                "stopModelCustomizationJob",
                "getCustomModel",
                "listCustomModels",
                "deleteCustomModel",
                "getProvisionedModelThroughput",
                "listProvisionedModelThroughputs",
                "deleteProvisionedModelThroughput",
                "getCustomModelDeployment",
                "listCustomModelDeployments",
                "deleteCustomModelDeployment",
                "getFoundationModel",
                "listTagsForResource",
                "tagResource",
            )
        },
        **definitions,
    }
    rehearsal = Rehearsal.from_definitions(calls)
    rehearsal.upload(BUCKET, "train.jsonl", "\n".join(map(json.dumps, LINES)))
    return rehearsal


def trained() -> tuple[Rehearsal, str]:
    """A rehearsal with a custom model, and the model's ARN."""
    rehearsal = account()
    return rehearsal, rehearsal.run("train", JOB).output["OutputModelArn"]


def ask(model_id: str) -> dict[str, Any]:
    return {"ModelId": model_id, "Messages": [{"Role": "user", "Content": [{"Text": LINES[3]["prompt"]}]}]}


def refused(run: Run) -> str:
    assert run.status == "FAILED"
    return f"{run.error}: {run.cause}"


def test_a_job_takes_its_time_and_makes_a_model() -> None:
    rehearsal = account()

    run = rehearsal.run("train", {**JOB, "JobTags": [{"Key": "run", "Value": "7"}]})

    assert run.status == "SUCCEEDED"
    assert run.duration == 80 * 60
    job = run.output
    assert (job["Status"], job["JobName"], job["OutputModelName"]) == ("Completed", "job-1", "model-1")
    assert job["StatusDetails"]["TrainingDetails"]["Status"] == "Completed"
    assert job["EndTime"] == "2026-01-01T01:20:00.000Z"
    assert 0 < job["TrainingMetrics"]["TrainingLoss"] < 1
    model = rehearsal.run("getCustomModel", {"ModelIdentifier": job["OutputModelArn"]}).output
    assert (model["ModelName"], model["ModelStatus"], model["JobArn"]) == ("model-1", "Active", job["JobArn"])
    tags = rehearsal.run("listTagsForResource", {"ResourceARN": job["JobArn"]}).output["Tags"]
    assert tags == [{"Key": "run", "Value": "7"}]
    assert any(key.endswith("step_wise_training_metrics.csv") for key in rehearsal.keys(BUCKET, "out/"))
    assert rehearsal.bedrock.billed == []


def test_a_job_in_progress_is_billed_and_shows_its_stages() -> None:
    rehearsal = account()
    arn = rehearsal.run("start", JOB).output["JobArn"]

    rehearsal.wait(600)

    assert [
        (billed.kind, billed.name, billed.arn, billed.status, billed.since) for billed in rehearsal.bedrock.billed
    ] == [("model-customization-job", "job-1", arn, "InProgress", 0.0)]
    details = rehearsal.run("getModelCustomizationJob", {"JobIdentifier": "job-1"}).output["StatusDetails"]
    assert [
        details[stage]["Status"] for stage in ("ValidationDetails", "DataProcessingDetails", "TrainingDetails")
    ] == [
        "Completed",
        "InProgress",
        "NotStarted",
    ]


def test_a_stopped_job_ends_stopped_and_fails_the_task_that_waits() -> None:
    stops = machine(
        Both={
            "Type": "Parallel",
            "End": True,
            "Branches": [
                machine(Train=task(f"{CREATE_JOB}.sync", JOB)),
                machine(
                    Wait={"Type": "Wait", "Seconds": 300, "Next": "Stop"},
                    Stop=task("aws-sdk:bedrock:stopModelCustomizationJob", {"JobIdentifier": "job-1"}),
                ),
            ],
        }
    )
    for branch in stops["States"]["Both"]["Branches"]:
        del branch["QueryLanguage"]
    rehearsal = account(stops=stops)

    run = rehearsal.run("stops", {})

    assert run.error == "States.TaskFailed"
    assert json.loads(str(run.cause))["Status"] == "Stopped"
    assert run.duration == 360
    assert "ConflictException" in refused(rehearsal.run("stopModelCustomizationJob", {"JobIdentifier": "job-1"}))


def test_a_task_that_times_out_stops_its_job() -> None:
    rehearsal = account(slow=single(f"{CREATE_JOB}.sync", JOB, TimeoutSeconds=600))

    assert rehearsal.run("slow", {}).error == "States.Timeout"
    assert [billed.status for billed in rehearsal.bedrock.billed] == ["Stopping"]
    rehearsal.wait(60)
    assert rehearsal.bedrock.billed == []


def test_a_job_that_fails_fails_the_task_with_its_message() -> None:
    rehearsal = account()
    rehearsal.upload(BUCKET, "few.jsonl", json.dumps(LINES[0]))

    run = rehearsal.run("train", {**JOB, "TrainingDataConfig": {"S3Uri": f"s3://{BUCKET}/few.jsonl"}})

    assert run.error == "States.TaskFailed"
    job = json.loads(str(run.cause))
    assert job["Status"] == "Failed"
    assert "number of records 1 is outside the allowed range of 8 to 20000" in job["FailureMessage"]
    assert rehearsal.bedrock.billed == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"JobName": "job_1"}, "'job_1' at 'jobName' failed to satisfy constraint"),
        ({"CustomModelName": "two--hyphens"}, "at 'customModelName'"),
        ({"OutputDataConfig": {"S3Uri": "s3://team-data/a=b/"}}, "at 'outputDataConfig.s3Uri'"),
        ({"ClientRequestToken": "a_b"}, "at 'clientRequestToken'"),
        ({"BaseModelIdentifier": "amazon.nova-micro-v1:0"}, "model identifier is invalid"),
        (
            {"BaseModelIdentifier": "meta.llama3-1-8b-instruct-v1:0:128k"},
            "not supported in us-east-1, only in us-west-2",
        ),
        ({"BaseModelIdentifier": "cohere.command-light-text-v14:7:4k"}, "end of its life"),
        ({"HyperParameters": {"evalPercentage": "20"}}, "evalPercentage is not supported"),
        ({"HyperParameters": {"epochCount": "9"}}, "epochCount must be between 1 and 5, got 9"),
        ({"TrainingDataConfig": {"S3Uri": "s3://team-data/gone.jsonl"}}, "Could not read s3://team-data/gone.jsonl"),
        ({"CustomizationType": "REINFORCEMENT_FINE_TUNING"}, "REINFORCEMENT_FINE_TUNING is not supported"),
        ({"CustomizationType": "DISTILLATION"}, "distillationConfig is required"),
    ],
)
def test_a_job_that_bedrock_refuses_is_refused(change: dict[str, Any], message: str) -> None:
    reason = refused(account().run("start", {**JOB, **change}))

    assert "Bedrock." in reason
    assert message in reason


def test_job_names_are_taken_for_ever() -> None:
    rehearsal, _ = trained()
    rehearsal.run("deleteCustomModel", {"ModelIdentifier": "model-1"})

    assert "The provided job name is currently in use." in refused(rehearsal.run("start", JOB))


def test_the_same_token_buys_once() -> None:
    rehearsal = account()
    job = {**JOB, "ClientRequestToken": "token-1"}

    first, second = (rehearsal.run("start", job).output["JobArn"] for _ in range(2))

    assert first == second
    assert len(rehearsal.bedrock.billed) == 1


def test_training_concurrency_is_a_quota() -> None:
    rehearsal = account()
    for n in (1, 2):
        rehearsal.run("start", {**JOB, "JobName": f"j{n}", "CustomModelName": f"m{n}"})
    third = {**JOB, "JobName": "j3", "CustomModelName": "m3"}

    assert "Bedrock.ServiceQuotaExceededException" in refused(rehearsal.run("start", third))
    rehearsal.wait(80 * 60)
    assert rehearsal.run("start", third).status == "SUCCEEDED"


def test_provisioned_throughput_is_bought_used_and_deleted() -> None:
    rehearsal, model = trained()
    arn = rehearsal.run("provision", {"ModelUnits": 1, "ProvisionedModelName": "pt-1", "ModelId": model}).output[
        "ProvisionedModelArn"
    ]

    assert [(billed.kind, billed.status) for billed in rehearsal.bedrock.billed] == [("provisioned-model", "Creating")]
    assert "BedrockRuntime.ModelNotReadyException" in refused(rehearsal.run("converse", ask(arn)))
    assert "Bedrock.ConflictException" in refused(
        rehearsal.run("deleteProvisionedModelThroughput", {"ProvisionedModelId": "pt-1"})
    )
    rehearsal.wait(10 * 60)
    described = rehearsal.run("getProvisionedModelThroughput", {"ProvisionedModelId": "pt-1"}).output
    assert (described["Status"], described["ModelArn"], described["ModelUnits"]) == ("InService", model, 1)
    answer = rehearsal.run("converse", ask(arn)).output
    assert "opens at 3" in answer["Output"]["Message"]["Content"][0]["Text"]
    assert "Bedrock.ConflictException" in refused(rehearsal.run("deleteCustomModel", {"ModelIdentifier": "model-1"}))
    assert rehearsal.run("deleteProvisionedModelThroughput", {"ProvisionedModelId": arn}).status == "SUCCEEDED"
    assert rehearsal.bedrock.billed == []
    gone = refused(rehearsal.run("getProvisionedModelThroughput", {"ProvisionedModelId": "pt-1"}))
    assert "Bedrock.ResourceNotFoundException" in gone
    assert rehearsal.run("deleteCustomModel", {"ModelIdentifier": "model-1"}).status == "SUCCEEDED"


def test_only_a_token_protects_from_buying_provisioned_throughput_twice() -> None:
    rehearsal, model = trained()
    request = {"ModelUnits": 1, "ProvisionedModelName": "pt-1", "ModelId": model}

    for _ in range(2):
        rehearsal.run("provision", request)
    assert len(rehearsal.bedrock.billed) == 2
    assert "ServiceQuotaExceededException" in refused(rehearsal.run("provision", request))


def test_a_commitment_cannot_be_deleted_before_its_term() -> None:
    rehearsal, model = trained()
    request = {"ModelUnits": 1, "ProvisionedModelName": "pt-1", "ModelId": model, "CommitmentDuration": "OneMonth"}
    rehearsal.run("provision", request)
    delete = {"ProvisionedModelId": "pt-1"}

    rehearsal.wait(29 * 86_400)
    assert "before its commitment ends" in refused(rehearsal.run("deleteProvisionedModelThroughput", delete))
    rehearsal.wait(2 * 86_400)
    assert rehearsal.run("deleteProvisionedModelThroughput", delete).status == "SUCCEEDED"


def test_an_on_demand_deployment_becomes_active_and_answers() -> None:
    rehearsal, model = trained()
    request = {"ModelDeploymentName": "d-1", "ModelArn": model, "Tags": [{"Key": "run", "Value": "7"}]}
    arn = rehearsal.run("deploy", request).output["CustomModelDeploymentArn"]

    assert (
        rehearsal.run("getCustomModelDeployment", {"CustomModelDeploymentIdentifier": "d-1"}).output["Status"]
        == "Creating"
    )
    assert "name is currently in use" in refused(rehearsal.run("deploy", request))
    rehearsal.wait(8 * 60)
    found = rehearsal.run("listCustomModelDeployments", {"NameContains": "d-", "StatusEquals": "Active"}).output
    assert [item["CustomModelDeploymentName"] for item in found["ModelDeploymentSummaries"]] == ["d-1"]
    assert rehearsal.run("converse", ask(arn)).status == "SUCCEEDED"
    assert [billed.kind for billed in rehearsal.bedrock.billed] == ["custom-model-deployment"]
    rehearsal.run("deleteCustomModelDeployment", {"CustomModelDeploymentIdentifier": arn})
    assert rehearsal.bedrock.billed == []
    assert "BedrockRuntime.ResourceNotFoundException" in refused(rehearsal.run("converse", ask(arn)))


@pytest.mark.parametrize(
    ("model_id", "error"),
    [
        ("amazon.nova-micro-v1:0", None),
        ("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0", None),
        ("us.amazon.nova-micro-v1:0", None),
        ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0", None),
        (MICRO, "BedrockRuntime.ValidationException"),
        ("amazon.nova-nano-v1:0", "BedrockRuntime.ValidationException"),
        ("custom-model", "BedrockRuntime.ValidationException"),
        (
            "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl",
            "BedrockRuntime.ResourceNotFoundException",
        ),
        ("amazon.titan-text-lite-v1", "BedrockRuntime.ResourceNotFoundException"),
    ],
)
def test_which_model_ids_converse_takes(model_id: str, error: str | None) -> None:
    rehearsal, model = trained()

    assert rehearsal.run("converse", ask(model if model_id == "custom-model" else model_id)).error == error


def test_lists_are_filtered_and_come_in_pages() -> None:
    rehearsal = account()
    rehearsal.bedrock.jobs.concurrent_jobs = 10
    for n in range(5):
        rehearsal.run("start", {**JOB, "JobName": f"job-{n}", "CustomModelName": f"model-{n}"})
        rehearsal.wait(1)
    rehearsal.run("start", {**JOB, "JobName": "other", "CustomModelName": "other"})

    first = rehearsal.run(
        "listModelCustomizationJobs", {"NameContains": "job", "MaxResults": 3, "SortOrder": "Descending"}
    ).output
    assert [job["JobName"] for job in first["ModelCustomizationJobSummaries"]] == ["job-4", "job-3", "job-2"]
    rest = rehearsal.run(
        "listModelCustomizationJobs",
        {"NameContains": "job", "MaxResults": 3, "SortOrder": "Descending", "NextToken": first["NextToken"]},
    ).output
    assert [job["JobName"] for job in rest["ModelCustomizationJobSummaries"]] == ["job-1", "job-0"]
    assert "NextToken" not in rest


def test_foundation_models_tell_their_life_cycle() -> None:
    rehearsal = account()

    active = rehearsal.run("getFoundationModel", {"ModelIdentifier": MICRO}).output["ModelDetails"]
    retired = rehearsal.run("getFoundationModel", {"ModelIdentifier": "cohere.command-light-text-v14:7:4k"}).output
    assert active["ModelLifecycle"] == {"Status": "ACTIVE"}
    assert "FINE_TUNING" in active["CustomizationsSupported"]
    assert retired["ModelDetails"]["ModelLifecycle"] == {"Status": "LEGACY"}
