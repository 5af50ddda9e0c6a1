"""Converts training data between the two schemas that hold prompts and answers.

`python -m dataset.conversion --to bedrock-conversation-2024 train.jsonl converted.jsonl` does so for local files.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dataset import schemas
from dataset.errors import InvalidData, InvalidInput
from dataset.lines import ByteStream, LineReader
from dataset.objects import S3Object

TARGETS = (schemas.PROMPT_COMPLETION, schemas.CONVERSATION)


def convert_record(value: dict[str, Any], schema: str) -> dict[str, Any]:
    """Return a record in another schema; a record that is in it already is returned as it is.

    Args:
        value: A record of `prompt-completion` or `bedrock-conversation-2024`.
        schema: The schema that is wanted, one of these two.

    Returns:
        The converted record. Fields that the schemas do not have, such as `category`, are kept.

    Raises:
        ValueError: The record has faults, or it has more than one exchange, system texts or media, which a prompt and a
            completion cannot hold.
    """
    found = schemas.recognise(value)
    if found not in TARGETS:
        raise ValueError(f"the record is in neither of {' and '.join(TARGETS)}")
    if found == schema:
        return value
    names = {"prompt", "completion"} if found == schemas.PROMPT_COMPLETION else {"schemaVersion", "system", "messages"}
    own = {name: value[name] for name in value if name in names}
    further = {name: value[name] for name in value if name not in names}
    parsed = schemas.parse(own, found)
    if faults := [detail for kind, detail in parsed.faults if kind != "schemaVersion"]:
        raise ValueError("; ".join(faults))
    if schema == schemas.CONVERSATION:
        messages = [{"role": turn.role, "content": [{"text": turn.text}]} for turn in parsed.record.turns]
        return {"schemaVersion": schemas.CONVERSATION, "messages": messages, **further}
    if parsed.record.system or len(parsed.record.turns) != 2:
        raise ValueError("a prompt and a completion cannot hold system texts or more than one exchange")
    if any(set(block) != {"text"} for message in value["messages"] for block in message["content"]):
        raise ValueError("a prompt and a completion cannot hold anything but text")
    return {"prompt": parsed.record.prompt, "completion": parsed.record.completion, **further}


def convert_lines(stream: ByteStream, schema: str) -> Iterator[bytes]:
    """Convert every line of a file; blank lines are left out.

    Args:
        stream: JSONL.
        schema: The schema that is wanted.

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
            yield json.dumps(convert_record(value, schema), ensure_ascii=False).encode()
        except ValueError as error:
            raise InvalidData(f"line {line.number}: {error}. Repair or remove the record.") from error


def convert_object(event: dict[str, Any], client: Any) -> dict[str, Any]:
    """Convert an object in S3 and write the result to another.

    Args:
        event: `{"bucket", "key", "schema", "resultsBucket", "outputKey"}`.
        client: A boto3 S3 client.

    Returns:
        `{"key": the converted object}`.

    Raises:
        InvalidInput: The schema is none that can be converted to, or the object does not exist.
        InvalidData: A line cannot be converted.
    """
    if event["schema"] not in TARGETS:
        raise InvalidInput([f"schema: must be one of {', '.join(TARGETS)}, got {event['schema']!r}."])
    source = S3Object(client, event["bucket"], event["key"])
    if problem := source.problem_with_existence("key"):
        raise InvalidInput([problem])
    target = S3Object(client, event["resultsBucket"], event["outputKey"])
    target.write_lines(convert_lines(source.open("rb"), event["schema"]))
    return {"key": target.key}


def main(arguments: list[str] | None = None) -> int:
    """Convert a local file; return 1 if a line cannot be converted."""
    parser = argparse.ArgumentParser(prog="python -m dataset.conversion", description=__doc__)
    parser.add_argument("--to", choices=TARGETS, required=True, help="the schema that is wanted")
    parser.add_argument("source", type=Path, help="the JSONL file to read")
    parser.add_argument("target", type=Path, help="the JSONL file to write")
    options = parser.parse_args(arguments)
    try:
        with options.source.open("rb") as source, options.target.open("wb") as target:
            for line in convert_lines(source, options.to):
                target.write(line + b"\n")
    except InvalidData as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
