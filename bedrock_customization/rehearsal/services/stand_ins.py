"""Functions that stand for service integrations, such as those that the rehearsal does not simulate."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from bedrock_customization.rehearsal.interpreter.services import Caller, StatesError

StandIn = Callable[[Any, Caller], Any]
"""Gets the arguments of the state and who calls; gives the result that the state gets."""

_INTEGRATION = re.compile(r"arn:[\w-]+:states:[\w-]*:\d*:(?!stateMachine:|execution:)(aws-sdk:)?\w+(:.+)?")


class StandIns:
    """The functions by the `Resource` of the states that call them."""

    def __init__(self) -> None:
        self._handlers: dict[str, StandIn] = {}

    @staticmethod
    def is_resource(key: Any) -> bool:
        """Whether a key names an integration or an activity, and not a Lambda function."""
        return isinstance(key, str) and _INTEGRATION.fullmatch(key) is not None

    def add(self, resource: str, handler: StandIn) -> None:
        """Let a function stand for an integration or an activity."""
        self._handlers[resource] = handler

    def __contains__(self, resource: str) -> bool:
        """Whether a function stands for it."""
        return resource in self._handlers

    def call(self, resource: str, arguments: Any, caller: Caller) -> Any:
        """Call the function that stands for an integration.

        Raises:
            StatesError: The function failed; its exception's name is the error's name, and its text the cause.
            TypeError: The function returned what is not JSON.
        """
        try:
            result = self._handlers[resource](arguments, caller)
        except StatesError:
            raise
        except Exception as error:
            raise StatesError(type(error).__name__, str(error)) from error
        try:
            return json.loads(json.dumps(result, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise TypeError(f"handlers[{resource!r}]: it returned what is not JSON: {error}") from error
