"""JSONata as Step Functions evaluates it (developer guide, "Transforming data with JSONata"; recorded executions)."""

from __future__ import annotations

from typing import Any

import pytest

from bedrock_customization.rehearsal.interpreter.jsonata import EvaluationError, Expression
from bedrock_customization.rehearsal.interpreter.jsonata_functions import STATIC_FUNCTIONS
from bedrock_customization.rehearsal.interpreter.jsonata_values import encode
from tests.rehearsal.interpreter.machines import evaluate, run

ERROR = "States.QueryEvaluationError"
INPUT = {
    "nil": None,
    "list": [1, None, {"b": None}],
    "one": [7],
    "none": [],
    "n": 5,
    "text": "a b",
    "deep": {"x": [{"y": 1}]},
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$states.input.n", 5),
        ("$states.input.nil", None),
        ("$states.input.list", [1, None, {"b": None}]),
        ("$states.input.list[1]", None),
        ("$states.input.list[$type($) = 'null']", None),
        ("$count($states.input.list)", 3),
        ("$exists($states.input.nil)", True),
        ("$exists($states.input.absent)", False),
        ("$type($states.input.nil)", "null"),
        ("{'a': null, 'b': $states.input.absent}", {"a": None}),
        ("[$states.input.absent]", []),
        ("null", None),
        # Sequences of one item collapse; arrays that are written as such or come from the data do not.
        ("$states.input.one", [7]),
        ("$states.input.one[0]", 7),
        ("$states.input.none", []),
        ("$states.input.deep.x.y", 1),
        ("[$states.input.deep.x.y]", [1]),
        ("$states.input.deep.x[].y", [1]),
        ("$map([5], function($v) { $v })", 5),
        ("[$map([5], function($v) { $v })]", [5]),
        ("[1..3]", [1, 2, 3]),
        ("($a := 2; $b := function($x) { $x * $a }; $b(4))", 8),
        ("$states.input.text ~> $uppercase", "A B"),
        ("$split($states.input.text, /\\s/)", ["a", "b"]),
        ("$match('ab12', /[a-z]+([0-9]+)/).groups", ["12"]),
        ("[$states.input.one, 8]", [7, 8]),
        ("$contains('abc', /B/i)", True),
        ("1 = 1.0", True),
        ("6 / 2", 3),
        ("5.5 % 2", 1.5),
        ("-7 % 3", -1),
        ("1 / 0", "Infinity"),
        ("[-1 / 0, 0 / 0]", ["-Infinity", "NaN"]),
        ("{'k': 1e308 * -10}", {"k": "-Infinity"}),
        ("0.1 + 0.2", 0.30000000000000004),
        ("$round(2.5) + $floor(-1.5)", 0),
        ("$string(0.5)", "0.5"),
        ("$merge([{'a': null}, {'b': 1}])", {"a": None, "b": 1}),
        ("$states.input ~> |$|{'n': 6}, ['list', 'deep', 'text', 'one', 'none']|", {"nil": None, "n": 6}),
    ],
)
def test_value(expression: str, expected: Any) -> None:
    assert evaluate(expression, INPUT) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$partition([1, 2, 3, 4, 5], 2)", [[1, 2], [3, 4], [5]]),
        ("$partition([0], 3)", [[0]]),
        ("$partition([1, 2, 3], 2.9)", [[1, 2], [3]]),
        ("$range(1, 9, 4)", [1, 5, 9]),
        ("$range(0, -4, -2)", [0, -2, -4]),
        ("$range(-1.7, 1, 1)", [-1, 0, 1]),
        ("$range(1, 1, 1)", 1),
        ("$range(0, 10, -1)", ERROR),
        ("$partition([1], 0)", ERROR),
        ("$hash('abc', 'MD5')", "900150983cd24fb0d6963f7d28e17f72"),
        ("$hash('abc', 'SHA-1')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("$hash('abc', 'SHA-256')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("$length($hash('abc', 'SHA-384'))", 96),
        ("$length($hash('abc', 'SHA-512'))", 128),
        ("$hash('abc', 'sha-256')", ERROR),
        ("$hash('abc')", ERROR),
        ("$parse('{\"a\": [1, null]}')", {"a": [1, None]}),
        ("$parse('{\"a\": null}').a", None),
        ("$parse('not json')", ERROR),
        ("$random(7) = $random(7)", True),
        ("$random(7) = $random(8)", False),
        ("$random() != $random()", True),
        ("$uuid() != $uuid()", True),
        ("$contains($uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)", True),
        ("$now()", "2026-01-01T00:00:00.000Z"),
        ("$millis()", 1767225600000),
        ("$now('[Y]-[M01]')", "2026-01"),
        ("$fromMillis($millis())", "2026-01-01T00:00:00.000Z"),
    ],
)
def test_function_of_step_functions(expression: str, expected: Any) -> None:
    assert evaluate(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "$states.input.absent",
        "$neverAssigned",
        "$sum",
        "function($x) { $x }",
        "[$sum]",
        "/regex/",
        "1 + 'a'",
        "$sum('a')",
        "$error('stop')",
        "$assert(false, 'no')",
        "($f := function($n) { 1 + $f($n + 1) }; $f(0))",
        "[1..20000000]",
        "$number('x')",
        "$toMillis('yesterday')",
    ],
)
def test_evaluation_error(expression: str) -> None:
    assert evaluate(expression) == ERROR


