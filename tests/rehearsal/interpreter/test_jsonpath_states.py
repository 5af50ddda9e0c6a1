"""JSONPath states run as recorded executions of the service show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bedrock_customization.rehearsal.interpreter.execution import Execution
from bedrock_customization.rehearsal.interpreter.services import StateMachine, StatesError, UnsupportedDefinitionError
from tests.rehearsal.interpreter.machines import ARN, CALL, GET, LIST, PUT, TestServices, chain, run

TASK = {"Type": "Task", "Resource": CALL}
PASS = {"Type": "Pass"}
INPUT = {"order": {"id": 7, "lines": [1, 2]}, "note": "n"}


def machine(*states: dict[str, Any], **fields: Any) -> StateMachine:
    return StateMachine(ARN, {"StartAt": "S1", "States": chain(*states), **fields})


def output(*states: dict[str, Any], input: Any = INPUT, services: TestServices | None = None) -> Any:
    execution = run(machine(*states), input, services)
    assert execution.status == "SUCCEEDED", execution.cause
    return execution.output


def failed(*states: dict[str, Any], input: Any = INPUT, services: TestServices | None = None) -> Execution:
    execution = run(machine(*states), input, services)
    assert execution.status == "FAILED"
    return execution


def refused(*states: dict[str, Any], **fields: Any) -> str:
    with pytest.raises(UnsupportedDefinitionError) as caught:
        run(machine(*states, **fields))
    return str(caught.value)


def distributed(**fields: Any) -> dict[str, Any]:
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    return {
        "Type": "Map",
        "ItemProcessor": {**config, "StartAt": "I", "States": {"I": {**PASS, "End": True}}},
        **fields,
    }


def inline(item: dict[str, Any] = PASS, **fields: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": {"StartAt": "I", "States": {"I": {**item, "End": True}}}, **fields}


@pytest.mark.parametrize(
    ("state", "gives"),
    [
        (PASS, INPUT),
        ({**PASS, "InputPath": "$.order"}, INPUT["order"]),
        ({**PASS, "InputPath": None}, {}),
        ({**PASS, "OutputPath": "$.note"}, "n"),
        ({**PASS, "OutputPath": None}, {}),
        ({**PASS, "OutputPath": "$$.Execution.Input.note"}, "n"),
        (
            {**PASS, "InputPath": "$.order", "Parameters": {"n.$": "$.id", "all.$": "$"}},
            {"n": 7, "all": INPUT["order"]},
        ),
        ({**PASS, "Parameters": {"a": [{"b.$": "$.note"}], "c": "$.note"}}, {"a": [{"b": "n"}], "c": "$.note"}),
        # The result is put into the input as the state got it, not into what InputPath selected.
        (
            {**PASS, "InputPath": "$.order.id", "ResultPath": "$.order.id2"},
            {**INPUT, "order": {**INPUT["order"], "id2": 7}},
        ),
        ({**PASS, "Result": 1, "ResultPath": "$.new.deep"}, {**INPUT, "new": {"deep": 1}}),
        ({**PASS, "Result": 1, "ResultPath": "$.order.lines[1]"}, {**INPUT, "order": {"id": 7, "lines": [1, 1]}}),
        ({**PASS, "Result": 1, "ResultPath": None}, INPUT),
        ({**PASS, "Result": {"a.$": "States.Nonsense("}}, {"a.$": "States.Nonsense("}),
        ({**PASS, "Parameters": {"last.$": "$.order.lines[2]"}}, {"last": None}),
        ({**PASS, "Parameters": {"s.$": "States.Format('{}-{}', $.note, $$.Execution.Name)"}}, {"s": "n-run"}),
        ({"Type": "Succeed", "InputPath": "$.order", "OutputPath": "$.id"}, 7),
        ({"Type": "Wait", "SecondsPath": "$.order.id", "OutputPath": "$.note"}, "n"),
    ],
)
def test_what_a_state_makes_of_its_input(state: dict[str, Any], gives: Any) -> None:
    assert output(state) == gives


def test_a_task_selects_its_result_and_puts_it_into_its_input() -> None:
    services = TestServices(lambda arguments: {"Payload": {"sum": arguments["n"] + 1}, "Other": 1})
    task = {
        **TASK,
        "InputPath": "$.order",
        "Parameters": {"n.$": "$.id"},
        "ResultSelector": {"sum.$": "$.Payload.sum", "state.$": "$$.State.Name"},
        "ResultPath": "$.task",
        "OutputPath": "$.task",
        # Variables are taken from the whole result.
        "Assign": {"other.$": "$.Other", "constant": 5},
    }
    after = {**PASS, "Parameters": {"task.$": "$", "other.$": "$other", "constant.$": "$constant"}}
    assert output(task, after, services=services) == {"task": {"sum": 8, "state": "S1"}, "other": 1, "constant": 5}


def test_an_error_is_put_into_the_input_and_output_path_has_no_part_in_it() -> None:
    def fail(arguments: Any) -> Any:
        raise StatesError("Out.OfStock", "none left")

    task = {
        **TASK,
        "OutputPath": "$.nothing",
        "Catch": [
            {
                "ErrorEquals": ["States.ALL"],
                "ResultPath": "$.error",
                "Assign": {"cause.$": "$.Cause"},
                "Next": "S2",
            }
        ],
    }
    after = {**PASS, "Parameters": {"input.$": "$", "cause.$": "$cause"}}
    caught = {"Error": "Out.OfStock", "Cause": "none left"}
    assert output(task, after, services=TestServices(fail)) == {
        "input": {**INPUT, "error": caught},
        "cause": "none left",
    }
    whole = {**task, "Catch": [{"ErrorEquals": ["Out.OfStock"], "Next": "S2"}]}
    assert output(whole, PASS, services=TestServices(fail)) == caught


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        (
            {**PASS, "Parameters": {"v.$": "$.nope"}},
            "The JSONPath '$.nope' specified for the field 'v.$' could not be found in the input '{\"a\":1}'",
        ),
        ({**PASS, "InputPath": "$.nope"}, "Invalid path '$.nope' : No results for path: $['nope']"),
        ({**PASS, "OutputPath": "$.nope"}, "Invalid path '$.nope' : No results for path: $['nope']"),
        ({**TASK, "TimeoutSecondsPath": "$.nope"}, "Invalid path '$.nope' : No results for path: $['nope']"),
        (
            {"Type": "Fail", "ErrorPath": "$.nope"},
            "The JSONPath '$.nope' specified for the field 'ErrorPath' could not be found in the input '{\"a\":1}'",
        ),
        (
            {"Type": "Fail", "Error": "E", "CausePath": "$.nope"},
            "The JSONPath '$.nope' specified for the field 'CausePath' could not be found in the input '{\"a\":1}'",
        ),
        (
            {**PASS, "Parameters": {"v.$": "States.Format('{}', States.Format('{}', $.b.c))"}},
            "The function 'States.Format('{}', States.Format('{}', $.b.c))' had the following error: "
            "The JsonPath argument for the field '$.b.c' could not be found in the input '{\"a\":1}'",
        ),
        (
            {**PASS, "Parameters": {"v.$": "States.Format('{}', $$.Nope.Deep)"}},
            "The function 'States.Format('{}', $$.Nope.Deep)' had the following error: "
            "The JsonPath argument for the field '$.Nope.Deep' could not be found in the input '{\"a\":1}'",
        ),
        (
            {"Type": "Wait", "SecondsPath": "$.nope"},
            "The SecondsPath parameter does not reference an input value: $.nope",
        ),
        (
            {"Type": "Wait", "TimestampPath": "$.a"},
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: "
            "$.a == 1",
        ),
        (inline(ItemsPath="$.a"), 'Reference path "$.a" must point to array.'),
        (inline(), 'Reference path "$" must point to array.'),
        (inline(ItemsPath="$$.Execution.Input"), 'Reference path "$.Execution.Input" must point to array.'),
        (
            inline(MaxConcurrencyPath="$"),
            'The MaxConcurrencyPath field refers to value "{"a":1}" which is not a valid integer: $',
        ),
        (
            {"Type": "Choice", "Choices": [{"Variable": "$.nope", "NumericEquals": 1, "Next": "S2"}], "Default": "S2"},
            "Invalid path '$.nope': The choice state's condition path references an invalid value.",
        ),
    ],
)
def test_a_path_to_nothing_fails_the_execution_whatever_is_caught(state: dict[str, Any], cause: str) -> None:
    caught = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "S1"}]} if state["Type"] in ("Task", "Map") else {}
    rest = () if state["Type"] == "Fail" else (PASS,)
    execution = failed({**state, **caught}, *rest, input={"a": 1})
    assert execution.error == "States.Runtime"
    begin = "An error occurred while executing the state 'S1' (entered at the event id #2). "
    assert execution.cause == begin + cause
    # Nothing but the entered state comes before the failure.
    assert [event["type"] for event in execution.history] == [
        "ExecutionStarted",
        f"{state['Type']}StateEntered",
        "ExecutionFailed",
    ]


def test_a_function_that_fails_and_a_result_path_that_does_not_fit_are_errors_of_their_own() -> None:
    failing = failed({**PASS, "Parameters": {"v.$": "States.StringToJson($.note)"}})
    assert failing.error == "States.IntrinsicFailure"
    assert "The function 'States.StringToJson($.note)' had the following error: " in str(failing.cause)
    conflict = failed({**PASS, "Result": 1, "ResultPath": "$.x"}, input="text")
    assert (conflict.error, conflict.cause) == (
        "States.ReferencePathConflict",
        'Unable to apply ReferencePath $.x to input "text"',
    )


def test_a_fail_state_takes_its_texts_from_the_data() -> None:
    execution = failed({"Type": "Fail", "ErrorPath": "$.note", "CausePath": "States.Format('id {}', $.order.id)"})
    assert (execution.error, execution.cause) == ("n", "id 7")


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"Variable": "$.n", "NumericEquals": 5.0}, True),
        ({"Variable": "$.n", "NumericGreaterThanEqualsPath": "$.m"}, True),
        ({"Variable": "$.n", "NumericLessThan": 5}, False),
        ({"Variable": "$.s", "NumericEquals": 5}, False),
        ({"Variable": "$.t", "NumericEquals": 1}, False),
        ({"Variable": "$.s", "StringEquals": "five"}, True),
        ({"Variable": "$.s", "StringLessThan": "fivf"}, True),
        # Texts are compared by their UTF-16 code units.
        ({"Variable": "$.far", "StringLessThan": "\uffff"}, True),
        ({"Variable": "$.s", "StringMatches": "f*e"}, True),
        ({"Variable": "$.s", "StringMatches": "f*"}, True),
        ({"Variable": "$.star", "StringMatches": "a\\*b"}, True),
        ({"Variable": "$.s", "StringMatches": "a\\*b"}, False),
        ({"Variable": "$.n", "StringMatches": "*"}, False),
        ({"Variable": "$.t", "BooleanEquals": True}, True),
        ({"Variable": "$.n", "BooleanEquals": True}, False),
        ({"Variable": "$.at", "TimestampLessThan": "2026-01-01T01:00:00+01:00"}, False),
        ({"Variable": "$.at", "TimestampEquals": "2026-01-01T01:00:00+01:00"}, True),
        ({"Variable": "$.s", "TimestampEquals": "2026-01-01T00:00:00Z"}, False),
        ({"Variable": "$.nope", "IsPresent": False}, True),
        ({"Variable": "$.null", "IsPresent": True}, True),
        ({"Variable": "$.null", "IsNull": True}, True),
        ({"Variable": "$.n", "IsNull": False}, True),
        ({"Variable": "$.n", "IsNumeric": True}, True),
        ({"Variable": "$.t", "IsNumeric": True}, False),
        ({"Variable": "$.at", "IsTimestamp": True}, True),
        ({"Variable": "$.s", "IsTimestamp": False}, True),
        ({"Variable": "$.t", "IsBoolean": True}, True),
        ({"Variable": "$.s", "IsString": False}, False),
        ({"Variable": "$$.State.Name", "StringEquals": "Choose"}, True),
        ({"Variable": "$kept", "StringEqualsPath": "$.s"}, True),
        ({"Not": {"Variable": "$.n", "NumericEquals": 5}}, False),
        ({"And": [{"Variable": "$.nope", "IsPresent": True}, {"Variable": "$.nope", "NumericEquals": 1}]}, False),
        ({"Or": [{"Variable": "$.t", "BooleanEquals": True}, {"Variable": "$.nope", "NumericEquals": 1}]}, True),
    ],
)
def test_choice_rule(rule: dict[str, Any], holds: bool) -> None:
    input = {"n": 5, "m": 5, "s": "five", "t": True, "null": None, "at": "2026-01-01T00:00:00Z", "star": "a*b"}
    input["far"] = "\U00010000"
    states = {
        "Keep": {**PASS, "Assign": {"kept.$": "$.s"}, "Next": "Choose"},
        "Choose": {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"},
        "Yes": {**PASS, "Result": True, "End": True},
        "No": {**PASS, "Result": False, "End": True},
    }
    execution = run(StateMachine(ARN, {"StartAt": "Keep", "States": states}), input)
    assert execution.output is holds


def test_a_map_selects_its_items_and_what_each_iteration_gets() -> None:
    selector = {"line.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index", "id.$": "$.order.id"}
    expected = [{"line": 1, "at": 0, "id": 7}, {"line": 2, "at": 1, "id": 7}]
    assert output(inline(ItemsPath="$.order.lines", ItemSelector=selector)) == expected
    legacy = {
        "Type": "Map",
        "Iterator": inline()["ItemProcessor"],
        "ItemsPath": "$.order.lines",
        "Parameters": selector,
    }
    assert output({**legacy, "ResultPath": "$.done", "OutputPath": "$.done"}) == expected
    assert output(distributed(ItemsPath="$.order.lines", ItemSelector=selector)) == expected


def test_a_distributed_map_reads_batches_and_writes() -> None:
    services = TestServices(objects={"in/rows.jsonl": b'{"a":1}\n{"a":2}\n{"a":3}\n'})
    state = distributed(
        ItemReader={
            "Resource": GET,
            "Parameters": {"Bucket": "b", "Key.$": "$.key"},
            "ReaderConfig": {"InputType": "JSONL", "MaxItemsPath": "$.most"},
        },
        ItemBatcher={"MaxItemsPerBatchPath": "$.size", "BatchInput": {"key.$": "$.key"}},
        ResultWriter={"Resource": PUT, "Parameters": {"Bucket": "b", "Prefix.$": "$.to"}},
        MaxConcurrencyPath="$.size",
        ToleratedFailureCountPath="$.size",
        ResultSelector={"key.$": "$.ResultWriterDetails.Key"},
    )
    result = output(state, input={"key": "in/rows.jsonl", "most": 2, "size": 1, "to": "out"}, services=services)
    assert result["key"].startswith("out/")
    inputs = [json.loads(record["Input"]) for record in services.json("SUCCEEDED_0.json")]
    assert inputs == [{"BatchInput": {"key": "in/rows.jsonl"}, "Items": [{"a": number}]} for number in (1, 2)]


def test_a_listing_is_read() -> None:
    services = TestServices(objects={"a": b"1", "b": b"22"})
    state = distributed(ItemReader={"Resource": LIST, "Parameters": {"Bucket": "b"}})
    assert [item["Key"] for item in output(state, services=services)] == ["a", "b"]


def test_branches_get_the_parameters_and_read_outer_variables() -> None:
    branch = {"StartAt": "B", "States": {"B": {**PASS, "Parameters": {"in.$": "$", "v.$": "$v"}, "End": True}}}
    parallel = {"Type": "Parallel", "Branches": [branch], "Parameters": {"id.$": "$.order.id"}, "ResultPath": "$.p"}
    result = output({**PASS, "Assign": {"v": 1}}, {**parallel, "OutputPath": "$.p"})
    assert result == [{"in": {"id": 7}, "v": 1}]


def test_states_of_both_languages_share_variables() -> None:
    result = output(
        {**PASS, "Assign": {"n.$": "$.order.id", "none": None}},
        {**PASS, "QueryLanguage": "JSONata", "Assign": {"m": "{% $n + 1 %}"}, "Output": "{% {'was': $n} %}"},
        {**PASS, "Parameters": {"was.$": "$.was", "m.$": "$m", "none.$": "$none"}},
    )
    assert result == {"was": 7, "m": 8, "none": None}


def test_variables_see_what_was_there_at_the_entry() -> None:
    execution = run(
        machine(
            {**PASS, "Assign": {"a": 1, "b": 2}},
            {**PASS, "Assign": {"a.$": "$b", "b.$": "$a", "c.$": "States.MathAdd($a, 1)"}},
            {**PASS, "Assign": {}, "Parameters": {"a.$": "$a", "b.$": "$b", "c.$": "$c"}},
        )
    )
    assert execution.output == {"a": 2, "b": 1, "c": 2}
    exits = [event["stateExitedEventDetails"] for event in execution.history if event["type"] == "PassStateExited"]
    assert exits[1]["assignedVariables"] == {"a": "2", "b": "1", "c": "2"}
    assert "assignedVariables" not in exits[2]


def test_time_outs_and_tolerance_come_from_the_data() -> None:
    import trio

    async def slow(arguments: Any) -> Any:
        await trio.sleep(100)

    execution = run(machine({**TASK, "TimeoutSecondsPath": "$.t"}), {"t": 3}, TestServices(slow))
    assert (execution.error, execution.duration) == ("States.Timeout", 3)
    wrong = failed({**TASK, "TimeoutSecondsPath": "$.note"})
    assert 'The TimeoutSecondsPath field refers to value "n" which is not a valid integer: $.note' in str(wrong.cause)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({**PASS, "Output": 1}, "Output at /States/S1: belongs to JSONata, not to JSONPath"),
        ({**TASK, "Arguments": {}}, "Arguments at /States/S1: belongs to JSONata, not to JSONPath"),
        ({**PASS, "ResultSelector": {}}, "ResultSelector at /States/S1: unknown field"),
        ({**PASS, "Foo": 1}, "Foo at /States/S1: unknown field"),
        (
            {**PASS, "Parameters": {"v.$": "a"}},
            "Parameters at /States/S1: the value for the field 'v.$' must be a valid JSONPath or a valid intrinsic",
        ),
        ({**PASS, "Parameters": {"v.$": 1}}, "the value for the field 'v.$' must be a valid JSONPath"),
        ({**PASS, "Parameters": {"v.$": "States.Nope()"}}, "the value for the field 'v.$' must be a valid JSONPath"),
        ({**PASS, "Parameters": {"v.$": "$.a.length()"}}, "the function length() of JSONPath is not supported"),
        ({**PASS, "InputPath": "a"}, "InputPath at /States/S1: got 'a'; a path begins with $"),
        ({**PASS, "InputPath": "States.UUID()"}, "InputPath at /States/S1: got 'States.UUID()'; a path is needed"),
        ({**PASS, "ResultPath": "$.a[*]"}, "ResultPath at /States/S1: got '$.a[*]'; a reference path is needed"),
        ({**PASS, "ResultPath": "$$.a"}, "ResultPath at /States/S1: got '$$.a'; a reference path is needed"),
        ({**PASS, "Assign": {"1a.$": "$"}}, "Assign/1a at /States/S1: not a variable's name"),
        ({**PASS, "Assign": {"a.$": "b"}}, "Assign at /States/S1: the value for the field 'a.$'"),
        ({**PASS, "Parameters": {"v.$": "$$.Task.Token"}}, "$$.Task exists only in a Task that waits for a"),
        (
            {**PASS, "Parameters": {"v.$": "States.Array($$.Task.Token)"}},
            "$$.Task exists only in a Task that waits for a",
        ),
        ({"Type": "Wait", "Seconds": 1, "SecondsPath": "$"}, "only one of Seconds and SecondsPath is allowed"),
        ({**TASK, "TimeoutSeconds": 1, "TimeoutSecondsPath": "$"}, "only one of TimeoutSeconds and TimeoutSecondsPath"),
        ({"Type": "Wait"}, "Seconds at /States/S1: exactly one of"),
        (inline(MaxConcurrency=-1), "MaxConcurrency at /States/S1: got -1"),
        (inline(ItemReader={"Resource": GET}), "ItemReader at /States/S1: is allowed in DISTRIBUTED mode only"),
        (distributed(ItemReader={"Resource": GET, "ReaderConfig": {"InputType": "JSON"}}), "ItemReader/Parameters"),
        (distributed(ItemReader={"Resource": GET, "Arguments": {}}), "belongs to JSONata, not to JSONPath"),
        (
            {**TASK, "Catch": [{"ErrorEquals": ["E"], "Next": "S1", "Output": 1}]},
            "Catch[0]/Output at /States/S1: belongs",
        ),
        (
            {**TASK, "Catch": [{"ErrorEquals": ["E"], "Next": "S1", "ResultPath": "x"}]},
            "Catch[0]/ResultPath at /States/S1",
        ),
    ],
)
def test_refused(state: dict[str, Any], said: str) -> None:
    assert said in refused(state)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"Variable": "$.a"}, "Choices[0] at /States/S1: got none; exactly one operator is needed"),
        (
            {"Variable": "$.a", "IsNull": True, "IsPresent": True},
            "got IsNull, IsPresent; exactly one operator is needed",
        ),
        ({"Variable": "$.a", "NumericEquals": "1"}, "NumericEquals: got '1'; a value of this type is needed"),
        ({"Variable": "$.a", "BooleanLessThan": True}, "Choices[0]/BooleanLessThan at /States/S1: unknown field"),
        ({"Variable": "$.a", "IsNull": "yes"}, "IsNull: got 'yes'; a boolean is needed"),
        ({"Variable": "$.a", "StringEqualsPath": "b"}, "Choices[0]/StringEqualsPath at /States/S1: got 'b'"),
        ({"Variable": "a", "IsNull": True}, "Choices[0]/Variable at /States/S1: got 'a'; a path begins with $"),
        ({"IsNull": True}, "Choices[0]/Variable at /States/S1: got None"),
        ({"And": []}, "And: got []; at least one rule is needed"),
        ({"Not": []}, "Not: got []; a rule is needed"),
        ({"Condition": "{% true %}"}, "Choices[0]/Condition at /States/S1: belongs to JSONata"),
    ],
)
def test_refused_choice_rule(rule: dict[str, Any], said: str) -> None:
    choice = {"Type": "Choice", "Choices": [{**rule, "Next": "S2"}], "Default": "S2"}
    assert said in refused(choice, PASS)


@pytest.mark.parametrize(
    ("field", "value", "cause"),
    [
        ("ToleratedFailureCount", {}, 'field refers to value "{}" which is not a valid integer: $.n'),
        ("ToleratedFailureCount", "NoNumber", 'field refers to value "NoNumber" which is not a valid integer: $.n'),
        ("ToleratedFailureCount", -1, "ToleratedFailureCount cannot be negative."),
        ("ToleratedFailurePercentage", "x", 'field refers to value "x" which is not a valid float: $.n'),
        ("ToleratedFailurePercentage", -1.1, "ToleratedFailurePercentage must be between 0 and 100."),
        ("ToleratedFailurePercentage", 100.5, "ToleratedFailurePercentage must be between 0 and 100."),
    ],
)
def test_a_tolerance_that_is_none_fails_before_the_map_run(field: str, value: Any, cause: str) -> None:
    execution = failed(distributed(ItemsPath="$.items", **{f"{field}Path": "$.n"}), input={"items": [0], "n": value})
    assert execution.error == "States.Runtime"
    assert str(execution.cause).endswith(cause)
    assert [event["type"] for event in execution.history][2:] == ["MapStateStarted", "ExecutionFailed"]


@pytest.mark.parametrize(("field", "value"), [("ToleratedFailureCount", 0), ("ToleratedFailurePercentage", 1.1)])
def test_a_tolerance_from_the_data(field: str, value: Any) -> None:
    state = distributed(ItemsPath="$.items", **{f"{field}Path": "$.n"})
    assert output(state, input={"items": [0], "n": value}) == [0]


@pytest.mark.parametrize(
    ("most", "cause"),
    [(-1, "field MaxItems must be positive"), ([], 'The MaxItemsPath field refers to value "[]" which is not a valid')],
)
def test_a_wrong_number_of_items_fails_the_reader(most: Any, cause: str) -> None:
    services = TestServices(objects={"k": b"[1]"})
    config = {"InputType": "JSON", "MaxItemsPath": "$.most"}
    reader = {"Resource": GET, "Parameters": {"Bucket": "b", "Key": "k"}, "ReaderConfig": config}
    execution = failed(distributed(ItemReader=reader), input={"most": most}, services=services)
    assert execution.error == "States.ItemReaderFailed"
    assert cause in str(execution.cause)
