"""Whether a shard will be done in time, and how far it got."""

import json
import time
from typing import Any

from scoring.errors import InsufficientTime
from scoring.shard import Shard

RESERVE_SECONDS = 5.0
"""Time kept back for writing the result."""


class Progress:
    """Counts the rows of one shard and the time that they take."""

    def __init__(self, shard: Shard, index: int, context: Any) -> None:
        """Start the clock.

        Args:
            shard: The shard.
            index: Its number.
            context: The Lambda context, or None outside Lambda, where time has no end.
        """
        self._shard, self._index, self._context = shard, index, context
        self._started = time.monotonic()
        self.rows = 0
        self.counted = 0

    def add(self, rows: int, counted: int, position: int) -> None:
        """Note rows that are scored.

        Args:
            rows: How many they are.
            counted: How many of them count.
            position: Where the first row that is not scored begins.

        Raises:
            InsufficientTime: at this pace the rest of the shard takes longer than the function may still run.
        """
        first = self.rows == 0
        self.rows += rows
        self.counted += counted
        remaining = getattr(self._context, "get_remaining_time_in_millis", None)
        if remaining is None or position >= self._shard.end:
            return
        elapsed = time.monotonic() - self._started
        needed = elapsed * (self._shard.end - position) / max(position - self._shard.start, 1)
        if first:
            needed /= 2  # the first rows also pay for warming up
        left = remaining() / 1000
        if needed + RESERVE_SECONDS > left:
            size = self._shard.end - self._shard.start
            raise InsufficientTime(
                f"shard {self._index}: {self.rows} rows took {elapsed:.0f} s; the remaining "
                f"{self._shard.end - position} of {size} bytes need about {needed:.0f} s, but the function is "
                f"stopped in {left:.0f} s. Use smaller shards, more memory (which brings more processors) or a "
                "smaller encoder."
            )

    def report(self, truncated: dict[str, int]) -> None:
        """Print the counts in CloudWatch's embedded metric format; texts never appear in it.

        Args:
            truncated: How many texts were truncated, by model and for `references`.
        """
        metrics = {
            "Rows": self.rows,
            "CountedRows": self.counted,
            "TruncatedTexts": sum(truncated.values()),
            "ScoringSeconds": round(time.monotonic() - self._started, 3),
        }
        definitions = [{"Name": name, "Unit": "Seconds" if name.endswith("Seconds") else "Count"} for name in metrics]
        directive = {"Namespace": "BedrockCustomization", "Dimensions": [["Function"]], "Metrics": definitions}
        function = getattr(self._context, "function_name", None) or "scoring"
        metadata = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
        print(json.dumps({"_aws": metadata, "Function": function, "Shard": self._index, **metrics}), flush=True)
