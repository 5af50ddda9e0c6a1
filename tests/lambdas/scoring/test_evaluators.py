"""The contract of a metric of the user's own."""

import io
import json
from typing import Any

import pytest

from scoring.errors import EvaluatorFailed, InvalidEvaluation
from scoring.evaluators import EvaluatorMetric
from scoring.rows import Row


class LambdaClient:
    """Answers Invoke with what a function of the event returns."""

    def __init__(self, answer: Any, error: str | None = None) -> None:
        self.answer, self.error, self.events = answer, error, []

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        self.events.append(json.loads(Payload))
        body = self.answer(self.events[-1]) if callable(self.answer) else self.answer
        response = {"Payload": io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())}
        return response | ({"FunctionError": self.error} if self.error else {})


def rows() -> list[Row]:
    return [
        Row("1", category="x", prompt={"messages": []}, references=["r"], answers={"base": "a", "custom": "bb"}),
        Row("2", references=["r"], answers={"custom": "ccc"}, problems={"base": "max_tokens"}),
        Row("3", references=["r"], problems={"base": "empty", "custom": "empty"}),
    ]


def score(client: LambdaClient) -> list[Row]:
    scored = rows()
    EvaluatorMetric("length", "arn:function", ["base", "custom"], client).score(scored)
    return scored


def lengths(event: dict[str, Any]) -> dict[str, Any]:
    return {"values": {row["id"]: {m: len(text) for m, text in row["responses"].items()} for row in event["rows"]}}


def test_every_complete_answer_gets_a_number() -> None:
    client = LambdaClient(lengths)
    assert [row.values for row in score(client)] == [
        {"base": {"length": 1.0}, "custom": {"length": 2.0}},
        {"custom": {"length": 3.0}},
        {},
    ]
    (event,) = client.events
    assert event == {
        "name": "length",
        "models": ["base", "custom"],
        "rows": [
            {
                "id": "1",
                "category": "x",
                "messages": [],
                "references": ["r"],
                "responses": {"base": "a", "custom": "bb"},
            },
            {"id": "2", "references": ["r"], "responses": {"custom": "ccc"}},
        ],
    }


def test_rows_without_answers_ask_nobody() -> None:
    client = LambdaClient(lengths)
    EvaluatorMetric("length", "arn:function", ["base"], client).score(rows()[2:])
    assert client.events == []


def test_an_answer_that_cannot_be_judged_has_no_value() -> None:
    values = {"1": {"base": None, "custom": 1}, "2": {"custom": 0.5}}
    assert score(LambdaClient({"values": values}))[0].values["base"] == {"length": None}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"null", "returned None"),
        ({"scores": {}}, "returned {'scores': {}}"),
        ({"values": {"2": {"custom": 1}}}, "returned None for row '1'"),
        ({"values": {"1": {"base": 1}, "2": {"custom": 1}}}, "returned {'base': 1} for row '1'"),
        ({"values": {"1": {"base": 1, "custom": 1}, "2": {"base": 1, "custom": 1}}}, "for row '2'"),
        ({"values": {"1": {"base": True, "custom": 1}, "2": {"custom": 1}}}, "returned True for row '1'"),
        ({"values": {"1": {"base": "0.5", "custom": 1}, "2": {"custom": 1}}}, "returned '0.5' for row '1'"),
        (b'{"values": {"1": {"base": NaN, "custom": 1}, "2": {"custom": 1}}}', "returned nan for row '1'"),
        ({"values": {"1": {"base": 1, "custom": 1}, "2": {"custom": 1}, "9": {}}}, "returned row '9', which was not"),
    ],
)
def test_anything_but_a_number_for_each_answer_is_refused(answer: Any, message: str) -> None:
    with pytest.raises(InvalidEvaluation, match=r"^evaluators\.length: the function arn:function returned") as raised:
        score(LambdaClient(answer))
    assert message in str(raised.value)


def test_a_function_that_fails_is_named_with_its_error() -> None:
    client = LambdaClient({"errorType": "KeyError", "errorMessage": "'rows'"}, error="Unhandled")
    with pytest.raises(EvaluatorFailed, match=r"^evaluators\.length: the function arn:function failed: .*KeyError"):
        score(client)
