"""Pass, Succeed, Fail, Wait and Choice: the states that call nothing and hold no other states."""

from __future__ import annotations

import copy
from datetime import datetime

import trio

from bedrock_customization.rehearsal.interpreter import errors, limits
from bedrock_customization.rehearsal.interpreter.definition import Field
from bedrock_customization.rehearsal.interpreter.execution import now, parse_timestamp
from bedrock_customization.rehearsal.interpreter.jsonata import EvaluationError
from bedrock_customization.rehearsal.interpreter.jsonpath.template import PathTemplate
from bedrock_customization.rehearsal.interpreter.services import StatesError
from bedrock_customization.rehearsal.interpreter.visit import NOTHING, Outcome, Visit, unexpected

_NO_NEXT_STATE = "Failed to transition out of the state. The state does not point to a next state."


async def run_pass(visit: Visit) -> Outcome:
    """Pass the input on, or what the state makes of it."""
    state = visit.state
    result = NOTHING
    if state.json_path and state.type == "Pass":
        result = copy.deepcopy(state.definition["Result"]) if "Result" in state.definition else visit.payload
    return Outcome(result, next=state.next, assign=state.templates.get("Assign"), output=state.templates.get("Output"))


async def run_fail(visit: Visit) -> Outcome:
    """Fail with the state's error and cause.

    Raises:
        StatesError: Always.
    """
    templates = visit.state.templates
    texts = []
    for field in ("Error", "Cause"):
        template = templates.get(field)
        value = visit.render(template, "")
        if not isinstance(value, str) and isinstance(template, PathTemplate):
            what = f"The JSONPath '{template.value}' specified for the field '{template.location}' must give a string"
            raise visit.failure(errors.RUNTIME, f"{what}, but gave: {limits.dump(value)}")
        if not isinstance(value, str) and template is not None:
            raise unexpected(template, value, "string")
        texts.append(value)
    raise StatesError(*texts)


async def run_wait(visit: Visit) -> Outcome:
    """Wait for some seconds, or until a moment."""
    template = visit.state.templates.get("Timestamp")
    seconds = _seconds(visit) if template is None else (_moment(visit, template) - now()).total_seconds()
    if seconds > 0:
        await trio.sleep(seconds)
    return await run_pass(visit)


def _seconds(visit: Visit) -> float:
    template = visit.state.templates.get("Seconds")
    if not isinstance(template, PathTemplate) or template.constant:
        return float(visit.number("Seconds", 0, 0, limits.MAX_SECONDS))
    value = visit.render(template)
    shown = f"{template.value} == {value if isinstance(value, str) else limits.dump(value)}"
    if isinstance(value, bool) or not isinstance(value, int):
        what = f"The SecondsPath parameter cannot be parsed as a long value: {shown}"
        raise visit.failure(errors.RUNTIME, what)
    if value < 0:
        raise visit.failure(errors.RUNTIME, f"The SecondsPath parameter references a negative value: {shown}")
    return value


def _moment(visit: Visit, template: Field) -> datetime:
    value = visit.render(template)
    moment = parse_timestamp(value) if isinstance(value, str) else None
    if moment is not None:
        return moment
    form = "ISO-8601 extended offset date-time format string"
    if isinstance(template, PathTemplate):
        shown = f"{template.value} == {value if isinstance(value, str) else limits.dump(value)}"
        what = f"The TimestampPath parameter does not reference a valid {form}: {shown}"
        raise visit.failure(errors.RUNTIME, what)
    if not isinstance(value, str):
        raise unexpected(template, value, "string")
    raise EvaluationError(f"The Timestamp field cannot be parsed as an {form}: {value}", template.location)


async def run_choice(visit: Visit) -> Outcome:
    """Go where the first rule that holds points to.

    Raises:
        StatesError: `States.Runtime`: no rule holds and there is no `Default`.
    """
    for rule in visit.state.choices:
        if visit.holds(rule.condition):
            return Outcome(next=rule.next, assign=rule.assign, output=rule.output)
    if visit.state.default is None:
        raise visit.failure(errors.RUNTIME, _NO_NEXT_STATE)
    templates = visit.state.templates
    return Outcome(next=visit.state.default, assign=templates.get("Assign"), output=templates.get("Output"))
