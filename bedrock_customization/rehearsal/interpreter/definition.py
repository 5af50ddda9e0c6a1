"""A state machine definition after it was checked: what the interpreter runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bedrock_customization.rehearsal.interpreter.jsonpath.choice import Condition
from bedrock_customization.rehearsal.interpreter.jsonpath.template import PathTemplate
from bedrock_customization.rehearsal.interpreter.template import Template

Field = Template | PathTemplate
"""A field whose value may come from the data: in JSONata, or in JSONPath."""

ResultPath = tuple[str | int, ...] | None
"""Where a result is put in the input: nothing in it replaces the input, None discards the result."""


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
    assign: Field | None
    output: Field | None
    result_path: ResultPath = ()


@dataclass(frozen=True)
class ChoiceRule:
    """One entry of `Choices`."""

    condition: Template | Condition
    next: str
    assign: Field | None
    output: Field | None


@dataclass
class Block:
    """States that run one after another: a state machine, a branch of a Parallel, the processor of a Map."""

    start_at: str
    states: dict[str, State]


@dataclass
class State:
    """One state.

    `templates` holds its evaluated fields by their name in JSONata: `Output`, `Assign`, `ItemReader/Arguments` and so
    on; in a JSONPath state that has another name for one, such as `Parameters`, it stands under that of JSONata.
    """

    name: str
    type: str
    path: str
    definition: dict[str, Any]
    next: str | None = None
    templates: dict[str, Field] = field(default_factory=dict)
    json_path: bool = False
    result_path: ResultPath = ()
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
