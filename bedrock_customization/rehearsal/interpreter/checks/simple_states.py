"""Checks the states that hold no other states: Task, Wait, Fail and Choice."""

from __future__ import annotations

import re
from typing import Any

from bedrock_customization.rehearsal.interpreter import limits
from bedrock_customization.rehearsal.interpreter.checks.values import Values
from bedrock_customization.rehearsal.interpreter.definition import ChoiceRule, Field, State
from bedrock_customization.rehearsal.interpreter.execution import parse_timestamp
from bedrock_customization.rehearsal.interpreter.jsonata import is_expression

_SYNC = re.compile(r"\.sync(:2)?$")


def has_token(resource: Any) -> bool:
    """Whether a Task's resource hands out a task token and waits until somebody sends it back."""
    return isinstance(resource, str) and resource.endswith(".waitForTaskToken")


def check_task(values: Values, state: State, raw: dict[str, Any], express: bool) -> None:
    """Check a Task; EXPRESS executions cannot wait for jobs."""
    values.template(state, "Arguments")
    values.number(state, "TimeoutSeconds", 1, limits.MAX_SECONDS)
    values.number(state, "HeartbeatSeconds", 1, limits.MAX_SECONDS)
    timeout, heartbeat = raw.get("TimeoutSeconds"), raw.get("HeartbeatSeconds")
    if isinstance(heartbeat, int) and heartbeat >= (timeout if isinstance(timeout, int) else limits.MAX_SECONDS):
        values.problem(state.path, "HeartbeatSeconds", f"got {heartbeat}; it must be smaller than TimeoutSeconds")
    resource = raw.get("Resource")
    if not isinstance(resource, str):
        values.problem(state.path, "Resource", f"got {resource!r}; an ARN is needed")
        return
    if express and (_SYNC.search(resource) or has_token(resource)):
        values.problem(
            state.path, "Resource", f"got {resource!r}; EXPRESS executions cannot wait for a job or a task token"
        )
    else:
        values.resource(resource, state.path, "Resource")


def check_wait(values: Values, state: State, raw: dict[str, Any]) -> None:
    """Check a Wait."""
    values.number(state, "Seconds", 0, limits.MAX_SECONDS)
    values.template(state, "Timestamp", str)
    if ("Seconds" in state.templates) == ("Timestamp" in state.templates):
        values.problem(state.path, "Seconds", "exactly one of Seconds and Timestamp is needed")
    moment = raw.get("Timestamp")
    if isinstance(moment, str) and not is_expression(moment) and parse_timestamp(moment) is None:
        values.problem(state.path, "Timestamp", f"got {moment!r}; allowed: RFC 3339, such as 2026-01-31T12:00:00Z")


def check_fail(values: Values, state: State, raw: dict[str, Any]) -> None:
    """Check a Fail."""
    values.template(state, "Error", str)
    values.template(state, "Cause", str)


def check_choice(values: Values, state: State, raw: dict[str, Any]) -> None:
    """Check a Choice and parse its rules."""
    state.default = raw.get("Default")
    if state.default is not None and not isinstance(state.default, str):
        values.problem(state.path, "Default", f"got {state.default!r}; the name of a state is needed")
        state.default = None
    rules = raw.get("Choices")
    if not isinstance(rules, list) or not rules:
        values.problem(state.path, "Choices", "missing or empty; at least one rule is needed")
        return
    for index, rule in enumerate(rules):
        location = f"Choices[{index}]"
        if not isinstance(rule, dict):
            values.problem(state.path, location, f"got {rule!r}; a JSON object is needed")
            continue
        values.known(rule, values.allowed["Choices"], state.path, location)
        templates: dict[str, Field] = {}
        condition = values.condition(rule, state.path, location)
        values.part(templates, rule, "Output", state.path, location)
        values.assign(templates, rule, "Assign", state.path, location)
        if not isinstance(rule.get("Next"), str):
            values.problem(state.path, f"{location}/Next", f"got {rule.get('Next')!r}; the name of a state is needed")
        elif condition is not None:
            parsed = ChoiceRule(condition, rule["Next"], templates.get("Assign"), templates.get("Output"))
            state.choices.append(parsed)
