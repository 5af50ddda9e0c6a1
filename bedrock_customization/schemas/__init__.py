"""The JSON Schemas of the state machines' inputs and outputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def schema(name: str) -> dict[str, Any]:
    """A schema by its file's name without the ending, for example `customization-input`."""
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"))
    return loaded
