"""What is measured; imports nothing, so that a fresh process costs what the contender costs."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class MeasuredEncoder:
    """An encoder folder and the layer to score at."""

    name: str
    path: Path
    layer: int
