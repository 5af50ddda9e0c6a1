"""Event patterns match as EventBridge's do."""

from typing import Any

import pytest

from bedrock_customization.rehearsal import UnsupportedTemplateError
from bedrock_customization.rehearsal.services.event_pattern import matches

EVENT = {
    "source": "aws.states",
    "detail": {
        "status": "FAILED",
        "count": 5,
        "name": "Nightly-run",
        "tags": ["a", "b"],
        "empty": None,
        "inner": {"x": 1},
    },
}


@pytest.mark.parametrize(
    ("detail", "wanted"),
    [
        ({"status": ["FAILED", "ABORTED"]}, True),
        ({"status": ["SUCCEEDED"]}, False),
        ({"status": [{"prefix": "FAI"}]}, True),
        ({"status": [{"suffix": "ED"}]}, True),
        ({"name": [{"prefix": {"equals-ignore-case": "nightly"}}]}, True),
        ({"name": [{"equals-ignore-case": "NIGHTLY-RUN"}]}, True),
        ({"name": [{"wildcard": "Night*run"}]}, True),
        ({"name": [{"wildcard": "Night?y*"}]}, False),
        ({"status": [{"anything-but": "SUCCEEDED"}]}, True),
        ({"status": [{"anything-but": ["FAILED", "ABORTED"]}]}, False),
        ({"status": [{"anything-but": {"prefix": "FA"}}]}, False),
        ({"missing": [{"anything-but": "x"}]}, False),
        ({"missing": [{"exists": False}]}, True),
        ({"status": [{"exists": False}]}, False),
        ({"empty": [None]}, True),
        ({"count": [{"numeric": [">", 0, "<=", 5]}]}, True),
        ({"count": [{"numeric": ["<", 5]}]}, False),
        ({"count": ["5"]}, False),
        ({"tags": ["b"]}, True),
        ({"tags": ["c"]}, False),
        ({"inner": {"x": [1]}}, True),
        ({"inner": {"y": [1]}}, False),
        ({"$or": [{"status": ["RUNNING"]}, {"count": [5]}]}, True),
        ({"$or": [{"status": ["RUNNING"]}, {"count": [6]}]}, False),
        ({"count": [True]}, False),
    ],
)
def test_patterns(detail: dict[str, Any], wanted: bool) -> None:
    assert matches({"source": ["aws.states"], "detail": detail}, EVENT, "rule") is wanted


def test_an_unknown_operator_is_refused_only_if_the_rest_matches() -> None:
    cidr = {"name": [{"cidr": "10.0.0.0/8"}]}

    assert matches({"source": ["aws.ec2"], "detail": cidr}, EVENT, "rule") is False
    with pytest.raises(UnsupportedTemplateError, match=r"rule\.detail\.name uses the event pattern operator cidr"):
        matches({"source": ["aws.states"], "detail": cidr}, EVENT, "rule")
