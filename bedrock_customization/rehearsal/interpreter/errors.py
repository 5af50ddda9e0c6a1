"""The error names of Step Functions and what Retry and Catch match."""

from __future__ import annotations

from collections.abc import Sequence

ALL = "States.ALL"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
EXCEED_TOLERATED_FAILURE_THRESHOLD = "States.ExceedToleratedFailureThreshold"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
INTRINSIC_FAILURE = "States.IntrinsicFailure"
ITEM_READER_FAILED = "States.ItemReaderFailed"
QUERY_EVALUATION_ERROR = "States.QueryEvaluationError"
REFERENCE_PATH_CONFLICT = "States.ReferencePathConflict"
RESULT_WRITER_FAILED = "States.ResultWriterFailed"
RUNTIME = "States.Runtime"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"


def matches(error_equals: Sequence[str], error: str, of_result: bool = False) -> bool:
    """Tell whether a retrier or catcher applies to an error.

    `States.Runtime` always fails the execution. `States.DataLimitExceeded` is matched by its own name only; that of a
    Task's result is matched by `States.ALL` too, as recorded executions show, whatever the documentation says.
    `States.TaskFailed` stands for every error but `States.Timeout`, `States.ALL` for every error.

    Args:
        error_equals: The names of the retrier or catcher.
        error: The error's name.
        of_result: Whether it is about the size of a Task's result.
    """
    if error == RUNTIME:
        return False
    if error in error_equals:
        return True
    if error == DATA_LIMIT_EXCEEDED:
        return of_result and ALL in error_equals
    if ALL in error_equals:
        return True
    if error == HEARTBEAT_TIMEOUT and TIMEOUT in error_equals:
        return True
    return TASK_FAILED in error_equals and error not in (TIMEOUT, HEARTBEAT_TIMEOUT)
