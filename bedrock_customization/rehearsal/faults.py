"""Faults that a rehearsal injects: errors, lost responses, calls that hang or take long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

import trio
from botocore.model import OperationModel

from bedrock_customization.rehearsal.interpreter.services import StatesError
from bedrock_customization.rehearsal.services import sdk
from bedrock_customization.rehearsal.services.api import ApiCall
from bedrock_customization.rehearsal.services.api_error import ApiError

_LOST = "Unable to execute HTTP request: the connection was closed before the response arrived"
_LOST_CODE = "SdkClientException"


@dataclass
class _Fault:
    kind: str
    at: str
    left: int
    error: str = ""
    cause: str = ""
    seconds: float = 0.0


class Faults:
    """Injects faults into the next calls that a state makes or that an API gets.

    `at` is the name of a Task state, or an API call as `aws-sdk` spells it, for example `bedrock:getCustomModel`. Every
    such API call is meant then, those of Lambda functions and of `.sync` integrations included.

    Attributes:
        tasks: Gives the names of the Task states that there are.
    """

    def __init__(self) -> None:
        self._faults: list[_Fault] = []
        self.tasks: Callable[[], Collection[str]] = tuple

    def fail(self, at: str, error: str, *, times: int = 1, cause: str = "injected by the rehearsal") -> None:
        """Let calls fail before they have an effect.

        Args:
            at: A state, or an API call.
            error: The error's name: as the API declares it (`ThrottlingException`), or, for a state, as Step Functions
                names it (`States.TaskFailed`).
            times: How many calls fail.
            cause: The error's message.

        Raises:
            ValueError: There is no such state or API call, or `times` is less than 1; so for the other faults.
        """
        self._add(_Fault("fail", at, times, error, cause))

    def lose_response(self, at: str, *, times: int = 1) -> None:
        """Let calls take effect and then fail with `...SdkClientException`, as if the connection broke.

        Args:
            at: A state, or an API call.
            times: How many calls.
        """
        self._add(_Fault("lose", at, times, _LOST_CODE, _LOST))

    def hang(self, at: str, *, times: int = 1) -> None:
        """Let calls of states never return; only a timeout ends them. They have no effect.

        Args:
            at: A state, or an API call.
            times: How many calls.
        """
        self._add(_Fault("delay", at, times, seconds=float("inf")))

    def delay(self, at: str, seconds: float, *, times: int = 1) -> None:
        """Let calls of states take longer.

        Args:
            at: A state, or an API call.
            seconds: How much longer, in virtual time.
            times: How many calls.
        """
        self._add(_Fault("delay", at, times, seconds=seconds))

    @property
    def pending(self) -> list[str]:
        """Where faults are injected that have not happened yet."""
        return [fault.at for fault in self._faults]

    def clear(self) -> None:
        """Forget every fault that has not happened yet."""
        self._faults.clear()

    @staticmethod
    def errors_of(call: str) -> list[str]:
        """The errors that the API declares for a call, for example of `bedrock:createModelCustomizationJob`.

        Raises:
            ValueError: There is no such call.
        """
        return [shape.name for shape in _operation(call).error_shapes]

    def before(self, call: ApiCall) -> None:
        """Raise the error that is injected into an API call, if one is."""
        fault = self._next("fail", _names_of(call))
        if fault is not None:
            raise _api_error(min(_names_of(call)), fault)

    def after(self, call: ApiCall, result: Any) -> None:
        """Lose the response of an API call, if that is injected into it or into the state that makes it."""
        by_state = set() if call.principal.state is None else {call.principal.state}
        fault = self._next("lose", _names_of(call) | by_state)
        if fault is not None:
            raise ApiError(fault.error, fault.cause, 0)

    async def around(self, state: str, calls: set[str], perform: Callable[[], Awaitable[Any]], prefix: str = "") -> Any:
        """Call a service for a state, with the faults that are injected into the state.

        Args:
            state: The state's name.
            calls: The names of the API call that the state makes; none if something stands in for it.
            perform: Calls the service.
            prefix: What the errors of a service begin with that something stands in for.

        Raises:
            ApiError: The injected error, as the API declares it.
            StatesError: The injected error, as Step Functions names it.
        """
        delay = self._next("delay", {state, *calls})
        if delay is not None:
            await trio.sleep(delay.seconds)
        failure = self._next("fail", {state})
        if failure is not None:
            call = min(calls, default=None)
            if call is not None and failure.error in self.errors_of(call):
                raise _api_error(call, failure)
            raise StatesError(failure.error, failure.cause)
        result = await perform()
        lost = None if calls else self._next("lose", {state})
        if lost is not None:
            raise StatesError(f"{prefix}.{lost.error}", lost.cause)
        return result

    def _add(self, fault: _Fault) -> None:
        if fault.left < 1:
            raise ValueError(f"times: got {fault.left}; at least 1 is needed")
        tasks = self.tasks()
        if fault.at not in tasks:
            if ":" not in fault.at:
                known = ", ".join(sorted(tasks)) or "none"
                raise ValueError(
                    f"at: got {fault.at!r}; it must be an API call such as bedrock:getCustomModel, or one of the Task "
                    f"states {known}"
                )
            self.errors_of(fault.at)
        self._faults.append(fault)

    def _next(self, kind: str, names: set[str]) -> _Fault | None:
        for fault in self._faults:
            if fault.kind == kind and fault.at in names:
                fault.left -= 1
                if not fault.left:
                    self._faults.remove(fault)
                return fault
        return None


def _names_of(call: ApiCall) -> set[str]:
    return api_names(call.service, call.operation)


def api_names(client_name: str, operation: str) -> set[str]:
    """How an API call can be written, for example `bedrockruntime:converse`."""
    service = sdk.service_model(client_name).service_id.replace(" ", "").lower()
    action = operation[:1].lower() + operation[1:]
    return {f"{name}:{action}" for name in (service, client_name.replace("-", ""))}


def _api_error(call: str, fault: _Fault) -> ApiError:
    shapes = _operation(call).error_shapes
    status = next(
        (shape.metadata.get("error", {}).get("httpStatusCode") for shape in shapes if shape.name == fault.error), None
    )
    return ApiError(fault.error, fault.cause, status or 400)


def _operation(call: str) -> OperationModel:
    service, _, action = call.partition(":")
    model = sdk.service_of(service)
    operation = sdk.operation_of(model, action) if model is not None else None
    if operation is None:
        raise ValueError(f"call: {call!r} is no API call; write it like bedrock:createModelCustomizationJob")
    return operation
