"""Pass, Succeed, Fail, Wait and Choice: the states that call nothing and hold no other states."""

from __future__ import annotations

import trio

from bedrock_customization.rehearsal.interpreter import errors, limits
from bedrock_customization.rehearsal.interpreter.execution import now, parse_timestamp
from bedrock_customization.rehearsal.interpreter.flow import Outcome, Visit, unexpected
from bedrock_customization.rehearsal.interpreter.jsonata import EvaluationError
from bedrock_customization.rehearsal.interpreter.services import StatesError

_NO_NEXT_STATE = "Failed to transition out of the state. The state does not point to a next state."


async def run_pass(visit: Visit) -> Outcome:
    """Pass the input on, or what `Output` makes of it."""
    state = visit.state
    return Outcome(next=state.next, assign=state.templates.get("Assign"), output=state.templates.get("Output"))


async def run_fail(visit: Visit) -> Outcome:
    """Fail with the state's error and cause.

    Raises:
        StatesError: Always.
    """
    templates = visit.state.templates
    texts = []
    for field in ("Error", "Cause"):
        value = visit.render(templates.get(field), "")
        if not isinstance(value, str):
            raise unexpected(templates[field], value, "string")
        texts.append(value)
    raise StatesError(*texts)


async def run_wait(visit: Visit) -> Outcome:
    """Wait for some seconds, or until a moment."""
    template = visit.state.templates.get("Timestamp")
    if template is None:
        seconds = visit.number("Seconds", 0, 0, limits.MAX_SECONDS)
    else:
        value = visit.render(template)
        if not isinstance(value, str):
            raise unexpected(template, value, "string")
        moment = parse_timestamp(value)
        if moment is None:
            cause = "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string"
            raise EvaluationError(f"{cause}: {value}", template.location)
        seconds = (moment - now()).total_seconds()
    if seconds > 0:
        await trio.sleep(seconds)
    return await run_pass(visit)


async def run_choice(visit: Visit) -> Outcome:
    """Go where the first rule that holds points to.

    Raises:
        StatesError: `States.Runtime`: no rule holds and there is no `Default`.
    """
    for rule in visit.state.choices:
        holds = visit.render(rule.condition)
        if not isinstance(holds, bool):
            raise unexpected(rule.condition, holds, "boolean")
        if holds:
            return Outcome(next=rule.next, assign=rule.assign, output=rule.output)
    if visit.state.default is None:
        raise visit.failure(errors.RUNTIME, _NO_NEXT_STATE)
    templates = visit.state.templates
    return Outcome(next=visit.state.default, assign=templates.get("Assign"), output=templates.get("Output"))
