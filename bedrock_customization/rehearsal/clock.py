"""The rehearsal's time: virtual seconds that go on from one run to the next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import trio
from trio.testing import MockClock

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


class VirtualClock:
    """Tells the virtual time, inside a run (trio's clock) and between runs (where the last run ended)."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def seconds(self) -> float:
        """Seconds since the rehearsal began."""
        try:
            return trio.current_time()
        except RuntimeError:
            return self._seconds

    def now(self) -> datetime:
        """The virtual date and time; a rehearsal begins at 2026-01-01T00:00:00Z."""
        return BEGINNING + timedelta(seconds=self.seconds())

    def for_run(self) -> MockClock:
        """A clock for `trio.run` that jumps over every wait and starts where the last run ended."""
        clock = MockClock(autojump_threshold=0)
        clock.jump(self._seconds)
        return clock

    def advance(self, to: float) -> None:
        """Move on to a time, in seconds since the beginning; never back."""
        self._seconds = max(self._seconds, to)
