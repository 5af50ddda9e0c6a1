"""What the paths of one state find in its data, and what Step Functions says where they find nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from bedrock_customization.rehearsal.interpreter import errors, limits
from bedrock_customization.rehearsal.interpreter.jsonata_values import decode
from bedrock_customization.rehearsal.interpreter.jsonpath.choice import MISSING, Condition, InvalidPathError
from bedrock_customization.rehearsal.interpreter.jsonpath.functions import ArgumentError
from bedrock_customization.rehearsal.interpreter.jsonpath.intrinsic import Intrinsic
from bedrock_customization.rehearsal.interpreter.jsonpath.path import NotFoundError, Path
from bedrock_customization.rehearsal.interpreter.jsonpath.template import Sample
from bedrock_customization.rehearsal.interpreter.services import StatesError

_WAITS = ("SecondsPath", "TimestampPath")
_TEXTS = ("CausePath", "ErrorPath")


class Data:
    """What a state's paths can find.

    Args:
        value: What `$` stands for.
        context: The context object, encoded for JSONata.
        variables: The variables by their names, encoded for JSONata.
        chance: The source of random numbers.
        failure: Makes an error of this state from its name and cause.
    """

    def __init__(
        self,
        value: Any,
        context: Callable[[], Any],
        variables: Mapping[str, Any],
        chance: random.Random,
        failure: Callable[[str, str], StatesError],
    ) -> None:
        self._value = value
        self._context = context
        self._variables = variables
        self._chance = chance
        self._failure = failure

    def evaluate(self, sample: Sample, location: str) -> Any:
        """Give the value of a path or an intrinsic function.

        Args:
            sample: The path or function.
            location: The field that holds it.

        Raises:
            StatesError: `States.Runtime`: nothing is there; `States.IntrinsicFailure`: the function failed.
        """
        if isinstance(sample, Intrinsic):
            return self._called(sample)
        try:
            return self._find(sample)
        except NotFoundError as error:
            if error.past_the_end and location.endswith(".$"):
                return None
            raise self._failure(errors.RUNTIME, self._missing(sample, location, str(error))) from None

    def holds(self, condition: Condition) -> bool:
        """Tell whether a choice rule holds.

        Raises:
            StatesError: `States.Runtime`: it compares what is not there.
        """

        def lookup(path: Path) -> Any:
            try:
                return self._find(path)
            except NotFoundError:
                return MISSING

        try:
            return condition(lookup)
        except InvalidPathError as error:
            what = "The choice state's condition path references an invalid value."
            raise self._failure(errors.RUNTIME, f"Invalid path '{error.path.text}': {what}") from None

    def _find(self, path: Path) -> Any:
        if path.root == "$":
            return path.find(self._value)
        if path.root == "$$":
            return decode(path.find(self._context()))
        if path.root not in self._variables:
            raise NotFoundError(f"No variable is named {path.root}")
        return decode(path.find(self._variables[path.root]))

    def _called(self, intrinsic: Intrinsic) -> Any:
        def lookup(path: Path) -> Any:
            try:
                return self._find(path)
            except NotFoundError:
                shown = path.text[1:] if path.root == "$$" else path.text
                what = f"The JsonPath argument for the field '{shown}'"
                raise self._failure(
                    errors.RUNTIME, f"{begin} {what} could not be found in the input '{limits.dump(self._value)}'"
                ) from None

        begin = f"The function '{intrinsic.text}' had the following error:"
        try:
            return intrinsic.call(lookup, self._chance)
        except ArgumentError as error:
            raise self._failure(errors.INTRINSIC_FAILURE, f"{begin} {error}") from None

    def _missing(self, path: Path, location: str, reason: str) -> str:
        if location in _WAITS:
            return f"The {location} parameter does not reference an input value: {path.text}"
        if location.endswith(".$") or location in _TEXTS:
            searched = limits.dump(decode(self._context()) if path.root == "$$" else self._value)
            specified = f"The JSONPath '{path.text}' specified for the field '{location}'"
            return f"{specified} could not be found in the input '{searched}'"
        return f"Invalid path '{path.text}' : {reason}"
