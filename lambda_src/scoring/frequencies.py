"""Document frequencies over all shards: counted shard by shard, merged once, read by every call that scores."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from scoring.bertscore.document_frequencies import DocumentFrequencies
from scoring.errors import InvalidInput
from scoring.rows import read_row
from scoring.shard import Line, Shard

TEXTS_AT_ONCE = 1000


def count_document_frequencies(event: dict[str, Any], client: Any) -> dict[str, int]:
    """Count in how many references of a shard each token of the encoder occurs.

    Args:
        event: `{"shard": {"index", "key", "start", "end"}, "bucket", "output"}`.
        client: A boto3 S3 client.

    Returns:
        `{"index", "documents"}`; the counts are written to `output`.
    """
    from scoring.metrics.bertscore import DEFAULT_DIRECTORY, open_scorer  # torch takes a second to import

    scorer = open_scorer(os.environ.get("ENCODER_DIRECTORY", DEFAULT_DIRECTORY), "fp32")
    shard = event["shard"]
    lines = Shard(client, event["bucket"], shard["key"], shard["start"], shard["end"]).lines()
    frequencies = DocumentFrequencies()
    for texts in _batches(lines):
        frequencies += scorer.document_frequencies(texts)
    write_frequencies(client, event["bucket"], event["output"], frequencies)
    return {"index": shard["index"], "documents": frequencies.documents}


def merge_document_frequencies(event: dict[str, Any], client: Any) -> dict[str, Any]:
    """Add up the counts of all shards.

    Args:
        event: `{"bucket", "prefix", "shards": how many}`; the counts are `<prefix>frequencies/00000.json` and on.
        client: A boto3 S3 client.

    Returns:
        `{"documents", "key": where the sums are}`.
    """
    total = DocumentFrequencies()
    for index in range(event["shards"]):
        total += read_frequencies(client, event["bucket"], f"{event['prefix']}frequencies/{index:05d}.json")
    key = f"{event['prefix']}document-frequencies.json"
    write_frequencies(client, event["bucket"], key, total)
    return {"documents": total.documents, "key": key}


def write_frequencies(client: Any, bucket: str, key: str, frequencies: DocumentFrequencies) -> None:
    """Write counts as `{"documents", "counts": {"<token id>": number}}`."""
    body = json.dumps({"documents": frequencies.documents, "counts": frequencies.counts}).encode()
    client.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")


def read_frequencies(client: Any, bucket: str, key: str) -> DocumentFrequencies:
    """Read counts.

    Raises:
        InvalidInput: the object does not exist.
    """
    try:
        stored = json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        raise InvalidInput(
            f"documentFrequencies: {key} does not exist in bucket {bucket}; BERTScore with idf needs the frequencies "
            "of all shards' references. Count and merge them first, or switch idf off."
        ) from None
    return DocumentFrequencies(stored["documents"], Counter({int(i): n for i, n in stored["counts"].items()}))


def _batches(lines: Iterator[Line]) -> Iterator[list[str]]:
    texts: list[str] = []
    for line in lines:
        texts += read_row(line, ()).references
        if len(texts) >= TEXTS_AT_ONCE:
            yield texts
            texts = []
    if texts:
        yield texts
