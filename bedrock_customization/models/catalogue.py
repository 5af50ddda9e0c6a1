"""Reads the catalogue of models that Bedrock customizes: data, so that adding a model is adding an entry.

`catalogue.schema.json` describes an entry. Models of images and of embeddings are left out, because the workflow could
not compare their answers: it asks with Converse and scores texts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

ACTIVE = "ACTIVE"


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    """The catalogue: an entry for each customization id, such as `amazon.nova-micro-v1:0:128k`.

    An entry names the id that inference takes, Regions, customization types, data schema, limits, hyperparameters with
    range and default, serving modes and lifecycle, and where and when that was read.
    """
    entries: dict[str, dict[str, Any]] = json.loads(
        Path(__file__).with_name("catalogue.json").read_text(encoding="utf-8")
    )
    return entries


def machine_catalogue() -> dict[str, dict[str, Any]]:
    """The catalogue as the state machine carries it: without the columns that only a reader needs."""
    return {
        identifier: {key: value for key, value in entry.items() if key not in ("source", "date")}
        for identifier, entry in catalogue().items()
    }


def customizable_models(region: str, serving: str, entries: Mapping[str, dict[str, Any]] | None = None) -> list[str]:
    """The ids of the active models that can be customized in a Region and served in a mode.

    Args:
        region: The Region.
        serving: `on-demand`, `provisioned`, or `automatic` for either.
        entries: The catalogue; by default the package's.
    """
    return [
        identifier
        for identifier, entry in (catalogue() if entries is None else entries).items()
        if entry["lifecycle"] == ACTIVE
        and region in entry["regions"]
        and (serving == "automatic" or serving in entry["serving"])
    ]
