"""Checks the values of JSONPath states."""

from __future__ import annotations

from typing import Any

from bedrock_customization.rehearsal.interpreter.checks import fields
from bedrock_customization.rehearsal.interpreter.checks.values import Values
from bedrock_customization.rehearsal.interpreter.definition import Field, ResultPath, State
from bedrock_customization.rehearsal.interpreter.jsonpath.choice import Condition, parse_condition
from bedrock_customization.rehearsal.interpreter.jsonpath.intrinsic import Intrinsic
from bedrock_customization.rehearsal.interpreter.jsonpath.path import Path
from bedrock_customization.rehearsal.interpreter.jsonpath.template import PathTemplate, Sample, parse_sample

_TAKES_FUNCTIONS = ("CausePath", "ErrorPath")


class PathValues(Values):
    """As `Values`, for the fields of JSONPath; the templates get the names of JSONata."""

    language = "JSONPath"
    other_language = "JSONata"
    allowed = fields.JSONPATH
    foreign = frozenset().union(*fields.JSONATA.values()) - frozenset().union(*fields.JSONPATH.values())
    arguments = "Parameters"

    def data_flow(self, state: State) -> None:
        """Parse what a state makes of its input and its result."""
        raw = state.definition
        for field in ("InputPath", "OutputPath"):
            if field in raw:
                value = raw[field]
                state.templates[field] = (
                    self.parse({}, state.path, field) if value is None else self.whole(value, state.path, field)
                )
        self.template(state, "ResultSelector")
        if state.type == "Pass":
            self.template(state, "Arguments")
        state.result_path = self.result_path(raw, state.path)

    def template(self, state: State, field: str, kind: type | None = None) -> None:
        """Parse a field of a state under its name in JSONata."""
        raw = state.definition
        name = self.arguments if field == "Arguments" else field
        if field == "ItemSelector" and field not in raw:
            name = self.arguments
        if f"{field}Path" in raw:
            self._only_one(raw, field, state.path)
            state.templates[field] = self.whole(raw[f"{field}Path"], state.path, f"{field}Path")
        elif name in raw:
            if kind is not None and not isinstance(raw[name], kind):
                self.problem(state.path, name, f"got {raw[name]!r}; a string is needed")
            state.templates[field] = self.parse(raw[name], state.path, name)

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
        """Check a number, or the path that points to it."""
        holder = state.definition if within is None else within
        name = field.rsplit("/", 1)[-1]
        if f"{name}Path" in holder:
            self._only_one(holder, name, state.path)
            state.templates[field] = self.whole(holder[f"{name}Path"], state.path, f"{field}Path")
        elif holder.get(name) is not None:
            self.plain_number(holder[name], state.path, field, least, most, whole)
            state.templates[field] = self.parse(holder[name], state.path, field)

    def part(
        self,
        templates: dict[str, Field],
        value: dict[str, Any],
        field: str,
        path: str,
        location: str,
        errors_allowed: bool = False,
    ) -> None:
        """Parse a field of an object within a state, under its name in JSONata."""
        name = self.arguments if field == "Arguments" else field
        if name in value:
            if not isinstance(value[name], dict):
                self.problem(path, f"{location}/{name}", f"got {value[name]!r}; a JSON object is needed")
            templates[f"{location}/{field}"] = self.parse(value[name], path, f"{location}/{name}")

    def condition(self, rule: dict[str, Any], path: str, location: str) -> Condition | None:
        """Parse when a choice rule holds; None if it cannot be told."""

        def parse_path(value: Any, field: str) -> Path | None:
            sample = self.sample(value, path, f"{location}/{field}")
            if isinstance(sample, Intrinsic):
                self.problem(path, f"{location}/{field}", f"got {value!r}; a path is needed")
                return None
            return sample

        try:
            return parse_condition(rule, parse_path)
        except ValueError as error:
            self.problem(path, location, str(error))
            return None

    def result_path(self, value: dict[str, Any], path: str, location: str = "") -> ResultPath:
        """Give where a result is put in the input; without `ResultPath` it replaces the input."""
        field = f"{location}/ResultPath" if location else "ResultPath"
        written = value.get("ResultPath", "$")
        if written is None:
            return None
        sample = self.sample(written, path, field)
        if isinstance(sample, Path) and sample.is_reference:
            return tuple(sample.keys)
        if sample is not None:
            self.problem(path, field, f"got {written!r}; a reference path is needed, such as $.result")
        return ()

    def variable(self, name: str) -> str:
        """Give the variable that a field of `Assign` stands for."""
        return name.removesuffix(".$")

    def parse(self, value: Any, path: str, location: str, errors_allowed: bool = False) -> PathTemplate:
        """Parse a payload template."""
        return PathTemplate(value, location, lambda text, field: self._template_field(text, path, location, field))

    def whole(self, value: Any, path: str, field: str) -> PathTemplate:
        """Parse a field that is a path itself."""
        template = PathTemplate(value, field, lambda text, _: self.sample(text, path, field), whole=True)
        if isinstance(template.sample, Intrinsic) and field not in _TAKES_FUNCTIONS:
            self.problem(path, field, f"got {value!r}; a path is needed")
        return template

    def sample(self, value: Any, path: str, field: str) -> Sample | None:
        """Parse a path or an intrinsic function; None if it is neither."""
        try:
            sample = parse_sample(value)
        except ValueError as error:
            self.problem(path, field, str(error))
            return None
        for part in sample.paths if isinstance(sample, Intrinsic) else [sample]:
            if part.root == "$$" and part.keys[:1] == ["Task"] and not self.has_token:
                self.problem(path, field, "$$.Task exists only in a Task that waits for a task token")
        return sample

    def _template_field(self, text: Any, path: str, location: str, field: str) -> Sample | None:
        before = len(self.problems)
        sample = self.sample(text, path, f"{location}/{field}")
        if sample is None:
            said = self.problems.pop() if len(self.problems) > before else ""
            reason = said.partition(": ")[2]
            what = f"the value for the field '{field}' must be a valid JSONPath or a valid intrinsic function call"
            self.problem(path, location, f"{what}: {reason}")
        return sample

    def _only_one(self, holder: dict[str, Any], name: str, path: str) -> None:
        if name in holder:
            self.problem(path, name, f"only one of {name} and {name}Path is allowed")
