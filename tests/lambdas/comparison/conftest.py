import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

PREFIX = "runs/0123456789abcdef/"
GATE = {"metric": "bertscore_f1", "minImprovement": 0.0, "confidence": 0.95, "minCoverage": 0.99}


@pytest.fixture(scope="module")
def mocked_s3() -> Iterator[Any]:
    """An S3 client with a results bucket; starting the mock takes longer than most tests."""
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="results")
        yield client


@pytest.fixture
def s3(mocked_s3: Any) -> Iterator[Any]:
    """An S3 client with an empty results bucket."""
    yield mocked_s3
    for item in mocked_s3.list_objects_v2(Bucket="results").get("Contents", []):
        mocked_s3.delete_object(Bucket="results", Key=item["Key"])


class Run:
    """The score files of one run, and the events that concern them."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.shards = 0
        self.rows = 0

    def add_shard(self, rows: list[dict[str, Any]], changes: dict[str, Any] | None = None) -> None:
        """Write a score file as the scoring function does."""
        shard = {
            "index": self.shards,
            "rows": len(rows),
            "counted": sum(row["counted"] for row in rows),
            "signatures": {"bertscore": "bertscore|encoder:test"},
            "truncated": {"base": 1, "custom": 0, "references": 0},
            "scores": rows,
        } | (changes or {})
        self.put(f"scores/{self.shards:05d}.json", json.dumps(shard))
        self.shards += 1
        self.rows += len(rows)

    def put(self, name: str, body: str) -> None:
        self.client.put_object(Bucket="results", Key=PREFIX + name, Body=body)

    def get(self, name: str) -> str:
        return self.client.get_object(Bucket="results", Key=PREFIX + name)["Body"].read().decode()

    def results(self) -> dict[str, Any]:
        return json.loads(self.get("results.json"))

    def compare_event(self, **changes: Any) -> dict[str, Any]:
        return {
            "operation": "compare",
            "bucket": "results",
            "prefix": PREFIX,
            "shards": self.shards,
            "records": self.rows,
            "models": ["base", "custom"],
            "baseline": "base",
            "gate": GATE,
        } | changes

    def report_event(self, **changes: Any) -> dict[str, Any]:
        return {
            "operation": "report",
            "bucket": "results",
            "prefix": PREFIX,
            "verdict": "BETTER",
            "winner": "custom",
            "models": [{"name": "base", "modelId": "amazon.nova-micro-v1:0"}, {"name": "custom"}],
            "evaluationDataKey": f"{PREFIX}evaluation.jsonl",
            "responses": [f"{PREFIX}responses/map/SUCCEEDED_0.json"],
            "gate": GATE,
        } | changes


@pytest.fixture
def run(s3: Any) -> Run:
    """An empty run."""
    return Run(s3)


def scored(identifier: int, category: str | None = None, **values: Any) -> dict[str, Any]:
    """A row that counts; each value is a BERTScore F1, or a dictionary of metrics."""
    row = {
        "id": str(identifier),
        "counted": True,
        "problems": {},
        "values": {
            model: value if isinstance(value, dict) else {"bertscore_f1": value} for model, value in values.items()
        },
    }
    return row if category is None else row | {"category": category}


@pytest.fixture
def score() -> Any:
    """Makes a row that counts."""
    return scored
