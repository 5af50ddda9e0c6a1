"""Reads the files that the scoring function wrote, one at a time."""

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from comparison.errors import InvalidData

MISSING = ("NoSuchKey", "404", "AccessDenied")
"""S3 answers AccessDenied instead of NoSuchKey to a caller that may not list the bucket."""
NAMED = 10


def read_shards(client: Any, bucket: str, prefix: str, shards: int) -> Iterator[dict[str, Any]]:
    """Yield the contents of every score file.

    Args:
        client: A boto3 S3 client.
        bucket: The results bucket.
        prefix: The run's prefix; the files are `<prefix>scores/00000.json` and on.
        shards: How many there must be.

    Yields:
        `{"index", "rows", "counted", "signatures", "truncated", "scores": [...]}`.

    Raises:
        InvalidData: A file is missing, cut, or not the one that its name says; nothing is compared without it.
    """
    missing = []
    for index in range(shards):
        key = f"{prefix}scores/{index:05d}.json"
        try:
            body = client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] not in MISSING:
                raise
            missing.append(key)
            continue
        if not missing:
            yield _checked(body, index, key)
    if missing:
        names = ", ".join(missing[:NAMED]) + (", ..." if len(missing) > NAMED else "")
        raise InvalidData(
            f"shards: {len(missing)} of {shards} score files are missing in {bucket}: {names}. "
            "Redrive the execution, so that these shards are scored again."
        )


def _checked(body: bytes, index: int, key: str) -> dict[str, Any]:
    try:
        shard = json.loads(body)
    except ValueError as error:
        raise InvalidData(f"{key}: not JSON ({error}). Redrive the execution to score the shard again.") from error
    if shard["index"] != index or shard["rows"] != len(shard["scores"]):
        raise InvalidData(
            f"{key}: says that it is shard {shard['index']} with {shard['rows']} rows, expected shard {index} with "
            f"{len(shard['scores'])}. Redrive the execution to score the shard again."
        )
    return shard  # type: ignore[no-any-return]
