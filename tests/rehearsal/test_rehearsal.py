"""The public face: runs, virtual time, buckets, isolation."""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bedrock_customization.rehearsal import Rehearsal, UnsupportedDefinitionError
from tests.rehearsal.machines import machine, single, task

ECHO = single(
    "lambda:invoke", {"FunctionName": "echo", "Payload": "{% $states.input %}"}, Output="{% $states.result.Payload %}"
)
WAIT = machine(Wait={"Type": "Wait", "Seconds": 90, "End": True})


def test_run_gives_status_output_states_history_and_duration() -> None:
    rehearsal = Rehearsal.from_definitions({"Echo": ECHO}, handlers={"echo": lambda event, context: {"got": event}})

    run = rehearsal.run("Echo", {"a": 1}, name="first")

    assert (run.status, run.output, run.error, run.cause) == ("SUCCEEDED", {"got": {"a": 1}}, None, None)
    assert run.arn == "arn:aws:states:us-east-1:123456789012:execution:Echo:first"
    assert run.states == ["Call"]
    assert [event["type"] for event in run.history][:2] == ["ExecutionStarted", "TaskStateEntered"]
    assert rehearsal.executions[0].arn == run.arn


def test_virtual_time_goes_on_from_run_to_run() -> None:
    rehearsal = Rehearsal.from_definitions({"Wait": WAIT})

    first = rehearsal.run("Wait", {})
    rehearsal.wait(10)
    second = rehearsal.run("Wait", {})

    assert (first.started, first.duration, second.started, rehearsal.seconds) == (0, 90, 100, 190)
    assert second.history[0]["timestamp"].isoformat() == "2026-01-01T00:01:40+00:00"


def test_definitions_may_be_text_or_files(tmp_path: Path) -> None:
    (tmp_path / "wait.json").write_text(json.dumps(WAIT))
    rehearsal = Rehearsal.from_definitions({"Text": json.dumps(WAIT), "File": tmp_path / "wait.json"})

    assert [rehearsal.run(name, {}).duration for name in ("Text", "File")] == [90, 90]


def test_an_unknown_machine_is_refused_by_name_with_those_there_are() -> None:
    rehearsal = Rehearsal.from_definitions({"Wait": WAIT})

    with pytest.raises(KeyError, match="no state machine 'Weit'; there are Wait"):
        rehearsal.run("Weit", {})


@pytest.mark.parametrize(
    ("resource", "what"),
    [
        ("arn:aws:states:::aws-sdk:bedrok:getCustomModel", "no service 'bedrok'"),
        ("arn:aws:states:::aws-sdk:bedrock:getCostumModel", "no action 'getCostumModel'"),
        ("arn:aws:states:::aws-sdk:bedrock:GetCustomModel", "no action 'GetCustomModel'"),
        ("arn:aws:states:::aws-sdk:bedrock:createGuardrail", "does not simulate this call"),
        ("arn:aws:states:::aws-sdk:bedrock:getCustomModel.sync", "does not know '.sync'"),
        ("arn:aws:states:::ecs:runTask", "does not know ecs:runTask"),
        ("arn:aws:states:::lambda:invoke.waitForTaskToken", "waits for a task token"),
        ("arn:aws:states:us-east-1:123456789012:activity:paint", "is an activity, which has no worker here"),
        ("arn:aws:lambda:us-east-1:123456789012:function:gone", "Function not found"),
    ],
)
def test_an_unknown_resource_is_refused_before_anything_runs(resource: str, what: str) -> None:
    before = task("lambda:invoke", {"FunctionName": "echo"}, Next="Unknown")
    unknown = {"Type": "Task", "Resource": resource, "Arguments": {}, "End": True}
    called = []
    rehearsal = Rehearsal.from_definitions(
        {"M": machine(Before=before, Unknown=unknown)}, handlers={"echo": lambda event, context: called.append(event)}
    )

    with pytest.raises(UnsupportedDefinitionError, match=what) as refusal:
        rehearsal.run("M", {})

    assert "Unknown" in str(refusal.value)
    assert not called


def test_buckets_keep_what_is_uploaded_and_what_runs_write() -> None:
    put = single(
        "aws-sdk:s3:putObject", {"Bucket": "team-data", "Key": "out.json", "Body": {"n": "{% $states.input.n %}"}}
    )
    rehearsal = Rehearsal.from_definitions({"Put": put})
    rehearsal.upload("team-data", "in/a.txt", "hello")

    rehearsal.run("Put", {"n": 7})

    assert rehearsal.download("team-data", "in/a.txt") == b"hello"
    assert json.loads(rehearsal.download("team-data", "out.json")) == {"n": 7}
    assert rehearsal.keys("team-data") == ["in/a.txt", "out.json"]
    with pytest.raises(KeyError, match=r"'gone' is not in the bucket team-data; it has in/a\.txt, out\.json"):
        rehearsal.download("team-data", "gone")


