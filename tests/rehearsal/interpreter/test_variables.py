"""Variables and their scopes (developer guide, "Passing data between states with variables")."""

from __future__ import annotations

from typing import Any

import pytest

from bedrock_customization.rehearsal.interpreter.services import UnsupportedDefinitionError
from tests.rehearsal.interpreter.machines import CALL, chain, run

DISTRIBUTED = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


def test_assignments_read_the_values_at_the_entry_of_their_state() -> None:
    states = chain(
        {"Type": "Pass", "Assign": {"a": 1, "b": 2}},
        {"Type": "Pass", "Assign": {"a": "{% $b %}", "b": "{% $a %}"}, "Output": "{% [$a, $b] %}"},
        {"Type": "Pass", "Output": {"entry": "{% $states.input %}", "next": "{% [$a, $b] %}"}},
    )
    assert run(states).output == {"entry": [1, 2], "next": [2, 1]}


@pytest.mark.parametrize("value", [None, 0, False, "", [], {}, [None], {"a": None}])
def test_variable_keeps_its_value(value: Any) -> None:
    states = chain(
        {"Type": "Pass", "Assign": {"v": "{% $states.input.v %}"}},
        {"Type": "Pass", "Output": {"v": "{% $v %}", "there": "{% $exists($v) %}"}},
    )
    assert run(states, {"v": value}).output == {"v": value, "there": True}


def test_assign_sees_the_result_of_a_task_and_output_does_not_change_it() -> None:
    states = chain(
        {
            "Type": "Task",
            "Resource": CALL,
            "Arguments": {"x": 1},
            "Assign": {"r": "{% $states.result.x %}", "i": "{% $states.input.q %}"},
            "Output": "done",
        },
        {"Type": "Pass", "Output": "{% [$states.input, $r, $i] %}"},
    )
    assert run(states, {"q": 2}).output == ["done", 1, 2]


def test_exit_event_shows_the_assigned_variables_as_json() -> None:
    execution = run(chain({"Type": "Pass", "Assign": {"n": 1, "t": "x", "o": {"a": None}}}))
    details = execution.history[2]["stateExitedEventDetails"]
    assert details["assignedVariables"] == {"n": "1", "t": '"x"', "o": '{"a":null}'}
    assert details["assignedVariablesDetails"] == {"truncated": False}


def test_branches_read_outer_variables_and_keep_their_own() -> None:
    def branch(name: str) -> dict[str, Any]:
        return {
            "StartAt": name,
            "States": {
                name: {"Type": "Pass", "Assign": {"mine": f"{{% $outer & '{name}' %}}"}, "Next": f"{name}2"},
                f"{name}2": {"Type": "Pass", "Output": "{% $mine %}", "End": True},
            },
        }

    states = chain(
        {"Type": "Pass", "Assign": {"outer": "o"}},
        {"Type": "Parallel", "Branches": [branch("A"), branch("B")]},
        {"Type": "Pass", "Output": {"branches": "{% $states.input %}", "leaked": "{% $exists($mine) %}"}},
    )
    assert run(states).output == {"branches": ["oA", "oB"], "leaked": False}


def test_iterations_read_outer_variables_and_keep_their_own() -> None:
    processor = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Assign": {"mine": "{% $states.input + $outer %}"}, "Next": "B"},
            "B": {"Type": "Pass", "Output": "{% $mine %}", "End": True},
        },
    }
    states = chain(
        {"Type": "Pass", "Assign": {"outer": 10}},
        {"Type": "Map", "Items": [1, 2], "ItemProcessor": processor},
        {"Type": "Pass", "Output": {"items": "{% $states.input %}", "leaked": "{% $exists($mine) %}"}},
    )
    assert run(states).output == {"items": [11, 12], "leaked": False}


def test_children_of_a_distributed_map_do_not_read_outer_variables() -> None:
    processor = {
        "ProcessorConfig": DISTRIBUTED,
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "Output": "{% $exists($outer) %}", "End": True}},
    }
    states = chain(
        {"Type": "Pass", "Assign": {"outer": 10}},
        {"Type": "Map", "Items": [1], "ItemProcessor": processor},
    )
    assert run(states).output == [False]


def test_item_selector_of_a_distributed_map_reads_outer_variables() -> None:
    processor = {"ProcessorConfig": DISTRIBUTED, "StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    selector = {"outer": "{% $outer %}", "item": "{% $states.context.Map.Item.Value %}"}
    states = chain(
        {"Type": "Pass", "Assign": {"outer": 10}},
        {"Type": "Map", "Items": [1], "ItemSelector": selector, "ItemProcessor": processor},
    )
    assert run(states).output == [{"outer": 10, "item": 1}]


@pytest.mark.parametrize("kind", ["Map", "Parallel"])
def test_inner_scope_cannot_assign_an_outer_variable(kind: str) -> None:
    block = {"StartAt": "In", "States": {"In": {"Type": "Pass", "Assign": {"v": 1}, "End": True}}}
    held: dict[str, Any] = {"ItemProcessor": block, "Items": [1]} if kind == "Map" else {"Branches": [block]}
    states = chain({"Type": "Pass", "Assign": {"v": 0}}, {"Type": kind, **held})
    with pytest.raises(UnsupportedDefinitionError, match=r"Assign/v at .*/States/In: .*outer scope"):
        run(states)


def test_variables_of_a_choice_rule_and_of_its_default() -> None:
    states = {
        "C": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input %}", "Assign": {"v": "rule"}, "Output": "r", "Next": "S"}],
            "Assign": {"v": "default"},
            "Output": "d",
            "Default": "S",
        },
        "S": {"Type": "Pass", "Output": "{% [$v, $states.input] %}", "End": True},
    }
    assert run(states, True).output == ["rule", "r"]
    assert run(states, False).output == ["default", "d"]
