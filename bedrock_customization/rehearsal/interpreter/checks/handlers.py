"""Checks Retry and Catch."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from bedrock_customization.rehearsal.interpreter import errors, limits
from bedrock_customization.rehearsal.interpreter.checks import fields
from bedrock_customization.rehearsal.interpreter.checks.values import Values
from bedrock_customization.rehearsal.interpreter.definition import Catcher, Field, Retrier, State


def check_retry(values: Values, state: State, raw: dict[str, Any]) -> None:
    """Check and parse the `Retry` of a state."""
    for location, retrier, names in _entries(values, state, raw, "Retry", fields.RETRIER):
        path = state.path
        interval = retrier.get("IntervalSeconds", 1)
        values.integer(interval, path, f"{location}/IntervalSeconds", 1, limits.MAX_SECONDS)
        attempts = retrier.get("MaxAttempts", 3)
        values.integer(attempts, path, f"{location}/MaxAttempts", 0, limits.MAX_SECONDS)
        longest = retrier.get("MaxDelaySeconds")
        if longest is not None:
            values.integer(longest, path, f"{location}/MaxDelaySeconds", 1, limits.MAX_DELAY_SECONDS)
            if isinstance(interval, int) and isinstance(longest, int) and longest <= interval:
                values.problem(path, f"{location}/MaxDelaySeconds", f"got {longest}; it must exceed IntervalSeconds")
        rate = retrier.get("BackoffRate", 2.0)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or rate < 1:
            values.problem(path, f"{location}/BackoffRate", f"got {rate!r}; a number of 1.0 or more is needed")
            continue
        values.one_of(retrier, "JitterStrategy", ("NONE", "FULL"), path, location)
        jitter = retrier.get("JitterStrategy") == "FULL"
        state.retry.append(Retrier(names, interval, attempts, float(rate), longest, jitter))


def check_catch(values: Values, state: State, raw: dict[str, Any]) -> None:
    """Check and parse the `Catch` of a state."""
    for location, catcher, names in _entries(values, state, raw, "Catch", values.allowed["Catch"]):
        templates: dict[str, Field] = {}
        values.part(templates, catcher, "Output", state.path, location, errors_allowed=True)
        values.assign(templates, catcher, "Assign", state.path, location, errors_allowed=True)
        following = catcher.get("Next")
        if not isinstance(following, str):
            values.problem(state.path, f"{location}/Next", f"got {following!r}; the name of a state is needed")
            continue
        result_path = values.result_path(catcher, state.path, location)
        state.catch.append(Catcher(names, following, templates.get("Assign"), templates.get("Output"), result_path))


def _entries(
    values: Values, state: State, raw: dict[str, Any], field: str, allowed: Collection[str]
) -> Iterable[tuple[str, dict[str, Any], tuple[str, ...]]]:
    entries = raw.get(field, [])
    if not isinstance(entries, list):
        values.problem(state.path, field, f"got {entries!r}; an array is needed")
        return
    for index, entry in enumerate(entries):
        location = f"{field}[{index}]"
        names = entry.get("ErrorEquals") if isinstance(entry, dict) else None
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            values.problem(state.path, f"{location}/ErrorEquals", f"got {names!r}; an array of error names is needed")
            continue
        values.known(entry, allowed, state.path, location)
        if errors.ALL in names and (len(names) > 1 or index < len(entries) - 1):
            values.problem(state.path, f"{location}/ErrorEquals", "States.ALL must stand alone, in the last entry")
        yield location, entry, tuple(names)
