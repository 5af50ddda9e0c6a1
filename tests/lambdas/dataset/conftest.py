import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

BUCKETS = ("training", "validation", "results")


@pytest.fixture(scope="module")
def mocked_s3() -> Iterator[Any]:
    """An S3 client with the three buckets of a workflow; starting the mock takes longer than most tests."""
    with mock_aws():
        client = boto3.client("s3")
        for bucket in BUCKETS:
            client.create_bucket(Bucket=bucket)
        yield client


@pytest.fixture
def s3(mocked_s3: Any) -> Iterator[Any]:
    """An S3 client with the three buckets of a workflow, empty."""
    yield mocked_s3
    for bucket in BUCKETS:
        for item in mocked_s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            mocked_s3.delete_object(Bucket=bucket, Key=item["Key"])


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes lines, or objects as JSON lines, to a file."""

    def write_lines(*lines: Any, name: str = "data.jsonl") -> Path:
        path = tmp_path / name
        raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        path.write_bytes(b"".join(line + b"\n" for line in raw))
        return path

    return write_lines
