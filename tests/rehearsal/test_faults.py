"""Injected faults reach states and functions as AWS's own would."""

from typing import Any

import boto3
import pytest

from bedrock_customization.rehearsal import Rehearsal
from tests.rehearsal.bedrock.test_life_cycles import JOB, account, trained
from tests.rehearsal.machines import machine, single, task

GET = "aws-sdk:bedrock:getFoundationModel"
MICRO = {"ModelIdentifier": "amazon.nova-micro-v1:0"}
RETRY = [{"ErrorEquals": ["Bedrock.ThrottlingException"], "IntervalSeconds": 10, "MaxAttempts": 3, "BackoffRate": 1}]


def test_an_api_call_fails_as_often_as_asked() -> None:
    rehearsal = Rehearsal.from_definitions({"M": single(GET, MICRO, Retry=RETRY)})

    rehearsal.faults.fail("bedrock:getFoundationModel", "ThrottlingException", times=2)

    assert (run := rehearsal.run("M", {})).status == "SUCCEEDED"
    assert run.duration == 20
    rehearsal.faults.fail("bedrock:getFoundationModel", "ThrottlingException", times=9)
    failed = rehearsal.run("M", {})
    assert failed.error == "Bedrock.ThrottlingException"
    assert "Status Code: 429" in str(failed.cause)
    rehearsal.faults.clear()
    assert rehearsal.run("M", {}).status == "SUCCEEDED"


def test_a_state_fails_with_the_name_that_is_given() -> None:
    two = machine(First=task(GET, MICRO, Next="Second"), Second=task(GET, MICRO))
    rehearsal = Rehearsal.from_definitions({"M": two})

    rehearsal.faults.fail("Second", "States.DataLimitExceeded", cause="too large")

    run = rehearsal.run("M", {})
    assert (run.error, run.cause, run.states) == ("States.DataLimitExceeded", "too large", ["First", "Second"])


@pytest.mark.parametrize("at", ["Call", "bedrock:createProvisionedModelThroughput"])
def test_a_lost_response_leaves_what_was_bought(at: str) -> None:
    rehearsal, model = trained()

    rehearsal.faults.lose_response(at)

    run = rehearsal.run("provision", {"ModelUnits": 1, "ProvisionedModelName": "pt", "ModelId": model})
    assert run.error == "Bedrock.SdkClientException"
    assert [billed.name for billed in rehearsal.bedrock.billed] == ["pt"]


@pytest.mark.parametrize("at", ["Call", "bedrock:getFoundationModel"])
def test_a_call_that_hangs_is_ended_by_its_timeout(at: str) -> None:
    rehearsal = Rehearsal.from_definitions({"M": single(GET, MICRO, TimeoutSeconds=30)})

    rehearsal.faults.hang(at)

    run = rehearsal.run("M", {})
    assert (run.error, run.duration) == ("States.Timeout", 30)


def test_a_call_takes_longer() -> None:
    rehearsal = Rehearsal.from_definitions({"M": single(GET, MICRO)})

    rehearsal.faults.delay("Call", 45)

    assert [rehearsal.run("M", {}).duration for _ in range(2)] == [45, 0]


def test_functions_meet_faults_too() -> None:
    def read(event: Any, context: object) -> str:
        s3 = boto3.client("s3")
        try:
            s3.get_object(Bucket="team-data", Key="k")
        except s3.exceptions.ClientError as error:
            return str(error.response["Error"]["Code"])
        return "read"

    rehearsal = Rehearsal.from_definitions(
        {"M": single("lambda:invoke", {"FunctionName": "read"}, Output="{% $states.result.Payload %}")},
        handlers={"read": read},
    )
    rehearsal.upload("team-data", "k", "")
    rehearsal.faults.fail("s3:getObject", "SlowDown")

    assert [rehearsal.run("M", {}).output for _ in range(2)] == ["SlowDown", "read"]


def test_a_job_can_fail_or_stall() -> None:
    rehearsal = account()
    rehearsal.bedrock.jobs.failure = "Encountered an internal error when processing the request"
    assert "Encountered an internal error" in str(rehearsal.run("train", JOB).cause)

    rehearsal.bedrock.jobs.failure, rehearsal.bedrock.jobs.stalls = None, True
    rehearsal.run("start", {**JOB, "JobName": "stalls", "CustomModelName": "stalls"})
    rehearsal.wait(74 * 3600)
    job = rehearsal.run("getModelCustomizationJob", {"JobIdentifier": "stalls"}).output
    assert (job["Status"], job["StatusDetails"]["TrainingDetails"]["Status"]) == ("InProgress", "NotStarted")


def test_the_errors_of_a_call_are_those_that_the_api_declares() -> None:
    rehearsal = Rehearsal.from_definitions({"M": single(GET, MICRO)})

    assert "ServiceQuotaExceededException" in rehearsal.faults.errors_of("bedrock:createModelCustomizationJob")
    with pytest.raises(ValueError, match="'bedrock:createJob' is no API call"):
        rehearsal.faults.fail("bedrock:createJob", "ThrottlingException")


def test_a_fault_at_what_there_is_not_is_refused() -> None:
    """A state inside of another counts, and a state that calls nothing does not."""
    inner = {"StartAt": "Get", "States": {"Get": task(GET, MICRO)}}
    states = {
        "Each": {"Type": "Map", "Items": [1], "ItemProcessor": inner, "Next": "Both"},
        "Both": {"Type": "Parallel", "Branches": [single(GET, MICRO)], "Next": "Rest"},
        "Rest": {"Type": "Pass", "End": True},
    }
    faults = Rehearsal.from_definitions({"M": machine(**states)}).faults

    for at in ("Nope", "Rest", "Each"):
        with pytest.raises(ValueError, match=rf"^at: got '{at}'; .* or one of the Task states Call, Get$"):
            faults.hang(at)
    for at in ("Call", "Get"):
        faults.fail(at, "States.TaskFailed")
    assert faults.pending == ["Call", "Get"]
