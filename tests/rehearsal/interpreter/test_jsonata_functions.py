"""JSONata's functions and their errors, in the words of JSONata 2.0.6, which Step Functions runs.

What Step Functions adds or limits was measured on the real service and published; the rest was compared with the
reference implementation.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.rehearsal.interpreter.machines import evaluate, run

INPUT = {"nil": None, "rows": [{"n": 2}, {"n": 1}], "name": "Zoë"}


def tail(expression: str) -> str:
    """Give what a failed expression's cause says after the expression and its field."""
    execution = run({"S": {"Type": "Pass", "Output": "{% " + expression + " %}", "End": True}}, INPUT)
    assert execution.error == "States.QueryEvaluationError"
    assert execution.cause is not None
    return execution.cause.rpartition("threw an error during evaluation")[2]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("$string({'name': 'Zoë', 'rows': [1.5, null, true]})", '{"name":"Zoë","rows":[1.5,null,true]}'),
        ("'for ' & $states.input", 'for {"nil":null,"rows":[{"n":2},{"n":1}],"name":"Zoë"}'),
        ("$string([], true) & $string({'a': [1]}, true)", '[]{\n  "a": [\n    1\n  ]\n}'),
        ("$string(1e15)", "1000000000000000"),
        ("$string(2e20)", "200000000000000000000"),
        ("$string(-2e21)", "-2e+21"),
        ("$string(2.5e-7)", "2.5e-7"),
        ("$string(0.000025)", "0.000025"),
        ("$string(2/3)", "0.666666666666667"),
        ("$string($parse('[9007199254740993]'))", "[9007199254740993]"),
        ("$string(-1234.5)", "-1234.5"),
        ("$string(-1/0)", "-Infinity"),
        ("'sum: ' & function($x) { $x }", "sum: "),
    ],
)
def test_values_as_text(expression: str, text: str) -> None:
    assert evaluate(expression, INPUT) == text


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$partition([5, 6, 7])", [[5, 6, 7]]),
        ("$random(42)", 0.7275636800328681),
        ("$random(7.9)", 0.7306990420600421),
        ("$parse('[1.0, 1e2, 2.5]')", [1, 100, 2.5]),
        ("$parseInteger('many', '0')", "NaN"),
        ("$number('0x1F')", 31),
        ("$number('-12.5e1')", -125),
        ("$count(null)", 1),
        ("$map(null, function($v) { [$v] })", [None]),
        ("$distinct([1, true, 1.0, [0], [false]])", [1, True, [0], [False]]),
        ("$distinct([4, 4])", [4]),
        ("1 in [true]", False),
        ("null in [1, null]", True),
        ("$toMillis('2026-02')", 1769904000000),
        ("$sort([{'a': 1}])", [{"a": 1}]),
        ("true and $lookup({}, 'absent') != null", False),
        ("'yes' and true", True),
    ],
)
def test_values(expression: str, value: Any) -> None:
    assert evaluate(expression, INPUT) == value


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("$uppercase(5)", '. T0410: Argument 1 of function "uppercase" does not match function signature'),
        ("$uppercase(null)", '. T0410: Argument 1 of function "uppercase" does not match function signature'),
        ("$lookup({}, 5)", '. T0410: Argument 2 of function "lookup" does not match function signature'),
        ("$range(1, 2, 1, 0)", '. T0410: Argument 4 of function "range" does not match function signature'),
        ("$uuid('x')", '. T0410: Argument 1 of function "uuid" does not match function signature'),
        ("$random(1, 2)", '. T0410: Argument 2 of function "random" does not match function signature'),
        ("$parse(null)", '. T0410: Argument 1 of function "parse" does not match function signature'),
        ("($up := $uppercase; $up(1))", '. T0410: Argument 1 of function "up" does not match function signature'),
        ("true and $lookup({}, 5)", '. T0410: Argument 2 of function "and" does not match function signature'),
        (
            "$states.input.rows.$uppercase()",
            '. T0411: Context value is not a compatible type with argument 1 of function "uppercase"',
        ),
        ("$sum(['x'])", '. T0412: Argument 1 of function "sum" must be an array of "numbers"'),
        ("$merge([7])", '. T0412: Argument 1 of function "merge" must be an array of "objects"'),
        ("7 - 'x'", '. T2002: The right side of the "-" operator must evaluate to a number'),
        (
            "$map([1], function($v) { 'x' * 2 })",
            '. T2001: The left side of the "*" operator must evaluate to a number',
        ),
        ("7 > 'x'", '. T2009: The values 7 and "x" either side of operator ">" must be of the same data type'),
        ("null > 1", '. T2010: The expressions either side of operator ">" must evaluate to numeric or string values'),
        ("-'x'", '. D1002: Cannot negate a non-numeric value: "x"'),
        ("{'k': 1, 'k': 2}", '. D1009: Multiple key definitions evaluate to same key: "k"'),
        ("$replace('x', '', 'y')", ". D3010: Second argument of replace function cannot be an empty string"),
        ("$number('1,5')", '. D3030: Unable to cast value to a number: "1,5"'),
        ("$sqrt(-4)", ". D3060: The sqrt function cannot be applied to a negative number: -4"),
        (
            "$power(-4, 0.5)",
            ". D3061: The power function has resulted in a value that cannot be represented as a JSON number: "
            "base=-4, exponent=0.5",
        ),
        (
            "$formatBase(1, 40)",
            ". D3100: The radix of the formatBase function must be between 2 and 36.  It was given 40",
        ),
        (
            "$toMillis('soon')",
            '. D3110: The argument of the toMillis function must be an ISO 8601 formatted timestamp. Given "soon"',
        ),
        ("$error('out of stock')", ". D3137: out of stock"),
        ("$parse('{')", ". D3137: Invalid JSON"),
        ('$parse(\'{"a": 1, "a": 2}\')', ". D3137: Invalid JSON"),
        ("$partition([1], -1)", ". D3137: Second argument must be zero or greater"),
        ("$decodeUrl('%E0%A4%A')", '. D3140: Malformed URL passed to $decodeUrl(): "%E0%A4%A"'),
        ("$assert(1 = 2, 'not so')", ". D3141: not so"),
        ("$states.input.name()", ". T1006: Attempted to invoke a non-function"),
    ],
)
def test_error_says(expression: str, said: str) -> None:
    assert tail(expression) == said


