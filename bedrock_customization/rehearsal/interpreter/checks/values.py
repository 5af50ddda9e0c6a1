"""What the checks of all fields have in common: what a value may be, and how a problem reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

from bedrock_customization.rehearsal.interpreter import limits
from bedrock_customization.rehearsal.interpreter.checks import fields
from bedrock_customization.rehearsal.interpreter.definition import Field, ResultPath, State
from bedrock_customization.rehearsal.interpreter.jsonata import Expression, is_expression
from bedrock_customization.rehearsal.interpreter.jsonata_references import FUNCTIONS
from bedrock_customization.rehearsal.interpreter.jsonpath.choice import Condition
from bedrock_customization.rehearsal.interpreter.services import Services, UnsupportedDefinitionError
from bedrock_customization.rehearsal.interpreter.template import Template

_VARIABLE_NAME = re.compile(r"[^\W\d]\w*")
_KEEPS_ITS_PLACE = ("ItemBatcher", "ItemReader", "ResultWriter")


class Values:
    """Checks values, parses the expressions in them, and collects the problems of a whole definition.

    Args:
        services: Know which resources can be called.
        expression: Parses a JSONata expression.
        problems: Where problems are noted.

    Attributes:
        language: The query language.
        allowed: The fields of states and of the objects in them.
        arguments: What this language calls the arguments of a service call.
        has_token: Whether the state at hand is a Task that waits for a task token.
    """

    language = "JSONata"
    other_language = "JSONPath"
    allowed = fields.JSONATA
    foreign = frozenset().union(*fields.JSONPATH.values()) - frozenset().union(*fields.JSONATA.values())
    arguments = "Arguments"

    def __init__(self, services: Services, expression: Callable[[str], Expression], problems: list[str]) -> None:
        self.services = services
        self.expression = expression
        self.problems = problems
        self.has_token = False

    def problem(self, path: str, field: str, what: str) -> None:
        """Note what is wrong with a field of the state at a path."""
        self.problems.append(f"{field} at {path or '/'}: {what}")

    def resource(self, resource: str, path: str, field: str) -> None:
        """Ask the services whether they know a resource."""
        try:
            self.services.check(resource)
        except UnsupportedDefinitionError as error:
            self.problem(path, field, str(error))

    def known(self, value: Any, allowed: Collection[str], path: str, location: str = "") -> None:
        """Refuse the fields of an object that are not allowed."""
        if not isinstance(value, dict):
            self.problem(path, location or "value", f"got {value!r}; a JSON object is needed")
            return
        for name in value.keys() - set(allowed):
            field = f"{location}/{name}" if location else name
            if name in fields.NOT_REHEARSED:
                self.problem(path, field, "is a field of Step Functions that cannot be rehearsed; remove it")
            elif name in self.foreign:
                what = f"belongs to {self.other_language}, not to {self.language}; allowed here: {listed(allowed)}"
                self.problem(path, field, what)
            else:
                self.problem(path, field, f"unknown field; allowed here: {listed(allowed)}")

    def object(self, state: State, raw: dict[str, Any], field: str, allowed: Collection[str]) -> dict[str, Any] | None:
        """Give a field that must be an object, or None if it is not there."""
        if field not in raw:
            return None
        value = raw[field]
        self.known(value, allowed, state.path, field)
        return value if isinstance(value, dict) else None

    def config(
        self, value: dict[str, Any], field: str, allowed: Collection[str], path: str, location: str = ""
    ) -> dict[str, Any]:
        """Give an object of settings, or an empty one if it is not there."""
        found = value.get(field, {})
        self.known(found, allowed, path, f"{location}/{field}" if location else field)
        return found if isinstance(found, dict) else {}

    def one_of(
        self, value: Any, field: str, allowed: tuple[str, ...], path: str, location: str, needed: bool = False
    ) -> None:
        """Refuse a text that is not one of those allowed."""
        if not isinstance(value, dict) or (field not in value and not needed):
            return
        if value.get(field) not in allowed:
            got = repr(value[field]) if field in value else "nothing"
            self.problem(path, f"{location}/{field}", f"got {got}; allowed: {', '.join(allowed)}")

    def integer(self, value: Any, path: str, field: str, least: int, most: int | None) -> None:
        """Refuse what is not a whole number within limits."""
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or value < least
            or (most is not None and value > most)
        ):
            upper = f" to {most}" if most is not None else " or more"
            self.problem(path, field, f"got {value!r}; allowed: whole numbers, {least}{upper}")

    def number(
        self,
        state: State,
        field: str,
        least: int,
        most: int | None,
        *,
        within: dict[str, Any] | None = None,
        whole: bool = True,
    ) -> None:
        """Check a number that may also come from the data, and keep it as a template.

        Args:
            state: The state.
            field: Where it stands, for example `ItemReader/ReaderConfig/MaxItems`.
            least: The smallest number allowed.
            most: The greatest number allowed, if there is one.
            within: The object that holds it; default: the state.
            whole: Whether only whole numbers are allowed.
        """
        value = (state.definition if within is None else within).get(field.rsplit("/", 1)[-1])
        if value is None:
            return
        if not is_expression(value):
            self.plain_number(value, state.path, field, least, most, whole)
        state.templates[field] = self.parse(value, state.path, field)

    def plain_number(self, value: Any, path: str, field: str, least: int, most: int | None, whole: bool) -> None:
        """Refuse what is not a number within limits."""
        if whole or not isinstance(value, float) or not least <= value <= (most or value):
            self.integer(value, path, field, least, most)

    def template(self, state: State, field: str, kind: type | None = None) -> None:
        """Parse a field of a state."""
        if field not in state.definition:
            return
        value = state.definition[field]
        if kind is not None and not isinstance(value, kind):
            self.problem(state.path, field, f"got {value!r}; a string is needed")
        state.templates[field] = self.parse(value, state.path, field)

    def part(
        self,
        templates: dict[str, Field],
        value: dict[str, Any],
        field: str,
        path: str,
        location: str,
        errors_allowed: bool = False,
    ) -> None:
        """Parse a field of an object within a state."""
        if field in value:
            key = f"{location}/{field}" if location in _KEEPS_ITS_PLACE else field
            templates[key] = self.parse(value[field], path, f"{location}/{field}", errors_allowed)

    def assign(
        self,
        templates: dict[str, Field],
        value: dict[str, Any],
        field: str,
        path: str,
        location: str = "",
        errors_allowed: bool = False,
    ) -> None:
        """Check the names of variables and parse their values."""
        if field not in value:
            return
        at = f"{location}/{field}" if location else field
        if not isinstance(value[field], dict):
            self.problem(path, at, f"got {value[field]!r}; a JSON object of variables is needed")
            return
        for name in map(self.variable, value[field]):
            if name == "states" or len(name) > limits.MAX_NAME_CHARACTERS or not _VARIABLE_NAME.fullmatch(name):
                rule = f"a letter or _, then letters, digits and _, at most {limits.MAX_NAME_CHARACTERS}; not 'states'"
                self.problem(path, f"{at}/{name}", f"not a variable's name; allowed: {rule}")
        templates[field] = self.parse(value[field], path, at, errors_allowed)

    def data_flow(self, state: State) -> None:
        """Parse what a state makes of its input and its result."""
        self.template(state, "Output")

    def condition(self, rule: dict[str, Any], path: str, location: str) -> Template | Condition | None:
        """Parse when a choice rule holds; None if it cannot be told."""
        condition = rule.get("Condition")
        if not isinstance(condition, bool) and not is_expression(condition):
            self.problem(path, f"{location}/Condition", f"got {condition!r}; a boolean or {{% ... %}} is needed")
            return None
        return self.expressions(condition, path, f"{location}/Condition")

    def result_path(self, value: dict[str, Any], path: str, location: str = "") -> ResultPath:
        """Give where a result is put in the input; in JSONata it always replaces it."""
        return ()

    def variable(self, name: str) -> str:
        """Give the variable that a field of `Assign` stands for."""
        return name

    def parse(self, value: Any, path: str, location: str, errors_allowed: bool = False) -> Field:
        """Parse a value of a state that may take something from the data."""
        return self.expressions(value, path, location, errors_allowed)

    def expressions(self, value: Any, path: str, location: str, errors_allowed: bool = False) -> Template:
        """Parse a value in which strings may be JSONata expressions."""

        def expression(text: str, at: str) -> Expression:
            try:
                parsed = self.expression(text)
            except ValueError as error:
                self.problem(path, at, f"not a JSONata expression: {error}; got {{% {text} %}}")
                return self.expression("null")
            self.references(parsed, path, at, errors_allowed)
            return parsed

        return Template(value, location, expression)

    def references(self, parsed: Expression, path: str, location: str, errors_allowed: bool) -> None:
        """Refuse what an expression refers to and Step Functions or the rehearsal does not know."""
        found = parsed.references
        for name in sorted(found.top_level):
            remedy = "write $states.input... or a variable's $name"
            self.problem(path, location, f"a reference to {name!r} at the top level is not supported; {remedy}")
        for name in sorted(found.functions - FUNCTIONS):
            if name == "eval":
                self.problem(path, location, "the JSONata function $eval is not available; use $parse")
            else:
                self.problem(
                    path, location, f"unknown JSONata function ${name}; allowed: {listed('$' + f for f in FUNCTIONS)}"
                )
        for names in found.states:
            if names[:1] == ("errorOutput",) and not errors_allowed:
                self.problem(
                    path, location, "$states.errorOutput exists only in the Output and Assign of a Catch entry"
                )
            if names[:2] == ("context", "Task") and not self.has_token:
                self.problem(path, location, "$states.context.Task exists only in a Task that waits for a task token")


def listed(names: Iterable[str]) -> str:
    """Write names for a message."""
    return ", ".join(sorted(names))
