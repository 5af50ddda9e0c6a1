"""The dataset function's entry point."""

from typing import Any

import boto3

from dataset.customization import check_customization
from dataset.errors import InvalidInput
from dataset.evaluation_check import check_evaluation

OPERATIONS = {
    "checkCustomization": check_customization,
    "checkEvaluation": check_evaluation,
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Do what the event's `operation` says.

    Args:
        event: `{"operation": "checkCustomization"|"checkEvaluation", ...}`; the rest as the operation's
            function documents it.
        context: Lambda's context; not used.

    Returns:
        What the operation returns.

    Raises:
        InvalidInput: The operation is unknown, or the operation says so.
    """
    operation = event.get("operation")
    if operation not in OPERATIONS:
        raise InvalidInput([f"operation: must be one of {', '.join(OPERATIONS)}, got {operation!r}."])
    return OPERATIONS[operation](event, boto3.client("s3"))
