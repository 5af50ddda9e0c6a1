"""Pass, Succeed, Fail, Wait and Choice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rehearsal.interpreter.machines import chain, run, types


@pytest.mark.parametrize("kind", ["Pass", "Succeed"])
@pytest.mark.parametrize(
    ("fields", "expected"),
    [({}, {"a": 1}), ({"Output": None}, None), ({"Output": {}}, {}), ({"Output": "{% $states.input.a %}"}, 1)],
)
def test_output(kind: str, fields: dict[str, Any], expected: Any) -> None:
    execution = run(chain({"Type": kind, **fields}), {"a": 1})
    assert (execution.status, execution.output) == ("SUCCEEDED", expected)
    assert types(execution) == ["ExecutionStarted", f"{kind}StateEntered", f"{kind}StateExited", "ExecutionSucceeded"]


@pytest.mark.parametrize(
    ("fields", "error", "cause"),
    [
        ({"Error": "E", "Cause": "c"}, "E", "c"),
        ({"Error": "{% $states.input.e %}", "Cause": "{% 'c' & $states.context.State.Name %}"}, "Own", "cS1"),
        ({"Cause": "c"}, None, "c"),
        ({}, None, None),
        (
            {"Error": "{% 1 %}"},
            "States.QueryEvaluationError",
            "An error occurred while executing the state 'S1' (entered at the event id #2). The JSONata expression '1' "
            "specified for the field 'Error' returned an unexpected result type. Expected 'string', but was 'number' "
            "for value: 1",
        ),
    ],
)
def test_fail(fields: dict[str, Any], error: str | None, cause: str | None) -> None:
    execution = run(chain({"Type": "Fail", **fields}), {"e": "Own"})
    assert (execution.status, execution.error, execution.cause) == ("FAILED", error, cause)
    details = {key: value for key, value in (("error", error), ("cause", cause)) if value is not None}
    assert execution.history[-1]["executionFailedEventDetails"] == details
    assert "FailStateExited" not in types(execution)


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"Seconds": 7}, 7),
        ({"Seconds": 0}, 0),
        ({"Seconds": "{% $states.input * 60 %}"}, 180),
        ({"Timestamp": "2026-01-01T01:00:00Z"}, 3600),
        ({"Timestamp": "2026-01-01T01:00:00.5+00:00"}, 3600.5),
        ({"Timestamp": "2025-12-31T00:00:00Z"}, 0),
        ({"Timestamp": "{% $fromMillis($millis() + 2000) %}"}, 2),
    ],
)
def test_wait(fields: dict[str, Any], seconds: float) -> None:
    execution = run(chain({"Type": "Wait", **fields}), 3)
    assert (execution.status, execution.duration, execution.output) == ("SUCCEEDED", seconds, 3)


@pytest.mark.parametrize(
    "fields",
    [
        {"Seconds": "{% 'soon' %}"},
        {"Seconds": "{% -1 %}"},
        {"Seconds": "{% 1.5 %}"},
        {"Timestamp": "{% 'tomorrow' %}"},
        {"Timestamp": "{% '2026-01-01 00:00:00Z' %}"},
        {"Timestamp": "{% '2026-01-01T00:00:00' %}"},
        {"Timestamp": "{% '2026-13-01T00:00:00Z' %}"},
        {"Timestamp": "{% 5 %}"},
    ],
)
def test_wait_for_what_is_no_time_fails(fields: dict[str, Any]) -> None:
    execution = run(chain({"Type": "Wait", **fields}))
    assert (execution.status, execution.error) == ("FAILED", "States.QueryEvaluationError")


CHOICES = [
    {"Condition": "{% $states.input.n > 10 %}", "Next": "Big"},
    {"Condition": "{% $states.input.n > 5 %}", "Output": "{% 'got ' & $states.input.n %}", "Next": "Middle"},
    {"Condition": False, "Next": "Never"},
]
ENDS = {name: {"Type": "Succeed"} for name in ("Big", "Middle", "Never", "Small")}


@pytest.mark.parametrize(
    ("number", "state", "output"), [(11, "Big", {"n": 11}), (6, "Middle", "got 6"), (5, "Small", {"n": 5})]
)
def test_choice_takes_the_first_rule_that_holds(number: int, state: str, output: Any) -> None:
    execution = run({"C": {"Type": "Choice", "Choices": CHOICES, "Default": "Small"}, **ENDS}, {"n": number})
    assert (execution.states, execution.output) == (["C", state], output)


def test_choice_without_a_match_or_default_fails_as_recorded() -> None:
    ends = {name: end for name, end in ENDS.items() if name != "Small"}
    execution = run({"C": {"Type": "Choice", "Choices": CHOICES}, **ends}, {"n": 1})
    assert execution.error == "States.Runtime"
    assert execution.cause == (
        "An error occurred while executing the state 'C' (entered at the event id #2). Failed to transition out of the "
        "state. The state does not point to a next state."
    )
    assert types(execution) == ["ExecutionStarted", "ChoiceStateEntered", "ExecutionFailed"]


@pytest.mark.parametrize("condition", ["{% 1 %}", "{% 'true' %}", "{% null %}", "{% $states.input.absent %}"])
def test_condition_must_be_a_boolean(condition: str) -> None:
    choices = [{"Condition": condition, "Next": "S"}]
    execution = run({"C": {"Type": "Choice", "Choices": choices, "Default": "S"}, "S": {"Type": "Succeed"}})
    assert execution.error == "States.QueryEvaluationError"
    assert execution.history[-2]["evaluationFailedEventDetails"]["location"] == "Choices[0]/Condition"


def test_rules_after_the_one_that_holds_are_not_evaluated() -> None:
    choices = [{"Condition": True, "Next": "S"}, {"Condition": "{% $states.input.absent %}", "Next": "S"}]
    assert run({"C": {"Type": "Choice", "Choices": choices}, "S": {"Type": "Succeed"}}).status == "SUCCEEDED"


@pytest.mark.parametrize(("size", "error"), [(262_144, None), (262_145, "States.DataLimitExceeded")])
@pytest.mark.parametrize("character", ["a", "é", "😀"])
def test_output_is_limited_to_256_kib_of_utf8(size: int, error: str | None, character: str) -> None:
    width = len(character.encode())
    text = character * ((size - 2) // width) + "a" * ((size - 2) % width)
    states = chain({"Type": "Pass", "Output": text})
    execution = run(states)
    assert execution.error == error
    if error:
        assert execution.cause == (
            "The state/task 'S1' returned a result with a size exceeding the maximum number of bytes service limit."
        )


def test_assigned_variables_are_limited_to_256_kib_a_state() -> None:
    half = "x" * 140_000
    assert run(chain({"Type": "Pass", "Assign": {"a": half}, "Output": 1})).status == "SUCCEEDED"
    execution = run(chain({"Type": "Pass", "Assign": {"a": half, "b": half}, "Output": 1}))
    assert execution.error == "States.DataLimitExceeded"


def test_variables_are_limited_to_10_mib_an_execution() -> None:
    states = [
        {"Type": "Pass", "Assign": {f"v{number}": "{% $pad('', 262000, 'x') %}"}, "Output": 1} for number in range(41)
    ]
    assert run(chain(*states[:40])).status == "SUCCEEDED"
    assert run(chain(*states)).error == "States.DataLimitExceeded"


def test_moment_that_cannot_be_read_is_named_as_recorded() -> None:
    execution = run(chain({"Type": "Wait", "Timestamp": "{% '2026/02/03' %}"}))
    said = "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: 2026/02/03"
    assert execution.cause == f"An error occurred while executing the state 'S1' (entered at the event id #2). {said}"
    assert execution.history[-2]["evaluationFailedEventDetails"]["location"] == "Timestamp"
