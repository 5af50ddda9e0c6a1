"""Paths and intrinsic functions give what recorded executions of the service show."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bedrock_customization.rehearsal.interpreter.jsonpath.functions import ArgumentError
from bedrock_customization.rehearsal.interpreter.jsonpath.intrinsic import Intrinsic
from bedrock_customization.rehearsal.interpreter.jsonpath.path import NotFoundError, Path

DATA: dict[str, Any] = {
    "order": {"lines": [{"sku": "a", "count": 1}, {"sku": "b", "count": 12, "gift": True}, {"sku": "c", "count": 3}]},
    "sold-out": None,
    'it"s': 1,
    "it's": 2,
    "back\\slash": 3,
    "tags": ["x", "y", "z"],
    "text": "t",
}
LINES = DATA["order"]["lines"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", DATA),
        ("$.text", "t"),
        ("$.sold-out", None),
        ("$['it\"s']", 1),
        ("$['it\\'s']", 2),
        ("$['back\\slash']", 3),
        ("$.order.lines[1].sku", "b"),
        ("$.order['lines'][-1]['sku']", "c"),
        ("$.order.lines[*].sku", ["a", "b", "c"]),
        ("$.order.*[0].sku", ["a"]),
        ("$.order.lines[0:2].count", [1, 12]),
        ("$.order.lines[-2:].count", [12, 3]),
        ("$.tags[0,2]", ["x", "z"]),
        ("$..sku", ["a", "b", "c"]),
        ("$..nothing", []),
        ("$.order.lines[*].gift", [True]),
        ("$.order.lines[?(@.gift)].sku", ["b"]),
        ("$.order.lines[?(!@.gift)].sku", ["a", "c"]),
        ("$.order.lines[?(@.count > 2 && @.count <= 3)].sku", ["c"]),
        ("$.order.lines[?(@.count == 1 || @.sku == 'b')].sku", ["a", "b"]),
        ("$.order.lines[?(@.sku in ['a', \"c\"])].count", [1, 3]),
        ("$.order.lines[?(@.sku =~ /[B-Z]/i)].count", [12, 3]),
        ("$.order.lines[?(@.sku != 'a' && !(@.count == 3))].count", [12]),
        ("$.order.lines[?(@.count == 99)]", []),
    ],
)
def test_path(path: str, found: Any) -> None:
    assert Path(path).find(DATA) == found


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("$.nope", "No results for path: $['nope']"),
        ("$.order.nope", "No results for path: $['order']['nope']"),
        ("$.nope.deeper", "Missing property in path $['nope']"),
        ("$.nope[*]", "Missing property in path $['nope']"),
        ("$.tags[3]", "No results for path: $['tags'][3]"),
        ("$.text[0]", 'Filter: [0] can only be applied to arrays. Current context is: "t"'),
    ],
)
def test_path_to_nothing(path: str, reason: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        Path(path).find(DATA)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a",
        "a.b",
        "$a.",
        "$.a[",
        "$.a[?(@.b]",
        "$.a b",
        "$.a.length()",
        "$.a['b','c']",
        "$.a[?(@.b ~ 1)]",
        "$.[",
        "$x[",
    ],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="got"):
        Path(path)


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("States.Format('Hello {}, {}!', $.text, 1.5)", "Hello t, 1.5!"),
        ("States.Format('{} \\{\\} it\\'s \\\\', null)", "null {} it's \\"),
        ("States.Format($.template, $.text)", "t?"),
        ("States.Format('{}', $.order.lines[1])", "{sku=b, count=12, gift=true}"),
        ("States.Format('{}', $.tags)", "[x, y, z]"),
        ("States.Array($.text, 1, true, null, 'a')", ["t", 1, True, None, "a"]),
        ("States.Array()", []),
        ("States.ArrayContains($.tags, 'y')", True),
        ("States.ArrayContains(States.Array(1, true), 1)", True),
        ("States.ArrayContains(States.Array(true), 1)", False),
        ("States.ArrayGetItem($.tags, 2)", "z"),
        ("States.ArrayLength($.tags)", 3),
        ("States.ArrayPartition($.tags, 2)", [["x", "y"], ["z"]]),
        ("States.ArrayRange(1, 9, 2)", [1, 3, 5, 7, 9]),
        ("States.ArrayUnique(States.Array(1, 2, 1, true))", [1, 2, True]),
        ("States.Base64Encode('Data to encode')", "RGF0YSB0byBlbmNvZGU="),
        ("States.Base64Decode('RGVjb2RlZCBkYXRh')", "Decoded data"),
        ("States.Hash('input data', 'SHA-1')", "aaff4a450a104cd177d28d18d74485e8cae074b7"),
        ("States.JsonMerge($.order.lines[0], $.order.lines[1], false)", {"sku": "b", "count": 12, "gift": True}),
        ("States.JsonToString($.order.lines[0])", '{"sku":"a","count":1}'),
        ("States.StringToJson('[1, \"a\"]')", [1, "a"]),
        ("States.StringToJson('\\{\"a\": 1\\}')", {"a": 1}),
        # Rounded half up, each by itself, as recorded executions show.
        ("States.MathAdd(1.49, 1.5)", 3),
        ("States.MathAdd(1.5, 1.51)", 4),
        ("States.MathAdd(-1.49, -1.5)", -2),
        ("States.StringSplit(', , ,', ',')", [" ", " "]),
        ("States.StringSplit('This.is+a,test=string', '.+,=')", ["This", "is", "a", "test", "string"]),
        ("States.StringSplit('split on T and \\\\', 'T')", ["split on ", " and \\"]),
        ("States.ArrayGetItem(States.StringSplit($.text, ','), 0)", "t"),
        ("States.Format('{}', $.order.lines[?(@.sku == 'a')].count)", "[1]"),
    ],
)
def test_intrinsic_function(call: str, value: Any) -> None:
    data = {**DATA, "template": "{}?"}
    assert Intrinsic(call).call(lambda path: path.find(data), random.Random(0)) == value


def test_random_functions_are_seeded() -> None:
    def draw(call: str, seed: int) -> Any:
        return Intrinsic(call).call(lambda path: path.find(DATA), random.Random(seed))

    assert draw("States.UUID()", 1) == draw("States.UUID()", 1) != draw("States.UUID()", 2)
    assert draw("States.MathRandom(1, 999, 5)", 1) == draw("States.MathRandom(1, 999, 5)", 2)
    assert {draw("States.MathRandom(1, 3)", seed) for seed in range(20)} == {1, 2}


@pytest.mark.parametrize(
    "call",
    [
        "States.ArrayGetItem($.tags, 3)",
        "States.ArrayLength($.text)",
        "States.ArrayPartition($.tags, 0)",
        "States.ArrayRange(1, 9, 0)",
        "States.ArrayRange(1, 2000, 1)",
        "States.Base64Decode('?')",
        "States.Format('{} {}', 1)",
        "States.Format('{}', 1, 2)",
        "States.Format($.tags)",
        "States.Hash('a', 'CRC')",
        "States.JsonMerge($, $, true)",
        "States.JsonMerge($, $.text, false)",
        "States.MathAdd($.text, 1)",
        "States.MathRandom(2, 2)",
        "States.StringSplit($.tags, ',')",
        "States.StringToJson('{')",
    ],
)
def test_arguments_that_a_function_cannot_use(call: str) -> None:
    with pytest.raises(ArgumentError):
        Intrinsic(call).call(lambda path: path.find(DATA), random.Random(0))


@pytest.mark.parametrize(
    "call",
    [
        "States.Nope()",
        "States.Hash('a')",
        "States.Format()",
        "States.UUID(1)",
        "States.Array(1",
        "States.Array(1 2)",
        "States.Array(1) 2",
        "States.Array(abc)",
        "States.StringToJson('An \\\"escaped quote\\\"')",
    ],
)
def test_what_is_no_call_is_refused(call: str) -> None:
    with pytest.raises(ValueError, match="got"):
        Intrinsic(call)