def test_what_services_write_has_the_virtual_time() -> None:
    given = {"Name": "Model", "Value": "{}", "Type": "String"}
    states = {
        "Wait": {"Type": "Wait", "Seconds": 90, "Next": "Put"},
        "Put": task("aws-sdk:ssm:putParameter", given, Next="Get"),
        "Get": task("aws-sdk:ssm:getParameter", {"Name": "Model"}),
    }
    run = Rehearsal.from_definitions({"M": machine(**states)}).run("M", {})

    assert run.output["Parameter"]["LastModifiedDate"] == "2026-01-01T00:01:30.000Z", run.cause


def test_rehearsals_do_not_see_each_other() -> None:
    one, other = (Rehearsal.from_definitions({"Wait": WAIT}) for _ in range(2))
    one.upload("team-data", "a", "one")
    other.upload("team-data", "a", "other")
    one.run("Wait", {})

    assert (one.download("team-data", "a"), other.download("team-data", "a")) == (b"one", b"other")
    assert (one.seconds, other.seconds) == (90, 0)


def test_the_process_is_left_as_it_was_found() -> None:
    session = boto3.DEFAULT_SESSION
    environment = dict(os.environ)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="outer")
        with Rehearsal.from_definitions({"Echo": ECHO}, handlers={"echo": _list_buckets}) as rehearsal:
            rehearsal.upload("inner", "a", "")
            run = rehearsal.run("Echo", {})
        assert [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]] == ["outer"]

    assert run.output == ["inner"]
    assert dict(os.environ) == environment
    assert boto3.DEFAULT_SESSION is session


def test_garbage_is_searched_rarely_during_a_run_and_as_before_after_it() -> None:
    before = gc.get_threshold()
    during: set[tuple[int, int, int]] = set()
    rehearsal = Rehearsal.from_definitions({"Wait": WAIT}, observer=lambda run, event: during.add(gc.get_threshold()))
    rehearsal.run("Wait", {})
    assert during == {(5_000, *before[1:])}
    assert gc.get_threshold() == before


def _list_buckets(event: object, context: object) -> list[str]:
    return [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]]


def test_a_service_that_is_not_simulated_is_refused_and_never_called() -> None:
    def call(event: object, context: object) -> None:
        boto3.client("bedrock-agent").list_agents()

    rehearsal = Rehearsal.from_definitions({"Echo": ECHO}, handlers={"echo": call})

    run = rehearsal.run("Echo", {})

    assert run.error == "NotImplementedError"
    assert "bedrock-agent:ListAgents is not simulated" in str(run.cause)


def test_stop_aborts_the_run_at_a_state() -> None:
    pauses = machine(One={"Type": "Wait", "Seconds": 5, "Next": "Two"}, Two={"Type": "Wait", "Seconds": 5, "End": True})
    rehearsal = Rehearsal.from_definitions({"M": pauses})

    rehearsal.stop(at="Two")

    aborted = rehearsal.run("M", {})
    assert (aborted.status, aborted.duration, aborted.states) == ("ABORTED", 5, ["One", "Two"])
    assert rehearsal.run("M", {}).status == "SUCCEEDED"


def test_the_observer_is_told_every_event() -> None:
    seen = []
    rehearsal = Rehearsal.from_definitions(
        {"Wait": WAIT}, observer=lambda run, event: seen.append((run.name, event["type"]))
    )

    rehearsal.run("Wait", {}, name="watched")

    assert seen[0] == ("watched", "ExecutionStarted")
    assert seen[-1] == ("watched", "ExecutionSucceeded")


def test_the_library_alone_imports_none_of_what_rehearsals_need() -> None:
    code = (
        "import sys, bedrock_customization;"
        "print([name for name in ('boto3', 'botocore', 'moto', 'trio', 'jsonata', 'torch') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == "[]"


def test_a_stop_at_a_state_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^at: got 'Nope'; it must be one of the states Wait$"):
        Rehearsal.from_definitions({"M": WAIT}).stop(at="Nope")


def test_a_bucket_that_is_not_there_yet_is_named_with_the_remedy() -> None:
    put = single("aws-sdk:s3:putObject", {"Bucket": "team-data", "Key": "out", "Body": "text"})
    rehearsal = Rehearsal.from_definitions({"Put": put})

    with pytest.raises(KeyError, match="bucket: there is no bucket team-data; upload an object to it first"):
        rehearsal.keys("team-data")
    run = rehearsal.run("Put", {})
    assert run.error == "S3.NoSuchBucketException"
    assert "The specified bucket does not exist: team-data; " in run.cause
    assert "is there once rehearsal.upload() has put an object into it" in run.cause
    rehearsal.upload("team-data", "first", "")
    assert rehearsal.run("Put", {}).status == "SUCCEEDED"


@pytest.mark.parametrize(
    ("argument", "use"),
    [
        ("state_machine", lambda rehearsal, key: rehearsal.run(key, {})),
        ("bucket", lambda rehearsal, key: rehearsal.keys(key)),
        ("schedule", lambda rehearsal, key: rehearsal.fire(key)),
        ("alarm", lambda rehearsal, key: rehearsal.raise_alarm(key)),
    ],
)
def test_what_is_no_such_construct_is_refused_by_the_arguments_name(argument: str, use: Any) -> None:
    with pytest.raises(
        TypeError, match=rf"^{argument}: got .*object.*; it must be the construct, logical id, .* of an AWS"
    ):
        use(Rehearsal.from_definitions({"M": WAIT}), object())
