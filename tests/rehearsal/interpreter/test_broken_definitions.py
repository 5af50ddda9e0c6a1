"""A definition that is broken anywhere is refused or runs to an end; it never ends in a fault of the interpreter."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from bedrock_customization.rehearsal.interpreter.services import StateMachine, UnsupportedDefinitionError
from tests.rehearsal.interpreter.machines import ARN, CALL, GET, PUT, TestServices, run

CATCH = [
    {"ErrorEquals": ["States.ALL"], "Assign": {"e": "{% $states.errorOutput.Error %}"}, "Output": {}, "Next": "End"}
]
WHOLE: dict[str, Any] = {
    "QueryLanguage": "JSONata",
    "StartAt": "Choose",
    "TimeoutSeconds": 9999,
    "States": {
        "Choose": {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input.go %}", "Assign": {"a": 1}, "Output": {"go": 2}, "Next": "Call"}
            ],
            "Default": "End",
        },
        "Call": {
            "Type": "Task",
            "Resource": CALL,
            "Arguments": {"x": ["{% $a %}", None]},
            "TimeoutSeconds": 9,
            "HeartbeatSeconds": 3,
            "Retry": [
                {
                    "ErrorEquals": ["E"],
                    "IntervalSeconds": 1,
                    "MaxAttempts": 1,
                    "BackoffRate": 2,
                    "JitterStrategy": "FULL",
                }
            ],
            "Catch": CATCH,
            "Assign": {"b": "{% $states.result %}"},
            "Output": "{% $states.result.x %}",
            "Next": "Pause",
        },
        "Pause": {"Type": "Wait", "Seconds": 5, "Next": "Both"},
        "Both": {
            "Type": "Parallel",
            "Arguments": {"y": 1},
            "Branches": [{"StartAt": "One", "States": {"One": {"Type": "Pass", "Output": [1], "End": True}}}],
            "Catch": CATCH,
            "Next": "Each",
        },
        "Each": {
            "Type": "Map",
            "Items": "{% $states.input[0] %}",
            "MaxConcurrency": 2,
            "ItemSelector": {"v": "{% $states.context.Map.Item.Value %}"},
            "ItemProcessor": {"StartAt": "Two", "States": {"Two": {"Type": "Pass", "End": True}}},
            "Catch": CATCH,
            "Next": "Many",
        },
        "Many": {
            "Type": "Map",
            "Label": "Many",
            "ItemReader": {
                "Resource": GET,
                "Arguments": {"Bucket": "b", "Key": "k"},
                "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["h"], "MaxItems": 3},
            },
            "ItemBatcher": {"MaxItemsPerBatch": 2, "MaxInputBytesPerBatch": 500, "BatchInput": {"z": 1}},
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                "StartAt": "Three",
                "States": {"Three": {"Type": "Pass", "End": True}},
            },
            "ToleratedFailureCount": 1,
            "ToleratedFailurePercentage": 10,
            "ResultWriter": {
                "Resource": PUT,
                "Arguments": {"Bucket": "b", "Prefix": "p"},
                "WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSONL"},
            },
            "Next": "Bad",
        },
        "Bad": {"Type": "Fail", "Error": "{% 'E' %}", "Cause": "c"},
        "End": {"Type": "Succeed"},
    },
}
JUNK = [None, True, 0, -1, 1.5, "", "junk", [], {}, [[]], {"a": {}}, "{% 1 %}", "{% $none %}", "{% $sum %}", "{% ( %}"]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        yield (*path, key)
        yield from places(item, (*path, key))


def services() -> TestServices:
    return TestServices(objects={"k": b"1\n2\n3\n4\n"})


def test_unbroken_definition_runs() -> None:
    execution = run(StateMachine(ARN, WHOLE), {"go": True}, services())
    assert (execution.error, execution.cause) == ("E", "c")
    assert execution.states == [
        "Choose",
        "Call",
        "Pause",
        "Both",
        "One",
        "Each",
        "Two",
        "Many",
        "Three",
        "Three",
        "Bad",
    ]


@pytest.mark.parametrize("junk", JUNK, ids=json.dumps)
def test_broken_definition(junk: Any) -> None:
    for path in places(WHOLE):
        broken = copy.deepcopy(WHOLE)
        holder: Any = broken
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = junk
        try:
            execution = run(StateMachine(ARN, broken), {"go": True}, services())
        except UnsupportedDefinitionError as error:
            assert str(error).startswith("Machine: this definition cannot be rehearsed:\n- "), path
        else:
            assert execution.status in ("SUCCEEDED", "FAILED", "TIMED_OUT"), path


def test_definition_with_a_field_too_many_is_refused() -> None:
    for path in [(), *places(WHOLE)]:
        broken = copy.deepcopy(WHOLE)
        holder: Any = broken
        for key in path:
            holder = holder[key]
        free = {"Arguments", "Output", "BatchInput", "ItemSelector", "States", "Assign"}
        if isinstance(holder, dict) and not free & set(map(str, path)) - {"States"} and path[-1:] != ("States",):
            holder["Extra"] = 1
            with pytest.raises(UnsupportedDefinitionError, match="Extra at "):
                run(StateMachine(ARN, broken), {"go": True}, services())
