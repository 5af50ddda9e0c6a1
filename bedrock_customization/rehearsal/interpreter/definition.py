"""A state machine definition after it was checked: what the interpreter runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bedrock_customization.rehearsal.interpreter.template import Template


@dataclass(frozen=True)
class Retrier:
    """One entry of `Retry`, with the defaults filled in."""

    error_equals: tuple[str, ...]
    interval_seconds: int = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay_seconds: int | None = None
    full_jitter: bool = False


@dataclass(frozen=True)
class Catcher:
    """One entry of `Catch`."""

    error_equals: tuple[str, ...]
    next: str
    assign: Template | None
    output: Template | None


@dataclass(frozen=True)
class ChoiceRule:
    """One entry of `Choices`."""

    condition: Template
    next: str
    assign: Template | None
    output: Template | None


@dataclass
class Block:
    """States that run one after another: a state machine, a branch of a Parallel, the processor of a Map."""

    start_at: str
    states: dict[str, State]


@dataclass
class State:
    """One state.

    `templates` holds its evaluated fields by their name: `Output`, `Assign`, `ItemReader/Arguments` and so on.
    """

    name: str
    type: str
    path: str
    definition: dict[str, Any]
    next: str | None = None
    templates: dict[str, Template] = field(default_factory=dict)
    retry: list[Retrier] = field(default_factory=list)
    catch: list[Catcher] = field(default_factory=list)
    choices: list[ChoiceRule] = field(default_factory=list)
    default: str | None = None
    branches: list[Block] = field(default_factory=list)
    processor: Block | None = None
    distributed: bool = False
    express_children: bool = False


@dataclass
class Definition:
    """A whole state machine."""

    block: Block
    timeout_seconds: int | None