def test_endless_expression_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bedrock_customization.rehearsal.interpreter.jsonata_engine.MAX_STEPS", 10_000)
    assert evaluate("($f := function($n) { $f($n + 1) }; $f(0))") == ERROR


@pytest.mark.parametrize(("terms", "expected"), [(100, 100), (101, ERROR)])
def test_depth_of_an_expression_is_limited(terms: int, expected: Any) -> None:
    assert evaluate(" + ".join(["1"] * terms)) == expected


@pytest.mark.parametrize(
    "literal",
    [
        " {% $states.input %} ",
        "{% $states.input %} ",
        "{%",
        "{ % 1 % }",
        "$states.input",
        "$.a",
        "States.Format('{}', 1)",
    ],
)
def test_only_a_whole_string_is_an_expression(literal: str) -> None:
    assert run({"S": {"Type": "Pass", "Output": {"a": [literal]}, "End": True}}).output == {"a": [literal]}


@pytest.mark.parametrize(
    ("output", "location", "said"),
    [
        (
            "{% $states.input.a %}",
            "Output",
            "The JSONata expression '$states.input.a' specified for the field 'Output' returned nothing (undefined).",
        ),
        (
            {"x": [1, {"y": "{% $states.input.a %}"}]},
            "Output/x[1]/y",
            "The JSONata expression '$states.input.a' "
            "specified for the field 'Output/x[1]/y' returned nothing (undefined).",
        ),
        (
            "{% $sum %}",
            "Output",
            "The JSONata expression '$sum' specified for the field 'Output' returned an unsupported result type.",
        ),
        (
            "{% 1 + 'a' %}",
            "Output",
            "The JSONata expression '1 + 'a'' specified for the field 'Output' threw an error "
            "during evaluation. T2002: ",
        ),
    ],
)
def test_failed_expression_is_explained(output: Any, location: str, said: str) -> None:
    execution = run({"First": {"Type": "Pass", "Next": "S"}, "S": {"Type": "Pass", "Output": output, "End": True}})
    cause = "An error occurred while executing the state 'S' (entered at the event id #4). " + said
    assert execution.status == "FAILED"
    assert execution.error == ERROR
    assert execution.cause is not None
    assert execution.cause.startswith(cause)
    failed, ended = execution.history[-2:]
    assert failed["type"] == "EvaluationFailed"
    assert failed["evaluationFailedEventDetails"] == {
        "error": ERROR,
        "cause": execution.cause,
        "location": location,
        "state": "S",
    }
    assert ended["executionFailedEventDetails"] == {"error": ERROR, "cause": execution.cause}


