"""The scoring function: scores one shard of responses."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import boto3

from scoring.bertscore.document_frequencies import DocumentFrequencies
from scoring.errors import InvalidInput
from scoring.evaluators import open_evaluators
from scoring.frequencies import count_document_frequencies, merge_document_frequencies, read_frequencies
from scoring.metrics.selection import open_metrics
from scoring.progress import Progress
from scoring.request import Request
from scoring.rows import Row, read_row
from scoring.shard import Line, Shard

FIRST_BATCH_ROWS = 32
BATCH_ROWS = 512
BATCH_BYTES = 2 * 1024 * 1024


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do what the event's `operation` says; score a shard if it says nothing.

    Args:
        event: `{"operation"?: "score"|"countDocumentFrequencies"|"mergeDocumentFrequencies", ...}`; the rest as the
            operation's function documents it.
        context: The Lambda context.

    Returns:
        What the operation returns.

    Raises:
        InvalidInput: the operation is unknown, or the operation says so.
    """
    operation = event.get("operation", "score")
    if operation == "score":
        return score_shard(event, context)
    if operation == "countDocumentFrequencies":
        return count_document_frequencies(event, boto3.client("s3"))
    if operation == "mergeDocumentFrequencies":
        return merge_document_frequencies(event, boto3.client("s3"))
    raise InvalidInput(
        f"operation: got {operation!r}; allowed are score, countDocumentFrequencies and mergeDocumentFrequencies."
    )


def score_shard(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Score the rows of a shard and write the scores to one S3 object.

    Rows are read while others are scored. A row that cannot be scored is reported and the others are scored. A
    repeated call overwrites the same object.

    Args:
        event: See `Request.from_event` for the fields, and `scoring.metrics.selection.OPTIONS` for the metrics. A row
            is `{"id", "category"?, "references": [...], "responses": {model: {"text", "stopReason"}}}`; with several
            references each value is the best one over the references.
        context: The Lambda context.

    Returns:
        `{"index", "rows", "counted"}`. The object at `output` has these and `signatures`, `truncated` and `scores`:
        for each row `{"id", "category"?, "counted", "problems": {model: reason}, "values": {model: {metric: number}}}`.

    Raises:
        InvalidInput: the event is wrong, or an object does not exist.
        InvalidEncoder: the image's encoder cannot be used.
        EvaluatorFailed: a metric of the user's own failed.
        InvalidEvaluation: it returned something else than numbers.
        InsufficientTime: the shard would not be done before the function is stopped.
    """
    request = Request.from_event(event)
    client = boto3.client("s3")
    metrics = open_metrics(request.metrics, lambda: _frequencies(client, request))
    metrics |= open_evaluators(request.evaluators, request.models)
    shard = Shard(client, request.bucket, request.key, request.start, request.end)
    progress = Progress(shard, request.index, context)
    scores: list[dict[str, Any]] = []
    for lines in _batches(shard.lines()):
        rows = [read_row(line, request.models) for line in lines]
        for metric in metrics.values():
            metric.score(rows)
        scores.extend(map(_score, rows))
        progress.add(len(rows), sum(row.counted for row in rows), lines[-1].end)
    truncated = dict.fromkeys([*request.models, "references"], 0)
    for metric in metrics.values():
        truncated.update(getattr(metric, "truncated", {}))
    summary = {"index": request.index, "rows": progress.rows, "counted": progress.counted}
    signatures = {name: metric.signature for name, metric in metrics.items()}
    result = {**summary, "signatures": signatures, "truncated": truncated, "scores": scores}
    client.put_object(
        Bucket=request.bucket,
        Key=request.output,
        Body=json.dumps(result, allow_nan=False).encode(),
        ContentType="application/json",
    )
    progress.report(truncated)
    return summary


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Batch lines, at first few of them so that the pace is soon known."""
    batch: list[Line] = []
    size, rows = 0, FIRST_BATCH_ROWS
    for line in lines:
        batch.append(line)
        size += len(line.content)
        if len(batch) >= rows or size >= BATCH_BYTES:
            yield batch
            batch, size, rows = [], 0, min(2 * rows, BATCH_ROWS)
    if batch:
        yield batch


def _score(row: Row) -> dict[str, Any]:
    category = {"category": row.category} if row.category is not None else {}
    return {"id": row.id, **category, "counted": row.counted, "problems": row.problems, "values": row.values}


def _frequencies(client: Any, request: Request) -> DocumentFrequencies:
    if request.document_frequencies is None:
        raise InvalidInput(
            "documentFrequencies: missing; BERTScore with idf needs the document frequencies of all references. "
            "Give the key of the merged frequencies, or switch idf off."
        )
    return read_frequencies(client, request.bucket, request.document_frequencies)
