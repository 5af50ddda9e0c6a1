"""Why a shard cannot be scored; Step Functions sees the class's name as the error name."""


class InvalidInput(Exception):
    """The event lacks a field, or a field has a value that is not allowed."""


class EvaluatorFailed(Exception):
    """An evaluator, a metric of the user's own, failed."""


class InvalidEvaluation(Exception):
    """An evaluator returned something else than a number for each answer."""


class InsufficientTime(Exception):
    """The shard would not be scored before the function is stopped."""
