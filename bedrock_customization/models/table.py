"""The catalogue as a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bedrock_customization.models.catalogue import ACTIVE, catalogue

_TYPES = {
    "FINE_TUNING": "fine-tuning",
    "CONTINUED_PRE_TRAINING": "continued pre-training",
    "DISTILLATION": "distillation",
    "REINFORCEMENT_FINE_TUNING": "reinforcement",
}
_HEAD = (
    "| `baseModelIdentifier` | Regions | customization | data | records | serving |",
    "|---|---|---|---|---|---|",
)


def models_table(entries: Mapping[str, dict[str, Any]] | None = None) -> str:
    """A Markdown table of the active models, and a line for those that were retired.

    Args:
        entries: The catalogue; by default the package's.
    """
    entries = catalogue() if entries is None else entries
    active = {identifier: entry for identifier, entry in entries.items() if entry["lifecycle"] == ACTIVE}
    retired = [entry["name"] for entry in entries.values() if entry["lifecycle"] != ACTIVE]
    rows = [_row(identifier, entry) for identifier, entry in active.items()]
    note = f"\nRetired, and refused with a replacement: {', '.join(retired)}.\n" if retired else ""
    return "\n".join([*_HEAD, *rows]) + "\n" + note


def _row(identifier: str, entry: Mapping[str, Any]) -> str:
    records = entry["records"]
    cells = [
        f"`{identifier}`",
        ", ".join(entry["regions"]),
        ", ".join(_TYPES[kind] for kind in entry["customizationTypes"]),
        entry["schema"],
        f"{records['min']:,} to {records['max']:,}",
        ", ".join(entry["serving"]).replace("-", " "),
    ]
    return f"| {' | '.join(cells)} |"