DOUBLED = "($d := function($s, $n) { $n = 0 ? $s : $d($s & $s, $n - 1) }; $length($d('x', %d)))"


def test_sizes_that_the_service_allows() -> None:
    assert evaluate("[1..873782] ~> $count()") == 873_782
    assert evaluate("$count($range(1, 360145, 1))") == 360_145
    assert evaluate(DOUBLED % 22) == 2**22


@pytest.mark.parametrize("expression", ["[1..873783] ~> $count()", "$range(1, 360146, 1)", DOUBLED % 23])
def test_sizes_that_the_service_refuses(expression: str) -> None:
    assert tail(expression) == ": Expression evaluation memory limit exceeded: Check for excessive memory usage"


def test_deep_and_endless_recursion(monkeypatch: pytest.MonkeyPatch) -> None:
    nested = "($f := function($n) { $n = 0 ? 0 : 1 + $f($n - 1) }; $f(%d))"
    assert evaluate(nested % 31) == 31
    assert tail(nested % 32) == (
        ": Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive"
    )
    monkeypatch.setattr("bedrock_customization.rehearsal.interpreter.jsonata_engine.MAX_STEPS", 10_000)
    assert tail("($f := function() { $f() }; $f())") == ": Expression evaluation timeout: Check for infinite loop"


def test_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate("'x' ~> $states.input", INPUT) == "States.QueryEvaluationError"
    assert capsys.readouterr().out == ""
