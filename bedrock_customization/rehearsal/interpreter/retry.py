"""When and after how long a failed state is tried again."""

from __future__ import annotations

import random
from collections.abc import Sequence

from bedrock_customization.rehearsal.interpreter.definition import Retrier
from bedrock_customization.rehearsal.interpreter.errors import matches
from bedrock_customization.rehearsal.interpreter.services import StatesError


def next_delay(
    retriers: Sequence[Retrier], attempts: list[int], failure: StatesError, chance: random.Random
) -> float | None:
    """Decide about the next attempt; the first retrier that matches the error decides alone.

    Args:
        retriers: The state's `Retry`.
        attempts: How often each retrier was used in this visit of the state; the count of the one used goes up.
        failure: The error.
        chance: Draws the delay of `JitterStrategy: FULL`.

    Returns:
        The seconds to wait before the next attempt, or None if the state is not tried again.
    """
    for index, retrier in enumerate(retriers):
        if not matches(retrier.error_equals, failure.error, failure.of_result):
            continue
        if attempts[index] >= retrier.max_attempts:
            return None
        delay = _backoff(retrier, attempts[index])
        attempts[index] += 1
        return chance.uniform(0, delay) if retrier.full_jitter else delay
    return None


def _backoff(retrier: Retrier, attempt: int) -> float:
    longest = float("inf") if retrier.max_delay_seconds is None else float(retrier.max_delay_seconds)
    try:
        return min(retrier.interval_seconds * retrier.backoff_rate**attempt, longest)
    except OverflowError:
        return longest
