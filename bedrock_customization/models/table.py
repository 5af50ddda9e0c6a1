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
    """A Markdown table of the active models, who teaches them in a distillation, and which models were retired.

    Args:
        entries: The catalogue; by default the package's.
    """
    entries = catalogue() if entries is None else entries
    active = {identifier: entry for identifier, entry in entries.items() if entry["lifecycle"] == ACTIVE}
    retired = [entry["name"] for entry in entries.values() if entry["lifecycle"] != ACTIVE]
    rows = [_row(identifier, entry) for identifier, entry in active.items()]
    note = f"\nRetired, and refused with a replacement: {', '.join(retired)}.\n" if retired else ""
    return "\n".join([*_HEAD, *rows]) + "\n" + _teachers(active) + _cautions(active) + note


def _teachers(entries: Mapping[str, dict[str, Any]]) -> str:
    taught: dict[str, list[str]] = {}
    for entry in entries.values():
        for teacher, forms in entry.get("teachers", {}).items():
            named = teacher if "on-demand" in forms else f"us.{teacher}"
            taught.setdefault(named, []).append(entry["name"])
    pairs = [f"`{teacher}` teaches {', '.join(students)}" for teacher, students in taught.items()]
    return f"\nDistillation: {'; '.join(pairs)}.\n" if pairs else ""


def _cautions(entries: Mapping[str, dict[str, Any]]) -> str:
    named: dict[str, list[str]] = {}
    for entry in entries.values():
        if "caution" in entry:
            named.setdefault(entry["caution"], []).append(entry["name"])
    return "".join(f"\nNot certain for {' and '.join(names)}: {caution}.\n" for caution, names in named.items())


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
