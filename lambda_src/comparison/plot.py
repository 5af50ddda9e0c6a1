"""Positions on a plot's axis, in percent of its width."""

from dataclasses import dataclass
from typing import Any

PADDING = 0.06


@dataclass(frozen=True)
class Axis:
    """A linear axis.

    Args:
        low: The value at its left end.
        high: The value at its right end.
    """

    low: float
    high: float

    @classmethod
    def around(cls, values: list[float | None], *, include_zero: bool = False) -> "Axis":
        """Return an axis that shows all values with some space beside them.

        Args:
            values: What is shown; None is left out.
            include_zero: Whether zero is shown, in the middle.
        """
        shown = [value for value in values if value is not None]
        if include_zero:
            reach = max((abs(value) for value in shown), default=0.0) or 1.0
            return cls(-reach * (1 + PADDING), reach * (1 + PADDING))
        low, high = min(shown, default=0.0), max(shown, default=1.0)
        space = (high - low) * PADDING or max(abs(low) * PADDING, 0.01)
        return cls(low - space if low < 0 else max(0.0, low - space), high + space)

    def position(self, value: float) -> float:
        """Return where a value lies, from 0 to 1000."""
        return round(1000 * (value - self.low) / (self.high - self.low), 1)


def interval_marks(axis: Axis, described: dict[str, Any]) -> dict[str, float] | None:
    """Return where a mean and its interval lie.

    Args:
        axis: The axis.
        described: `{"mean", "low", "high"}`; low and high may be None.

    Returns:
        `{"mean", "low"?, "high"?}` as positions, or None without a mean.
    """
    if described["mean"] is None:
        return None
    return {name: axis.position(described[name]) for name in ("mean", "low", "high") if described[name] is not None}


def bars(counts: list[int]) -> list[dict[str, Any]]:
    """Return the bars of a histogram: position, width and height, from 0 to 1000, and on which side of zero they are.

    Args:
        counts: How many records each bin has; the bin in the middle holds zero.
    """
    width, highest, middle = 1000 / max(len(counts), 1), max(counts, default=1) or 1, len(counts) // 2
    return [
        {
            "x": round(index * width, 1),
            "width": round(width * 0.86, 1),
            "height": round(1000 * number / highest, 1),
            "side": "lost" if index < middle else "gained" if index > middle else "tied",
        }
        for index, number in enumerate(counts)
    ]
