"""An error in words, whatever its cause is wrapped in, and wherever Step Functions cut it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bedrock_customization.rehearsal.interpreter.jsonata import Expression
from bedrock_customization.rehearsal.interpreter.jsonata_functions import STATIC_FUNCTIONS
from bedrock_customization.rehearsal.interpreter.jsonata_values import encode
from bedrock_customization.states.first_error import first_error

_EXPRESSION = Expression(first_error("$error.Error", "$error.Cause").removeprefix("{% ").removesuffix(" %}"))
QUOTES = 'The value of "epochCount", "20", is not allowed: give 1 to 5 in {"hyperParameters": {"epochCount": "5"}}'
KILLED = "RequestId: 8a1c Error: Runtime exited with error: signal: killed"
LATE = "2026-01-01T00:15:00.000Z 8a1c Task timed out after 900.00 seconds"
EVALUATION = "arn:aws:states:us-east-1:123456789012:execution:Evaluation:0123456789abcdef-evaluation-0"


def told(error: str, cause: str | None) -> tuple[str, str]:
    """What is told of an error, as error and cause."""
    output = {"Error": error} if cause is None else {"Error": error, "Cause": cause}
    words: dict[str, Any] = _EXPRESSION.evaluate({**STATIC_FUNCTIONS, "error": encode(output)}, "Assign")
    assert list(words) == ["error", "cause"]
    return words["error"], words["cause"]


def compact(value: Any) -> str:
    """JSON as Step Functions writes it."""
    return json.dumps(value, separators=(",", ":"))


def child(cause: str | None, error: str = "InvalidInput", **fields: Any) -> str:
    """A child execution as the cause of `startExecution.sync:2` describes it."""
    described = {"ExecutionArn": EVALUATION, "Status": "FAILED", "Input": {"baseline": ["base"]}, **fields}
    if cause is not None:
        described |= {"Error": error, "Cause": cause}
    return compact(described)


def job(**fields: Any) -> str:
    """A training job as the cause of `createModelCustomizationJob.sync` describes it."""
    described = {"JobArn": "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/x", "JobName": "support-1"}
    return compact({**described, "Status": "Failed", "HyperParameters": {"epochCount": "20"}, **fields})


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "message", ["line 3: no prompt", QUOTES, "one\n  two\\n\tthree", "Grüße, 日本 \U0001f600", "ends with \\"]
)
@pytest.mark.parametrize("type_first", [False, True])
def test_a_functions_error_is_told_in_whatever_order_lambda_writes_it(
    type_first: bool, message: str, indent: int | None
) -> None:
    payload = {
        "errorMessage": message,
        "errorType": "InvalidData",
        "requestId": "8a1c",
        "stackTrace": ['  File "a.py"\n'],
    }
    if type_first:
        payload = dict(sorted(payload.items(), reverse=True))
    assert told("Lambda.AWSLambdaException", json.dumps(payload, indent=indent)) == ("InvalidData", message)


@pytest.mark.parametrize(
    ("error", "payload", "words"),
    [
        ("Runtime.ExitError", {"errorType": "Runtime.ExitError", "errorMessage": KILLED}, "ran out of memory"),
        ("Runtime.OutOfMemory", {"errorMessage": "Error: Out of memory"}, "ran out of memory"),
        ("Sandbox.Timedout", {"errorType": "Sandbox.Timedout", "errorMessage": LATE}, "took longer than it may"),
        ("Lambda.Unknown", {"errorMessage": LATE}, "took longer than it may"),
    ],
)  # fmt: skip
def test_of_a_function_that_was_killed_it_is_told_why_and_what_to_do(
    error: str, payload: dict[str, str], words: str
) -> None:
    expected = f"The function {words} ({payload['errorMessage']}). Give fewer or shorter records, and start again."
    assert told(error, compact(payload)) == (error, expected)
    assert told("States.TaskFailed", child(compact(payload), error)) == (error, expected)


def test_what_a_function_waited_for_in_vain_is_not_told_as_its_own_time_out() -> None:
    message = "The evaluator timed out after 60 seconds."
    assert told("InvalidInput", compact({"errorMessage": message, "errorType": "InvalidInput"}))[1] == message


def test_the_payload_of_a_function_whose_error_has_no_type_is_told_in_words() -> None:
    cause = (
        "The cause could not be determined because Lambda did not return an error type. Returned payload: "
        + compact({"errorMessage": LATE})
    )
    error, words = told("Lambda.Unknown", cause)
    assert error == "Lambda.Unknown"
    assert words.startswith("The function took longer than it may (2026-01-01T")


@pytest.mark.parametrize("message", ["Encountered an internal error", QUOTES, 'say "no"', ""])
def test_a_training_jobs_failure_is_told_to_its_end(message: str) -> None:
    expected = message or "No cause was given. The history of the execution shows which state it was."
    assert told("States.TaskFailed", job(FailureMessage=message)) == ("TrainingFailed", expected)
    assert told("States.TaskFailed", job(FailureMessage=message, ZLast="x")) == ("TrainingFailed", expected)
    assert told("States.TaskFailed", child(job(FailureMessage=message), "States.TaskFailed"))[1] == expected


def test_a_training_job_without_a_failure_message_is_told_by_its_status() -> None:
    assert told("States.TaskFailed", job(Status="Stopped", StatusDetails={})) == (
        "TrainingFailed",
        "The training job support-1 has the status Stopped.",
    )


DENIED = 'Denied by {"Sid": "DenyAll", "Effect": "Deny"}; ask for "s3:GetObject", "x": "y" (Service: S3)'


@pytest.mark.parametrize(
    "cause", [DENIED, QUOTES, "plain", 'a "quoted", "Error": "b"', "C:\\temp\\new", 'back\\"slash']
)
@pytest.mark.parametrize("levels", range(4))
def test_the_error_of_a_child_is_told_to_its_end_however_deep_it_lies(cause: str, levels: int) -> None:
    error, text = "S3.AccessDenied", cause
    for _ in range(levels):
        error, text = "States.TaskFailed", child(text, error)
    assert told(error, text) == ("S3.AccessDenied", cause)


def test_the_fields_of_a_child_can_come_in_any_order() -> None:
    described = {"Cause": DENIED, "Error": "S3.AccessDenied", "ExecutionArn": EVALUATION, "Input": '{"Cause":"x"}'}
    assert told("States.TaskFailed", compact(described)) == ("S3.AccessDenied", DENIED)
    assert told("States.TaskFailed", compact(dict(reversed(described.items())))) == ("S3.AccessDenied", DENIED)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"Status": "ABORTED"}, f"The execution {EVALUATION} was stopped."),
        (
            {"Status": "TIMED_OUT"},
            f"The execution {EVALUATION} took longer than it may. Raise the timeout of the EvaluationWorkflow.",
        ),
        (
            {"Status": "TIMED_OUT", "ExecutionArn": "arn:release"},
            "The execution arn:release took longer than it may.",
        ),
        ({"Status": "FAILED"}, f"The execution {EVALUATION} failed."),
    ],
)
def test_a_child_without_an_error_is_told_by_its_status(fields: dict[str, str], words: str) -> None:
    assert told("States.TaskFailed", child(None, **fields)) == ("States.TaskFailed", words)


@pytest.mark.parametrize("cause", [None, ""])
def test_an_error_without_a_cause_has_words(cause: str | None) -> None:
    shows = "The history of the execution shows which state it was."
    assert told("States.Timeout", cause) == ("States.Timeout", f"A call got no answer in time. {shows}")
    assert told("States.TaskFailed", cause) == ("States.TaskFailed", f"No cause was given. {shows}")
    assert told("States.TaskFailed", child("", "States.Timeout"))[1] == f"A call got no answer in time. {shows}"
    assert told("States.TaskFailed", child(None, Error="States.Timeout"))[0] == "States.Timeout"


@pytest.mark.parametrize(
    "text", ["plain", "{not JSON", '{"fields": "that nobody knows"}', '  {"a"', 'say {"Cause":"x"}']
)
def test_what_is_not_known_is_told_as_it_is(text: str) -> None:
    assert told("Some.Error", text) == ("Some.Error", text)


@pytest.mark.parametrize(
    "whole",
    [
        compact({"errorMessage": QUOTES, "errorType": "InvalidData"}),
        child(child(compact({"errorType": "InvalidData", "errorMessage": QUOTES}), "InvalidData"), "States.TaskFailed"),
        job(FailureMessage=QUOTES),
        child("Grüße \U0001f600 " + QUOTES, "InvalidData"),
    ],
)
def test_a_text_that_was_cut_anywhere_is_told(whole: str) -> None:
    messages = set()
    for end in range(len(whole)):
        error, cause = told("States.TaskFailed", whole[:end])
        assert error
        assert cause
        messages.add(cause)
    # The longest beginnings of the message are told without the JSON around it.
    assert QUOTES[:-1] in {message.removeprefix("Grüße \U0001f600 ") for message in messages}


def test_a_long_cause_is_cut_and_read_in_time() -> None:
    text = '"quoted" line\n' * 2300
    assert told("States.TaskFailed", child(child(compact({"errorMessage": text, "errorType": "E"}), "E"))) == (
        "E",
        text[:8000],
    )
