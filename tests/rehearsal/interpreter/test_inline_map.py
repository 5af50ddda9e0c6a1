"""Map in INLINE mode."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from bedrock_customization.rehearsal.interpreter.services import StatesError
from tests.rehearsal.interpreter.machines import CALL, TestServices, chain, machine, run, types


def map_state(*states: dict[str, Any], **fields: Any) -> dict[str, Any]:
    inner = chain(*states) if states else chain({"Type": "Pass"})
    inner = {
        f"In{name}": state | ({"Next": f"In{state['Next']}"} if "Next" in state else {})
        for name, state in inner.items()
    }
    return {"Type": "Map", "ItemProcessor": {"StartAt": "InS1", "States": inner}, **fields}


CALLING = {"Type": "Task", "Resource": CALL}


def test_items_of_the_input_in_their_order() -> None:
    async def answer(seconds: float) -> float:
        await trio.sleep(seconds)
        return seconds

    execution = run(chain(map_state(CALLING)), [3, 1, 2], TestServices(answer))
    assert (execution.output, execution.duration) == ([3, 1, 2], 3)


@pytest.mark.parametrize(
    ("items", "expected"),
    [([], []), ([1], [1]), ("{% $states.input.list[$ > 1] %}", [2, 3]), (["{% 1 + 1 %}", 5], [2, 5])],
)
def test_items(items: Any, expected: list[Any]) -> None:
    assert run(chain(map_state(Items=items)), {"list": [1, 2, 3]}).output == expected


def test_item_selector_and_context() -> None:
    selector = {
        "value": "{% $states.context.Map.Item.Value %}",
        "index": "{% $states.context.Map.Item.Index %}",
        "whole": "{% $states.input %}",
    }
    shown = {"Type": "Pass", "Output": {"got": "{% $states.input %}", "item": "{% $states.context.Map.Item %}"}}
    execution = run(
        chain(map_state(shown, Items="{% $states.input.list %}", ItemSelector=selector)), {"list": ["a", None]}
    )
    assert execution.output == [
        {"got": {"value": "a", "index": 0, "whole": {"list": ["a", None]}}, "item": {"Index": 0, "Value": "a"}},
        {"got": {"value": None, "index": 1, "whole": {"list": ["a", None]}}, "item": {"Index": 1, "Value": None}},
    ]


@pytest.mark.parametrize(
    ("value", "shown", "kind"),
    [
        (1, "1", "number"),
        ("s", '"s"', "string"),
        (True, "true", "boolean"),
        (None, "null", "null"),
        ({"a": 1}, '{"a":1}', "object"),
    ],
)
def test_items_that_are_no_array_fail_as_recorded(value: Any, shown: str, kind: str) -> None:
    entered = "An error occurred while executing the state 'S2' (entered at the event id #4). "
    states = chain({"Type": "Pass", "Assign": {"v": "{% $states.input %}"}}, map_state(Items="{% $v %}"))
    execution = (
        run(states, value)
        if value is not None
        else run(chain({"Type": "Pass", "Output": None, "Assign": {"v": None}}, map_state(Items="{% $v %}")))
    )
    assert execution.cause == (
        f"{entered}The JSONata expression '$v' specified for the field 'Items' returned an unexpected result type. "
        f"Expected 'array', but was '{kind}' for value: {shown}"
    )
    assert types(execution)[-4:] == ["MapStateEntered", "EvaluationFailed", "MapStateFailed", "ExecutionFailed"]
    assert [event["previousEventId"] for event in execution.history[-3:]] == [3, 5, 6]
    without = run(chain({"Type": "Pass", "Output": value}, map_state()))
    assert without.cause == f"{entered}Map state input must be an array but was: {shown}"
    assert "location" not in without.history[-3]["evaluationFailedEventDetails"]


def test_events_of_iterations_one_after_another_as_recorded() -> None:
    execution = run(chain(map_state(MaxConcurrency=1)), ["a", "b"])
    assert [(event["id"], event["previousEventId"], event["type"]) for event in execution.history] == [
        (1, 0, "ExecutionStarted"),
        (2, 0, "MapStateEntered"),
        (3, 2, "MapStateStarted"),
        (4, 3, "MapIterationStarted"),
        (5, 4, "PassStateEntered"),
        (6, 5, "PassStateExited"),
        (7, 6, "MapIterationSucceeded"),
        (8, 6, "MapIterationStarted"),
        (9, 8, "PassStateEntered"),
        (10, 9, "PassStateExited"),
        (11, 10, "MapIterationSucceeded"),
        (12, 11, "MapStateSucceeded"),
        (13, 11, "MapStateExited"),
        (14, 13, "ExecutionSucceeded"),
    ]
    assert execution.history[2]["mapStateStartedEventDetails"] == {"length": 2}
    assert execution.history[7]["mapIterationStartedEventDetails"] == {"name": "S1", "index": 1}


def test_events_of_iterations_that_time_out_together_as_recorded() -> None:
    async def answer(item: int) -> None:
        await trio.sleep(100 if item else 3)
        raise StatesError("E", "why")

    execution = run(chain(map_state(CALLING)), [0, 1, 2], TestServices(answer))
    assert types(execution)[:6] == [
        "ExecutionStarted",
        "MapStateEntered",
        "MapStateStarted",
        *["MapIterationStarted"] * 3,
    ]
    assert types(execution)[6:12] == ["TaskStateEntered", "TaskScheduled"] * 3
    assert types(execution)[12:] == [
        *["TaskStarted"] * 3,
        "TaskFailed",
        "MapIterationFailed",
        "TaskStateAborted",
        "MapIterationAborted",
        "TaskStateAborted",
        "MapIterationAborted",
        "TaskStateAborted",
        "MapStateFailed",
        "ExecutionFailed",
    ]
    failed = types(execution).index("TaskFailed") + 1
    assert [event["previousEventId"] for event in execution.history[failed:-1]] == [failed] * 7
    assert execution.history[-1]["previousEventId"] == execution.history[-2]["id"]


@pytest.mark.parametrize(
    ("concurrency", "items", "most", "seconds"),
    [(1, 6, 1, 6), (2, 6, 2, 3), ("{% 3 %}", 6, 3, 2), (0, 41, 40, 2), (None, 41, 40, 2), (100, 80, 40, 2)],
)
def test_concurrency(concurrency: Any, items: int, most: int, seconds: float) -> None:
    async def answer(item: int) -> int:
        await trio.sleep(1)
        return item

    services = TestServices(answer)
    fields = {} if concurrency is None else {"MaxConcurrency": concurrency}
    execution = run(chain(map_state(CALLING, **fields)), list(range(items)), services)
    assert (execution.output, services.most_running, execution.duration) == (list(range(items)), most, seconds)


@pytest.mark.parametrize("concurrency", ["{% -1 %}", "{% 'many' %}"])
def test_concurrency_that_is_none_fails(concurrency: str) -> None:
    execution = run(chain(map_state(MaxConcurrency=concurrency)), [1])
    assert execution.error == "States.QueryEvaluationError"


def test_items_after_a_failure_do_not_start() -> None:
    def answer(item: int) -> int:
        if item == 1:
            raise StatesError("E", "why")
        return item

    services = TestServices(answer)
    execution = run(chain(map_state(CALLING, MaxConcurrency=1)), [0, 1, 2], services)
    assert (execution.error, execution.cause) == ("E", "why")
    assert [item for _, item in services.calls] == [0, 1]
    assert "MapIterationAborted" not in types(execution)


def test_failure_of_an_iteration_is_caught_and_retried() -> None:
    fails = [1, 1]

    def answer(item: int) -> int:
        if item in fails:
            fails.remove(item)
            raise StatesError("E", "why")
        return item

    state = map_state(CALLING, Retry=[{"ErrorEquals": ["E"], "MaxAttempts": 1}], MaxConcurrency=1)
    services = TestServices(answer)
    states = {
        "M": {**state, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}], "End": True},
        "C": {"Type": "Succeed"},
    }
    execution = run(states, [0, 1, 2], services)
    assert execution.output == {"Error": "E", "Cause": "why"}
    assert [item for _, item in services.calls] == [0, 1, 0, 1]


def test_maps_nest() -> None:
    inner = map_state({"Type": "Pass", "Output": "{% $states.input * 2 %}"})
    inner["ItemProcessor"]["StartAt"] = "Deep"
    inner["ItemProcessor"]["States"] = {"Deep": inner["ItemProcessor"]["States"]["InS1"]}
    assert run(chain(map_state(inner)), [[1, 2], [], [3]]).output == [[2, 4], [], [6]]


def test_failed_item_selector_fails_the_map() -> None:
    execution = run(chain(map_state(ItemSelector={"a": "{% $states.input.x.y %}"})), [1])
    assert execution.error == "States.QueryEvaluationError"
    assert "specified for the field 'ItemSelector/a' returned nothing" in (execution.cause or "")


def test_iterator_is_the_old_name_of_the_processor() -> None:
    state = map_state()
    state["Iterator"] = state.pop("ItemProcessor")
    assert run(chain(state), [1]).output == [1]


def test_express_machines_map_too() -> None:
    definition = machine(chain(map_state()), type="EXPRESS")
    assert run(definition, [1, 2]).output == [1, 2]


def test_runtime_error_of_an_iteration_ends_the_execution_at_once() -> None:
    lost = {"Type": "Choice", "Choices": [{"Condition": False, "Next": "End"}]}
    processor = {"StartAt": "Lost", "States": {"Lost": lost, "End": {"Type": "Succeed"}}}
    execution = run(chain({"Type": "Map", "ItemProcessor": processor, "MaxConcurrency": 1}), [1, 2])
    assert execution.error == "States.Runtime"
    assert types(execution)[3:] == ["MapIterationStarted", "ChoiceStateEntered", "ExecutionFailed"]