def test_result_of_an_expression_is_a_copy() -> None:
    states = {
        "A": {"Type": "Pass", "Assign": {"v": "{% $states.input %}"}, "Next": "B"},
        "B": {"Type": "Pass", "Output": "{% $v ~> |$|{'a': 2}| %}", "Assign": {"w": "{% $v %}"}, "Next": "C"},
        "C": {"Type": "Pass", "Output": "{% [$v, $w, $states.input] %}", "End": True},
    }
    assert run(states, {"a": 1}).output == [{"a": 1}, {"a": 1}, {"a": 2}]


def test_context_object() -> None:
    states = {
        "W": {"Type": "Wait", "Seconds": 90, "Next": "S"},
        "S": {"Type": "Pass", "Output": "{% $states.context %}", "End": True},
    }
    execution = run(states, {"a": None})
    assert execution.output == {
        "Execution": {
            "Id": "arn:aws:states:eu-west-1:111122223333:execution:Machine:run",
            "Input": {"a": None},
            "StartTime": "2026-01-01T00:00:00.000Z",
            "Name": "run",
            "RoleArn": "arn:aws:iam::111122223333:role/Role",
            "RedriveCount": 0,
        },
        "StateMachine": {"Id": "arn:aws:states:eu-west-1:111122223333:stateMachine:Machine", "Name": "Machine"},
        "State": {"Name": "S", "EnteredTime": "2026-01-01T00:01:30.000Z"},
    }


@pytest.mark.parametrize("value", [None, 0, 1.5, True, "", [], [1], [[1]], [None], [{"a": 1}], {}, {"a": []}])
@pytest.mark.parametrize("path", ["$x", "$x.a", "$x.a.b", " $x.a "])
def test_a_path_of_fields_is_looked_up_as_the_library_evaluates_it(path: str, value: Any) -> None:
    for name in reversed(path.strip().split(".")[1:]):
        value = {name: value}
    bound = {"x": encode(value)}
    assert Expression(path).evaluate(bound, "Output") == Expression(f"({path})").evaluate(bound, "Output")


@pytest.mark.parametrize("path", ["$x.b", "$x.a.b.c", "$y", "$hash"])
def test_a_path_that_leads_nowhere_is_left_to_the_library(path: str) -> None:
    bound = {"x": encode({"a": [{"b": 1}]}), **STATIC_FUNCTIONS}
    with pytest.raises(EvaluationError, match=r"returned (nothing|an unsupported result)"):
        Expression(path).evaluate(bound, "Output")
    assert Expression("$x.a.b").evaluate(bound, "Output") == 1


@pytest.mark.parametrize("first", ["$states.input", "$v"])
@pytest.mark.parametrize(
    "names", ["n", "nil", "absent", "one", "none", "list.b", "deep.x.y", "text.n", "nil.n", "n.absent.n"]
)
@pytest.mark.parametrize("around", ["{}", "[{}]", "$count({})", "{}[0]", "{{'k': {}}}", "$type({})"])
def test_a_path_of_names_gives_what_the_library_gives(
    monkeypatch: pytest.MonkeyPatch, first: str, names: str, around: str
) -> None:
    text = around.format(f"{first}.{names}")
    bindings = {"states": {"input": encode(INPUT)}, "v": encode(INPUT), **STATIC_FUNCTIONS}

    def value() -> Any:
        try:
            return Expression(f"({text})").evaluate(bindings, "Output")
        except EvaluationError as error:
            return error.cause

    followed = value()
    monkeypatch.setattr("bedrock_customization.rehearsal.interpreter.jsonata_engine._plain_path", lambda path: None)
    assert followed == value()


def test_what_a_failed_evaluation_bound_is_gone() -> None:
    expression = Expression("($exists($kept) ? 'kept' : ($kept := 1; $states.input.fails ? $error('failed') : 'gone'))")
    bindings = {"states": {"input": {"fails": True}}, **STATIC_FUNCTIONS}
    with pytest.raises(EvaluationError):
        expression.evaluate(bindings, "Output")
    assert expression.evaluate({"states": {"input": {"fails": False}}, **STATIC_FUNCTIONS}, "Output") == "gone"
