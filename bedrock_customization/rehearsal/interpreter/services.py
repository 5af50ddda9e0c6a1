"""What the interpreter asks of the world outside a state machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


class UnsupportedDefinitionError(Exception):
    """A definition uses something that the rehearsal does not know; it is refused by name instead of being skipped."""


class StatesError(Exception):
    """An error as Step Functions reports it: a name that Retry and Catch match, and a cause in words.

    Args:
        error: The error's name, for example `Bedrock.ThrottlingException` or `States.Timeout`.
        cause: What happened; for a Lambda function, its error as JSON text.

    Attributes:
        of_result: Whether it is about the size of a Task's result.
    """

    of_result = False

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}" if cause else error)
        self.error = error
        self.cause = cause


@dataclass(frozen=True)
class StateMachine:
    """A state machine that can be run: its resolved definition and who it acts as."""

    arn: str
    definition: dict[str, Any]
    role_arn: str | None = None
    type: str = "STANDARD"

    @property
    def name(self) -> str:
        """The last part of the ARN."""
        return self.arn.rsplit(":", 1)[-1]

    @property
    def shown_role_arn(self) -> str:
        """The role as executions show it; every real state machine has one, so one is made up if it is not known."""
        partition, account = self.arn.split(":")[1], self.arn.split(":")[4]
        return self.role_arn or f"arn:{partition}:iam::{account}:role/{self.name}"


def _ignore(response: Any) -> None:
    pass


@dataclass(frozen=True)
class Caller:
    """Who makes a service call: what permissions, faults and messages need to know.

    `submitted` is called by a `.sync` resource with the response of the API that started its job, once that was
    accepted; it becomes the `TaskSubmitted` event.
    """

    state_machine: StateMachine
    execution_arn: str
    state: str
    submitted: Callable[[Any], None] = field(default=_ignore, compare=False, repr=False)


class Services(Protocol):
    """The services that Task states, item readers and result writers call."""

    def check(self, resource: str) -> None:
        """Refuse a resource that is not known, by name, before anything runs.

        Args:
            resource: A `Resource` of the definition, for example `arn:aws:states:::aws-sdk:bedrock:getCustomModel`.

        Raises:
            UnsupportedDefinitionError: The resource is unknown.
        """

    async def call(self, resource: str, arguments: Any, caller: Caller) -> Any:
        """Call a service and wait, in virtual time, for its result.

        An item reader calls `...:::s3:getObject` (its result has `Body` as bytes) or `...:::s3:listObjectsV2`; a result
        writer calls `...:::s3:putObject` with `Body` as bytes. A cancelled `.sync` call stops what it started.

        Args:
            resource: The `Resource` as written in the definition.
            arguments: The evaluated `Arguments`.
            caller: The state that calls.

        Returns:
            The result as Step Functions would hand it to the state: JSON values.

        Raises:
            StatesError: The call failed, with the name that Step Functions gives to the error.
        """

    def start_map_run(self, caller: Caller) -> None:
        """Refuse a Map Run whose state machine may not start the child executions.

        Args:
            caller: The Map state.

        Raises:
            StatesError: The state machine's role does not allow it.
        """

    def redrive_map_run(self, caller: Caller, children: Sequence[str]) -> None:
        """Refuse to redrive a Map Run whose state machine may not redrive its child executions.

        Args:
            caller: The Map state.
            children: The ARNs of the child executions that are redriven.

        Raises:
            StatesError: The state machine's role does not allow it.
        """
