"""Converts training data to the schema that a model wants: from Bedrock's own schemas and from formats of other tools.

`python -m dataset.conversion --to bedrock-conversation-2024 train.jsonl converted.jsonl` does so for local files.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dataset import schemas
from dataset.errors import InvalidData
from dataset.lines import ByteStream, LineReader
from dataset.lookalikes import lookalike
from dataset.records import Record

TARGETS = (schemas.PROMPT_COMPLETION, schemas.CONVERSATION, schemas.CHAT, schemas.INPUT)
REFERENCE = "reference_answer"
"""Where reinforcement fine-tuning keeps the answer that the grader compares with."""

_OWN_FIELDS = {
    schemas.PROMPT_COMPLETION: frozenset({"prompt", "completion"}),
    schemas.CONVERSATION: frozenset({"schemaVersion", "system", "messages"}),
    schemas.CHAT: frozenset({"system", "messages"}),
    schemas.INPUT: frozenset({"input"}),
}


def convert_record(value: dict[str, Any], schema: str, *, answer_required: bool = True) -> dict[str, Any]:
    """Return a record in another schema; a record that is in it already is returned as it is.

    Args:
        value: A record in one of the schemas of `TARGETS` or in a format that `dataset.lookalikes` knows.
        schema: The schema that is wanted, one of `TARGETS`.
        answer_required: Whether the record has to end with an answer.

    Returns:
        The converted record. Further fields of Bedrock's schemas, such as `category`, are kept.

    Raises:
        ValueError: The record has faults, or the wanted schema cannot hold all of it.
    """
    foreign = lookalike(value)
    if foreign is not None and foreign[1] is None:
        raise ValueError(schemas.unknown(value))
    value = value if foreign is None or foreign[1] is None else foreign[1]
    found = schemas.recognise(value)
    if found not in TARGETS:
        raise ValueError(f"the record is in no format that is converted; {schemas.unknown(value)}")
    if found == schema:
        return value
    own = {name: text for name, text in value.items() if name in _OWN_FIELDS[found]}
    further = {name: text for name, text in value.items() if name not in own}
    if found == schemas.CHAT and isinstance(further.get(REFERENCE), str):
        own["messages"] = _answered(own["messages"], further.pop(REFERENCE))
    parsed = schemas.parse(own, found, answer_required=answer_required and schema != schemas.CHAT)
    if faults := [detail for kind, detail in parsed.faults if kind != "schemaVersion"]:
        raise ValueError("; ".join(faults))
    if schemas.INPUT in (found, schema):
        raise ValueError("prompts with answers and unlabelled texts cannot stand for one another")
    if parsed.record.media or any(turn.reasoning for turn in parsed.record.turns):
        raise ValueError(f"{schema} cannot hold media or reasoning")
    return _WRITERS[schema](parsed.record) | further


def convert_lines(stream: ByteStream, schema: str, *, answer_required: bool = True) -> Iterator[bytes]:
    """Convert every line of a file; blank lines are left out.

    Args:
        stream: JSONL.
        schema: The schema that is wanted.
        answer_required: Whether each record has to end with an answer.

    Yields:
        Lines of UTF-8 JSON without line ends.

    Raises:
        InvalidData: A line cannot be converted; the message names it.
    """
    for line in LineReader(stream):
        if line.text is None:
            raise InvalidData(f"line {line.number}: {line.detail}. Check the file before it is converted.")
        if not line.text.strip():
            continue
        value, fault = schemas.parse_json(line.text)
        try:
            if fault is not None:
                raise ValueError(fault[1])
            converted = convert_record(value, schema, answer_required=answer_required)
            yield json.dumps(converted, ensure_ascii=False).encode()
        except ValueError as error:
            raise InvalidData(f"line {line.number}: {error}. Repair or remove the record.") from error


def main(arguments: list[str] | None = None, program: str = "python -m dataset.conversion") -> int:
    """Convert a local file.

    Args:
        arguments: Command-line arguments; by default those of the process.
        program: What the command is called.

    Returns:
        The exit status: 1 if a line cannot be converted, and then the target is not written, else 0.
    """
    parser = argparse.ArgumentParser(prog=program, description="Convert a JSONL file to the schema that a model wants.")
    parser.add_argument("--to", choices=TARGETS, required=True, help="the schema that is wanted")
    parser.add_argument("--prompts-only", action="store_true", help="records need no answer, as for a distillation")
    parser.add_argument("source", type=Path, help="the JSONL file to read")
    parser.add_argument("target", type=Path, help="the JSONL file to write")
    options = parser.parse_args(arguments)
    if not options.source.is_file():
        parser.error(f"no such file: {options.source}")
    if options.source.resolve() == options.target.resolve():
        parser.error(f"the target is the source, {options.source}; give another file to write")
    draft = options.target.with_name(f"{options.target.name}.part")
    try:
        with options.source.open("rb") as source, draft.open("wb") as target:
            for line in convert_lines(source, options.to, answer_required=not options.prompts_only):
                target.write(line + b"\n")
        draft.replace(options.target)
    except InvalidData as error:
        print(f"{options.source}: {error}", file=sys.stderr)
        return 1
    finally:
        draft.unlink(missing_ok=True)
    return 0


def _answered(messages: Any, answer: str) -> Any:
    """Let the reference answer end a conversation that ends with a question."""
    last = messages[-1] if isinstance(messages, list) and messages else None
    if isinstance(last, dict) and last.get("role") == "user":
        return [*messages, {"role": "assistant", "content": answer}]
    return messages


def _pair(record: Record) -> dict[str, Any]:
    roles = [turn.role for turn in record.turns]
    if record.system or roles not in (["user"], ["user", "assistant"]):
        raise ValueError("a prompt and a completion cannot hold system texts or more than one exchange")
    answer = {} if record.completion is None else {"completion": record.completion}
    return {"prompt": record.prompt, **answer}


def _conversation(record: Record) -> dict[str, Any]:
    system = {"system": [{"text": text} for text in record.system]} if record.system else {}
    messages = [{"role": turn.role, "content": [{"text": turn.text}]} for turn in record.turns]
    return {"schemaVersion": schemas.CONVERSATION, **system, "messages": messages}


def _chat(record: Record) -> dict[str, Any]:
    turns = record.turns if record.completion is None else record.turns[:-1]
    messages = [{"role": "system", "content": "\n".join(record.system)}] if record.system else []
    messages += [{"role": turn.role, "content": turn.text} for turn in turns]
    answer = {} if record.completion is None else {REFERENCE: record.completion}
    return {"messages": messages, **answer}


_WRITERS = {schemas.PROMPT_COMPLETION: _pair, schemas.CONVERSATION: _conversation, schemas.CHAT: _chat}


if __name__ == "__main__":
    sys.exit(main())
