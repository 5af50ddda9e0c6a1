"""Distributed Map states, rendered in full."""

from __future__ import annotations

from typing import Any

from aws_cdk import Aws
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct


def distributed_map(
    scope: Construct,
    construct_id: str,
    *,
    label: str,
    item_processor: sfn.IChainable,
    item_selector: dict[str, Any],
    max_concurrency: int,
    result_bucket: str,
    result_prefix: str,
    item_reader: dict[str, Any] | None = None,
    items: str | None = None,
    tolerated_failure_percentage: int = 0,
    retries: list[dict[str, Any]] | None = None,
    output: Any = None,
    assign: dict[str, Any] | None = None,
) -> sfn.CustomState:
    """A Distributed Map whose results go to S3 as JSON lines.

    It is a `CustomState`: the CDK's `DistributedMap` drops `result_writer_v2` unless the app sets a feature flag, drops
    a tolerated failure count of 0, and grants nothing for a key that is only known at run time.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        label: The label of its Map Runs' ARNs, at most 40 characters.
        item_processor: The states that every item runs through.
        item_selector: The input of a child.
        max_concurrency: Children that run at the same time.
        result_bucket: The bucket of the results.
        result_prefix: The prefix of the results, a JSONata expression; the Map Run's id is appended.
        item_reader: Bucket, key and type of the items in S3.
        items: The items as a JSONata expression, when they are not in S3.
        tolerated_failure_percentage: The share of children that may fail.
        retries: Retriers of the whole Map Run.
        output: The state's output.
        assign: Variables to assign.
    """
    graph = sfn.StateGraph(item_processor.start_state, f"{construct_id} children")
    state: dict[str, Any] = {
        "Type": "Map",
        "Label": label,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            **graph.to_graph_json(sfn.QueryLanguage.JSONATA),
        },
        "ItemSelector": item_selector,
        "MaxConcurrency": max_concurrency,
        "ToleratedFailurePercentage": tolerated_failure_percentage,
        "ResultWriter": {
            "Resource": f"arn:{Aws.PARTITION}:states:::s3:putObject",
            "Arguments": {"Bucket": result_bucket, "Prefix": result_prefix},
            "WriterConfig": {"OutputType": "JSONL", "Transformation": "FLATTEN"},
        },
    }
    optional = {"ItemReader": item_reader, "Items": items, "Retry": retries, "Output": output, "Assign": assign}
    state |= {field: value for field, value in optional.items() if value is not None}
    return sfn.CustomState(scope, construct_id, state_json=state)


def read_json_lines(bucket: str, key: str) -> dict[str, Any]:
    """An item reader of a JSONL object.

    Args:
        bucket: The bucket's name.
        key: The key, a JSONata expression.
    """
    return {
        "Resource": f"arn:{Aws.PARTITION}:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSONL"},
        "Arguments": {"Bucket": bucket, "Key": key},
    }
