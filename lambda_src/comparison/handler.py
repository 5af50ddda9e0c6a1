"""The comparison function's entry point."""

from typing import Any

import boto3

from comparison.compare import compare
from comparison.errors import InvalidInput
from comparison.report import report

OPERATIONS = {"compare": compare, "report": report}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Do what the event's `operation` says.

    Args:
        event: `{"operation": "compare"|"report", ...}`; the rest as the operation's function documents it.
        context: Lambda's context; not used.

    Returns:
        What the operation returns.

    Raises:
        InvalidInput: The operation is unknown, or the operation says so.
    """
    operation = event.get("operation")
    if operation not in OPERATIONS:
        raise InvalidInput(f"operation: must be one of {', '.join(OPERATIONS)}, got {operation!r}.")
    return OPERATIONS[operation](event, boto3.client("s3"))
