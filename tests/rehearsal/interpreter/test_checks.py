"""What is refused before anything runs, as CreateStateMachine does or because it cannot be rehearsed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bedrock_customization.rehearsal.interpreter.engine import Interpreter
from bedrock_customization.rehearsal.interpreter.services import StateMachine, UnsupportedDefinitionError
from tests.rehearsal.interpreter.machines import ARN, CALL, GET, PUT, SYNC, TestServices, chain, machine, run

PASS = {"Type": "Pass", "End": True}
TASK = {"Type": "Task", "Resource": CALL, "End": True}
BLOCK = {"StartAt": "In", "States": {"In": PASS}}
STANDARD = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **BLOCK}
EXPRESS = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}, **BLOCK}
READER = {"Resource": GET, "Arguments": {"Bucket": "b", "Key": "k"}, "ReaderConfig": {"InputType": "JSONL"}}


def definition(states: Any = None, **fields: Any) -> StateMachine:
    states = {"S": PASS} if states is None else states
    start = next(iter(states), "S") if isinstance(states, dict) else "S"
    whole = {"QueryLanguage": "JSONata", "StartAt": start, "States": states, **fields}
    return StateMachine(ARN, {key: value for key, value in whole.items() if value is not ...})


def refused(source: StateMachine) -> str:
    services = TestServices()
    with pytest.raises(UnsupportedDefinitionError) as caught:
        run(source, services=services)
    assert services.calls == []
    return str(caught.value)


def map_state(processor: dict[str, Any] = STANDARD, **fields: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}


def parallel(block: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "Parallel", "Branches": [block], "End": True}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"StartAt": ...}, "StartAt at /: missing; allowed: S"),
        ({"StartAt": "T"}, "StartAt at /: got 'T', which is not a state here; allowed: S"),
        ({"States": ...}, "States at /: missing or empty"),
        ({"States": {}}, "States at /: missing or empty"),
        (
            {"Foo": 1},
            "Foo at /: unknown field; allowed here: Comment, QueryLanguage, StartAt, States, TimeoutSeconds, Version",
        ),
        ({"Comment": "x" * 1_048_576}, "definition at /: got 10"),
        ({"Version": "2.0"}, "Version at /: got '2.0'; allowed: '1.0'"),
        ({"TimeoutSeconds": 0}, "TimeoutSeconds at /: got 0; allowed: whole numbers, 1 to 99999999"),
        ({"TimeoutSeconds": "{% 5 %}"}, "TimeoutSeconds at /: got '{% 5 %}'"),
        ({"QueryLanguage": "JSON"}, "QueryLanguage at /: got 'JSON'; allowed: JSONata, JSONPath"),
    ],
)
def test_refused_machine(fields: dict[str, Any], said: str) -> None:
    assert said in refused(definition(**fields))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (
            {"Type": "Activity", "End": True},
            "Type at /States/S: got 'Activity'; allowed: Choice, Fail, Map, Parallel, Pass, Succeed, Task, Wait",
        ),
        ({"End": True}, "Type at /States/S: got None"),
        ("Pass", "state at /States/S: got str"),
        ({**PASS, "Retyr": []}, "Retyr at /States/S: unknown field; allowed here: Assign, Comment, End, Next, Output"),
        ({**PASS, "Result": 1}, "Result at /States/S: belongs to JSONPath, not to JSONata"),
        ({**PASS, "Catch": []}, "Catch at /States/S: unknown field"),
        ({**TASK, "Parameters": {}}, "Parameters at /States/S: belongs to JSONPath"),
        ({**TASK, "ResultPath": None}, "ResultPath at /States/S: belongs to JSONPath"),
        (
            {**TASK, "Credentials": {"RoleArn": "r"}},
            "Credentials at /States/S: is a field of Step Functions that cannot be rehearsed",
        ),
        (
            {**PASS, "QueryLanguage": "JSONPath"},
            "QueryLanguage at /States/S: 'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole",
        ),
        (
            {**PASS, "QueryLanguage": "JMESPath"},
            "QueryLanguage at /States/S: got 'JMESPath'; allowed: JSONata, JSONPath",
        ),
        ({"Type": "Pass"}, "Next at /States/S: exactly one of Next and End: true is needed"),
        ({**PASS, "Next": "S"}, "Next at /States/S: exactly one of Next and End: true is needed"),
        ({"Type": "Pass", "Next": "T"}, "Next at /States/S: got 'T', which is not a state here; allowed: S"),
        ({**PASS, "End": "true"}, "End at /States/S: got 'true'"),
        ({"Type": "Succeed", "End": True}, "End at /States/S: unknown field; allowed here: Comment, Output"),
        ({"Type": "Fail", "Output": 1}, "Output at /States/S: unknown field; allowed here: Cause, Comment, Error"),
        ({"Type": "Fail", "Error": 5}, "Error at /States/S: got 5; a string is needed"),
        ({**PASS, "Assign": []}, "Assign at /States/S: got []"),
        ({**PASS, "Assign": {"states": 1}}, "Assign/states at /States/S: not a variable's name"),
        ({**PASS, "Assign": {"a-b": 1}}, "Assign/a-b at /States/S: not a variable's name"),
        ({**PASS, "Assign": {"1a": 1}}, "Assign/1a at /States/S: not a variable's name"),
        ({**PASS, "Comment": 5}, "Comment at /States/S: got 5"),
        # Task
        ({"Type": "Task", "End": True}, "Resource at /States/S: got None; an ARN is needed"),
        (
            {**TASK, "Resource": "arn:aws:states:::aws-sdk:foo:bar"},
            "Resource at /States/S: got 'arn:aws:states:::aws-sdk:foo:bar'",
        ),
        ({**TASK, "TimeoutSeconds": 0}, "TimeoutSeconds at /States/S: got 0"),
        ({**TASK, "TimeoutSeconds": 1.5}, "TimeoutSeconds at /States/S: got 1.5"),
        ({**TASK, "TimeoutSeconds": True}, "TimeoutSeconds at /States/S: got True"),
        (
            {**TASK, "TimeoutSeconds": 5, "HeartbeatSeconds": 5},
            "HeartbeatSeconds at /States/S: got 5; it must be smaller",
        ),
        # Wait
        ({"Type": "Wait", "End": True}, "Seconds at /States/S: exactly one of Seconds and Timestamp"),
        (
            {"Type": "Wait", "End": True, "Seconds": 1, "Timestamp": "2026-01-01T00:00:00Z"},
            "exactly one of Seconds and Timestamp",
        ),
        ({"Type": "Wait", "End": True, "Seconds": -1}, "Seconds at /States/S: got -1"),
        ({"Type": "Wait", "End": True, "Seconds": "5"}, "Seconds at /States/S: got '5'"),
        ({"Type": "Wait", "End": True, "Timestamp": "2026-01-01"}, "Timestamp at /States/S: got '2026-01-01'"),
        ({"Type": "Wait", "End": True, "SecondsPath": "$.a"}, "SecondsPath at /States/S: belongs to JSONPath"),
        # Choice
        ({"Type": "Choice"}, "Choices at /States/S: missing or empty"),
        ({"Type": "Choice", "Choices": []}, "Choices at /States/S: missing or empty"),
        ({"Type": "Choice", "Choices": [{"Next": "S"}]}, "Choices[0]/Condition at /States/S: got None"),
        (
            {"Type": "Choice", "Choices": [{"Condition": "yes", "Next": "S"}]},
            "Choices[0]/Condition at /States/S: got 'yes'",
        ),
        ({"Type": "Choice", "Choices": [{"Condition": True}]}, "Choices[0]/Next at /States/S: got None"),
        ({"Type": "Choice", "Choices": [{"Condition": True, "Next": "T"}]}, "Choices[0]/Next at /States/S: got 'T'"),
        (
            {"Type": "Choice", "Choices": [{"Variable": "$.a", "Next": "S"}]},
            "Choices[0]/Variable at /States/S: belongs to JSONPath",
        ),
        (
            {"Type": "Choice", "Choices": [{"Condition": True, "Next": "S"}], "Default": "T"},
            "Default at /States/S: got 'T'",
        ),
        (
            {"Type": "Choice", "Choices": [{"Condition": True, "Next": "S"}], "Next": "S"},
            "Next at /States/S: unknown field",
        ),
        ({"Type": "Choice", "Choices": [{"Condition": True, "Next": "S"}]}, "States at /: no terminal state"),
        # Retry and Catch
        ({**TASK, "Retry": {}}, "Retry at /States/S: got {}; an array is needed"),
        ({**TASK, "Retry": [{}]}, "Retry[0]/ErrorEquals at /States/S: got None"),
        ({**TASK, "Retry": [{"ErrorEquals": []}]}, "Retry[0]/ErrorEquals at /States/S: got []"),
        (
            {**TASK, "Retry": [{"ErrorEquals": ["States.ALL", "E"]}]},
            "Retry[0]/ErrorEquals at /States/S: States.ALL must stand alone, in the last entry",
        ),
        (
            {**TASK, "Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]},
            "Retry[0]/ErrorEquals at /States/S: States.ALL must stand alone",
        ),
        (
            {**TASK, "Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 0}]},
            "Retry[0]/IntervalSeconds at /States/S: got 0",
        ),
        ({**TASK, "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": -1}]}, "Retry[0]/MaxAttempts at /States/S: got -1"),
        ({**TASK, "Retry": [{"ErrorEquals": ["E"], "BackoffRate": 0.5}]}, "Retry[0]/BackoffRate at /States/S: got 0.5"),
        (
            {**TASK, "Retry": [{"ErrorEquals": ["E"], "MaxDelaySeconds": 31622401}]},
            "Retry[0]/MaxDelaySeconds at /States/S",
        ),
        ({**TASK, "Retry": [{"ErrorEquals": ["E"], "MaxDelaySeconds": 1}]}, "it must exceed IntervalSeconds"),
        (
            {**TASK, "Retry": [{"ErrorEquals": ["E"], "JitterStrategy": "HALF"}]},
            "Retry[0]/JitterStrategy at /States/S: got 'HALF'; allowed: NONE, FULL",
        ),
        ({**TASK, "Retry": [{"ErrorEquals": ["E"], "Foo": 1}]}, "Retry[0]/Foo at /States/S: unknown field"),
        ({**TASK, "Catch": [{"ErrorEquals": ["E"]}]}, "Catch[0]/Next at /States/S: got None"),
        ({**TASK, "Catch": [{"ErrorEquals": ["E"], "Next": "T"}]}, "Catch[0]/Next at /States/S: got 'T'"),
        (
            {**TASK, "Catch": [{"ErrorEquals": ["E"], "Next": "S", "ResultPath": "$.e"}]},
            "Catch[0]/ResultPath at /States/S: belongs to JSONPath",
        ),
        # JSONata
        ({**PASS, "Output": "{% $states.input. %}"}, "Output at /States/S: not a JSONata expression"),
        ({**PASS, "Output": {"a": ["{% ( %}"]}}, "Output/a[0] at /States/S: not a JSONata expression"),
        ({**PASS, "Output": "{%%}"}, "Output at /States/S: not a JSONata expression"),
        (
            {**PASS, "Output": "{% $foo(1) %}"},
            "Output at /States/S: unknown JSONata function $foo; allowed: $abs, $append",
        ),
        ({**PASS, "Output": "{% 1 ~> $foo %}"}, "unknown JSONata function $foo"),
        ({**PASS, "Output": "{% $foo(?, 1) %}"}, "unknown JSONata function $foo"),
        ({**PASS, "Output": "{% $map([1], function($v) { $foo($v) }) %}"}, "unknown JSONata function $foo"),
        ({**PASS, "Output": "{% $eval('1') %}"}, "the JSONata function $eval is not available; use $parse"),
        (
            {**PASS, "Output": "{% phone %}"},
            "Output at /States/S: a reference to 'phone' at the top level is not supported",
        ),
        ({**PASS, "Output": "{% phone.number %}"}, "a reference to 'phone' at the top level is not supported"),
        ({**PASS, "Output": "{% $ %}"}, "a reference to '$' at the top level is not supported"),
        ({**PASS, "Output": "{% $$.a %}"}, "a reference to '$$' at the top level is not supported"),
        (
            {**PASS, "Output": "{% $map([1], function($v) { b }) %}"},
            "a reference to 'b' at the top level is not supported",
        ),
        (
            {**PASS, "Output": "{% $states.errorOutput %}"},
            "$states.errorOutput exists only in the Output and Assign of a Catch",
        ),
        (
            {**PASS, "Output": "{% $states.context.Task.Token %}"},
            "$states.context.Task exists only in a Task that waits for a task token",
        ),
        # Parallel
        ({"Type": "Parallel", "End": True}, "Branches at /States/S: missing or empty"),
        (parallel({"StartAt": "X", "States": {"In": PASS}}), "StartAt at /States/S/Branches[0]: got 'X'"),
        (parallel({**BLOCK, "Foo": 1}), "Foo at /States/S/Branches[0]: unknown field"),
        (parallel({**BLOCK, "QueryLanguage": "JSONata"}), "QueryLanguage at /States/S/Branches[0]: unknown field"),
        (
            parallel({"StartAt": "In", "States": {"In": {"Type": "Pass", "Next": "S"}}}),
            "Next at /States/S/Branches[0]/States/In: got 'S', which is not a state here; allowed: In",
        ),
        (
            parallel({"StartAt": "S", "States": {"S": PASS}}),
            "state at /States/S/Branches[0]/States/S: this name is used twice",
        ),
        # Map
        ({"Type": "Map", "End": True}, "ItemProcessor at /States/S: got None"),
        (
            map_state({**BLOCK, "ProcessorConfig": {"Mode": "FAST"}}),
            "ProcessorConfig/Mode at /States/S/ItemProcessor: got 'FAST'; allowed: INLINE, DISTRIBUTED",
        ),
        (
            map_state({**BLOCK, "ProcessorConfig": {"Mode": "DISTRIBUTED"}}),
            "ProcessorConfig/ExecutionType at /States/S/ItemProcessor: got nothing; allowed: STANDARD, EXPRESS",
        ),
        (map_state({**BLOCK, "ProcessorConfig": {"ExecutionType": "EXPRESS"}}), "is allowed in DISTRIBUTED mode only"),
        (map_state(BLOCK, ItemReader=READER), "ItemReader at /States/S: is allowed in DISTRIBUTED mode only"),
        (map_state(BLOCK, Label="l"), "Label at /States/S: is allowed in DISTRIBUTED mode only"),
        (map_state(BLOCK, Items={"a": 1}), "Items at /States/S: got {'a': 1}"),
        (map_state(Items="list"), "Items at /States/S: got 'list'"),
        (map_state(Items=[], ItemReader=READER), "only one of Items and ItemReader is allowed"),
        (map_state(ItemsPath="$.a"), "ItemsPath at /States/S: belongs to JSONPath"),
        (map_state(MaxConcurrency=-1), "MaxConcurrency at /States/S: got -1"),
        (map_state(ToleratedFailureCount=1.5), "ToleratedFailureCount at /States/S: got 1.5"),
        (map_state(ToleratedFailurePercentage=101), "ToleratedFailurePercentage at /States/S: got 101"),
        (map_state(ToleratedFailurePercentage=100.5), "ToleratedFailurePercentage at /States/S: got 100.5"),
        (map_state(Label="x" * 41), "Label at /States/S: got"),
        (map_state(Label="a b"), "Label at /States/S: got 'a b'"),
        (
            map_state(ItemReader={**READER, "Resource": PUT}),
            "ItemReader/Resource at /States/S: got 'arn:aws:states:::s3:put"
            "Object'; allowed: arn:<partition>:states:::s3:getObject",
        ),
        (
            map_state(ItemReader={**READER, "ReaderConfig": {"InputType": "PARQUET"}}),
            "ItemReader/ReaderConfig/InputType at /States/S: got 'PARQUET'; allowed: CSV, JSON, JSONL",
        ),
        (
            map_state(ItemReader={**READER, "ReaderConfig": {}}),
            "ItemReader/ReaderConfig/InputType at /States/S: got nothing",
        ),
        (
            map_state(ItemReader={**READER, "ReaderConfig": {"InputType": "CSV"}}),
            "CSVHeaderLocation at /States/S: got nothing",
        ),
        (
            map_state(ItemReader={**READER, "ReaderConfig": {"InputType": "JSONL", "MaxItems": -1}}),
            "MaxItems at /States/S: got -1",
        ),
        (map_state(ItemReader={**READER, "Parameters": {}}), "ItemReader/Parameters at /States/S: belongs to JSONPath"),
        (map_state(ItemReader={"Resource": GET}), "ItemReader/Arguments at /States/S: missing"),
        (
            map_state(ItemBatcher={}),
            "ItemBatcher at /States/S: MaxItemsPerBatch, MaxInputBytesPerBatch or both are needed",
        ),
        (
            map_state(ItemBatcher={"MaxInputBytesPerBatch": 262145}),
            "ItemBatcher/MaxInputBytesPerBatch at /States/S: got 262145",
        ),
        (map_state(ItemBatcher={"MaxItemsPerBatch": 1, "Foo": 1}), "ItemBatcher/Foo at /States/S: unknown field"),
        (map_state(ResultWriter={}), "ResultWriter at /States/S: Resource and Arguments, WriterConfig, or all three"),
        (map_state(ResultWriter={"Resource": PUT}), "ResultWriter at /States/S: Resource and Arguments"),
        (
            map_state(ResultWriter={"WriterConfig": {"Transformation": "ZIP"}}),
            "Transformation at /States/S: got 'ZIP'; allowed: NONE, COMPACT, FLATTEN",
        ),
    ],
)
def test_refused_state(state: Any, said: str) -> None:
    assert said in refused(definition({"S": state}))


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ({"A": PASS, "B": PASS}, "state at /States/B: no state leads to it"),
        ({"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}, "States at /: no terminal state"),
        ({"x" * 81: PASS}, "its name has 81 characters; allowed: 1 to 80"),
    ],
)
def test_refused_states(states: dict[str, Any], said: str) -> None:
    assert said in refused(definition(states))


def test_express_machines_cannot_wait_for_jobs_nor_run_a_map_run() -> None:
    for state, said in (({**TASK, "Resource": SYNC}, "cannot wait for a job"), (map_state(), "DISTRIBUTED mode")):
        with pytest.raises(UnsupportedDefinitionError, match=said):
            run(machine({"S": state}, type="EXPRESS"))
    job = {"StartAt": "In", "States": {"In": {**TASK, "Resource": SYNC}}}
    with pytest.raises(UnsupportedDefinitionError, match="cannot wait for a job"):
        run({"S": map_state({**EXPRESS, **job})}, [1])
    assert run({"S": map_state({**STANDARD, **job})}, [1]).status == "SUCCEEDED"


def test_every_problem_is_reported_at_once() -> None:
    message = refused(definition({"S": {"Type": "Pass", "Foo": 1, "Next": "T", "Output": "{% $eval('1') %}"}}))
    assert len(re.findall(r"^- ", message, re.MULTILINE)) == 4
    assert message.startswith("Machine: this definition cannot be rehearsed:\n")


@pytest.mark.parametrize(
    "expression",
    [
        "$states.input.items[value > 3 and $.q = 1].name",
        "$states.input.items^(>price, name)",
        "$states.input.items{name: $sum(price)}",
        "$states.input.a.b.%.c",
        "$states.input.items@$i#$n.($n & $i.a)",
        "$map($states.input.a, function($v, $i) { $v.x })",
        "$sift($states.input, function($v, $k) { $k != 'a' })",
        "($f := function($n) { $n <= 1 ? 1 : $n * $f($n - 1) }; $f(5))",
        "($add := function($a, $b) { $a + $b }; $inc := $add(?, 1); $inc(2))",
        "$states.input ~> |items|{'seen': true, 'n': name}, ['old']|",
        "$uppercase ~> $lowercase",
        "$states.input.**.name",
        "$states.input.n.$string()",
        "{'a': $states.result.x, 'b': $exists($unassigned)}",
        "$states.context.Execution.Id & $now() & $millis() & $uuid() & $random()",
    ],
)
def test_accepted_expression(expression: str) -> None:
    Interpreter(TestServices()).check(definition({"S": {**PASS, "Output": "{% " + expression + " %}"}}))


def test_accepted_definition_with_every_field() -> None:
    task = {
        "Type": "Task",
        "QueryLanguage": "JSONata",
        "Comment": "c",
        "Resource": CALL,
        "Arguments": {"a": "{% $states.input %}"},
        "TimeoutSeconds": 60,
        "HeartbeatSeconds": 5,
        "Retry": [
            {
                "ErrorEquals": ["A", "B"],
                "Comment": "c",
                "IntervalSeconds": 2,
                "MaxAttempts": 3,
                "BackoffRate": 1.5,
                "MaxDelaySeconds": 30,
                "JitterStrategy": "FULL",
            },
            {"ErrorEquals": ["States.ALL"]},
        ],
        "Catch": [
            {
                "ErrorEquals": ["A"],
                "Comment": "c",
                "Next": "S3",
                "Output": 1,
                "Assign": {"x": "{% $states.errorOutput %}"},
            },
            {"ErrorEquals": ["States.ALL"], "Next": "S3"},
        ],
        "Assign": {"x": 1},
        "Output": 2,
    }
    mapping = {
        "Type": "Map",
        "Label": "L-1_x",
        "ItemReader": {**READER, "ReaderConfig": {"InputType": "JSONL", "MaxItems": 5, "Transformation": "NONE"}},
        "ItemSelector": {"v": "{% $states.context.Map.Item.Value %}"},
        "ItemBatcher": {"MaxItemsPerBatch": 5, "MaxInputBytesPerBatch": 1000, "BatchInput": {"a": 1}},
        "ItemProcessor": {**EXPRESS, "Comment": "c"},
        "MaxConcurrency": "{% 5 %}",
        "ToleratedFailureCount": 0,
        "ToleratedFailurePercentage": 12.5,
        "ResultWriter": {
            "Resource": PUT,
            "Arguments": {"Bucket": "b", "Prefix": "p"},
            "WriterConfig": {"OutputType": "JSONL", "Transformation": "FLATTEN"},
        },
    }
    whole = machine(chain(task, mapping, {"Type": "Succeed"}), TimeoutSeconds=99, Version="1.0", Comment="c")
    Interpreter(TestServices()).check(whole)


def test_a_state_may_be_jsonata_in_a_machine_that_is_not() -> None:
    source = StateMachine(
        ARN, {"StartAt": "S", "States": {"S": {**PASS, "QueryLanguage": "JSONata", "Output": "{% 1 %}"}}}
    )
    assert run(source).output == 1
