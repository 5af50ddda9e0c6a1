"""Reads an evaluation set of either schema and normalises its records."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from dataset import schemas
from dataset.alignment import Alignment
from dataset.content import MEDIA
from dataset.conversion import convert_record
from dataset.duplicates import Duplicates
from dataset.evaluation_models import RecordNeeds
from dataset.findings import WARNINGS, Findings
from dataset.given_answers import given_answers
from dataset.lines import ByteStream, Line, LineReader
from dataset.overlap import OverlapIndex
from dataset.records import Parsed, Record, Turn, check_text

OWN_NAMES = ("references", "category", "responses")
"""What evaluation data have beside the fields of a schema."""
SCHEMA_NAMES = {
    schemas.PROMPT_COMPLETION: frozenset({"prompt", "completion"}),
    schemas.CONVERSATION: frozenset({"schemaVersion", "system", "messages"}),
}
"""The fields of each schema that evaluation data may have; others travel with the data and are left out."""


EXPECTED = 'evaluation data are {"prompt", "completion"} or bedrock-conversation-2024'


class EvaluationSet:
    """Reads evaluation data; records that cannot be used are named by line and left out.

    A record is `{"prompt", "completion"}` or a `bedrock-conversation-2024` record whose last assistant turn is the
    reference, or in another format that `dataset.conversion` reads. All may carry `"references": ["...", ...]`, further
    or instead, `"category": "..."`, and answers that are already there: `"responses": {"<model>": "<text>" or {"text",
    "stopReason"}}`. A record whose answers are all there needs no prompt.

    Args:
        findings: Where faults are added.
        index: Where prompts are indexed to be compared with training data.
        needs: What the models need of every record; by default a prompt and a reference.
    """

    def __init__(self, findings: Findings, index: OverlapIndex | None = None, needs: RecordNeeds | None = None) -> None:
        self._findings = findings
        self._index = index
        self._needs = needs or RecordNeeds()
        self._duplicates = Duplicates()
        self._alignment = Alignment()
        self._answered: Counter[str] = Counter()
        self.count = 0
        """All records, usable or not; of those that are there several times, one."""
        self.usable = 0
        """The records that were kept."""

    def records(self, stream: ByteStream) -> Iterator[dict[str, Any]]:
        """Yield the normalised records.

        Args:
            stream: The evaluation set, JSONL.

        Yields:
            `{"id", "system"?, "messages", "references", "category"?, "responses"?, "answerLimit"?}`; the id is the
            line's number, from 1. `answerLimit` is how many bytes one answer may have beside the record.
        """
        reader = LineReader(stream)
        for line in reader:
            if line.text is not None and not line.text.strip():
                self._add("blankLine", line, "")
                continue
            self.count += 1
            if (record := self._read_line(line)) is not None:
                self.usable += 1
                yield record
        if reader.byte_order_mark:
            detail = "the file begins with a byte order mark"
            self._findings.add("evaluation", "byteOrderMark", detail=detail, severity="warning")

    def finish(self, minimum_coverage: float) -> None:
        """Decide whether enough records are left.

        Args:
            minimum_coverage: The least share of records that must be usable.
        """
        if not self.count:
            self._findings.add("evaluation", "emptyFile", detail="the file has no record")
        elif self.usable / self.count < minimum_coverage:
            detail = f"{self.usable} of {self.count} records are usable, the least share is {minimum_coverage:.4g}"
            self._findings.add("evaluation", "tooFewUsable", detail=detail)
            self._findings.promote("evaluation")
        for model in self._needs.given:
            if self.usable and not self._answered[model]:
                there = ", ".join(self._answered) or "no model"
                detail = f"{model!r} has no modelId and no record has its answer; there are answers of {there}"
                self._findings.add("evaluation", "noAnswers", detail=detail)
        for model, side in self._alignment.shifted().items():
            detail = f"the answers of {model!r} fit the references of the record {side} better than their own"
            self._findings.add("evaluation", "shiftedAnswers", detail=detail)

    def _add(self, kind: str, line: Line, detail: str) -> None:
        self._findings.add("evaluation", kind, line.number, detail, severity="warning")

    def _read_line(self, line: Line) -> dict[str, Any] | None:
        if line.text is None:
            self._add(line.fault or "notJson", line, line.detail)
            return None
        value, fault = schemas.parse_json(line.text)
        if fault is not None:
            self._add(fault[0], line, fault[1])
            return None
        record, parsed = normalise(value, str(line.number), self._needs)
        for kind, details in parsed.faults_by_kind().items():
            self._add(kind, line, "; ".join(details))
        if record is None:
            return None
        if self._index is not None:
            self._index.add(parsed.record.prompt, line.number)
        if self._is_repeated(record, line):
            return None
        answers = record.get("responses", {})
        self._answered.update(answers.keys())
        if answers:
            self._alignment.add(record["references"], {name: answer["text"] for name, answer in answers.items()})
        return record

    def _is_repeated(self, record: dict[str, Any], line: Line) -> bool:
        """Whether a record is there already; a copy would not be another observation, but make intervals narrower."""
        if "messages" not in record:
            return False
        named = ("system", "messages", "references", "category", "responses")
        texts = [json.dumps(record[name], ensure_ascii=False) for name in named if name in record]
        repeated = self._duplicates.finding(texts, line.number)
        if repeated is None:
            return False
        kind, detail = repeated
        copied = kind == "duplicateRecord"
        self._add(kind, line, f"{detail}; it counts once" if copied else detail)
        self.count -= copied
        return copied


def normalise(
    value: dict[str, Any], identifier: str, needs: RecordNeeds | None = None
) -> tuple[dict[str, Any] | None, Parsed]:
    """Bring a record into the one form that models are asked in.

    Args:
        value: A record of either schema or of another format that is converted, optionally with `references`,
            `category` and `responses`.
        identifier: The record's id.
        needs: What the models need of it.

    Returns:
        The normalised record, or None if it has a fault; and what was parsed, with the faults.
    """
    needs = needs or RecordNeeds()
    value = _in_a_known_schema(value)
    parsed = _parse(value, needs)
    if parsed is None:
        return None, Parsed(faults=[("unknownSchema", f"{schemas.unknown(value)}; {EXPECTED}")])
    record: dict[str, Any] = {"id": identifier}
    if parsed.record.system:
        record["system"] = [{"text": text} for text in parsed.record.system]
    turns = parsed.record.turns[:-1] if parsed.record.completion is not None else parsed.record.turns
    if turns:
        record["messages"] = [{"role": turn.role, "content": [{"text": turn.text}]} for turn in turns]
    record["references"] = _references(value, parsed)
    if "category" in value:
        record["category"] = check_text(value, "category", "", parsed.faults)
    if answers := given_answers(value, needs.given, parsed.faults):
        record["responses"] = answers
    if needs.prompt and not parsed.faults and not turns:
        parsed.faults.append(("turnOrder", "there is no turn before the answer"))
    _check_templates(record, needs, parsed)
    _check_size(record, needs, parsed)
    return (None if parsed.faults else record), parsed


def _in_a_known_schema(value: dict[str, Any]) -> dict[str, Any]:
    """Return a record of another format as a conversation; one that cannot be converted is returned as it is."""
    if schemas.recognise(value) in SCHEMA_NAMES:
        return value
    try:
        converted = convert_record(value, schemas.CONVERSATION, answer_required=False)
    except ValueError:
        return value
    return converted | {name: value[name] for name in OWN_NAMES if name in value}


def _parse(value: dict[str, Any], needs: RecordNeeds) -> Parsed | None:
    schema = schemas.recognise(value)
    if not needs.prompt and "prompt" not in value and "messages" not in value:
        return _parse_without_prompt(value)
    if schema not in SCHEMA_NAMES:
        return None
    own = {name: value[name] for name in value if name in SCHEMA_NAMES[schema]}
    parsed = schemas.parse(own, schema, answer_required=False)
    # A record with media is left out, whether or not they are well described.
    parsed.faults = [fault for fault in parsed.faults if fault[0] not in WARNINGS and fault[0] != "media"]
    if schema == schemas.CONVERSATION and _has_media(value):
        parsed.faults.append(("unsupportedContent", "a turn holds something else than text"))
    return parsed


def _parse_without_prompt(value: dict[str, Any]) -> Parsed:
    parsed = Parsed()
    if "completion" in value:
        parsed.record = Record(turns=(Turn("assistant", check_text(value, "completion", "", parsed.faults)),))
    return parsed


def _check_templates(record: dict[str, Any], needs: RecordNeeds, parsed: Parsed) -> None:
    if needs.single_turn and len(record.get("messages", [])) > 1:
        names = ", ".join(needs.single_turn)
        parsed.faults.append(("templateTurns", f"several turns, but the body template of {names} takes one"))
    if needs.no_system and "system" in record:
        names = ", ".join(needs.no_system)
        parsed.faults.append(("templateSystem", f"a system text, but the body template of {names} takes none"))


def encode(record: dict[str, Any]) -> bytes:
    """Return a record as one line of UTF-8 JSON, without the line end."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _check_size(record: dict[str, Any], needs: RecordNeeds, parsed: Parsed) -> None:
    if parsed.faults:
        return
    try:
        size = len(encode(record))
    except UnicodeEncodeError:
        parsed.faults.append(("loneSurrogate", "a text holds half of a UTF-16 pair"))
        return
    if size > needs.record_bytes:
        parsed.faults.append(("recordTooLarge", f"{size} bytes, at most {needs.record_bytes}"))
    if needs.asked:
        record["answerLimit"] = needs.answer_bytes(size)


def _references(value: dict[str, Any], parsed: Parsed) -> list[str]:
    further = value.get("references", [])
    if not isinstance(further, list) or any(not isinstance(text, str) for text in further):
        parsed.faults.append(("wrongType", "references is not an array of strings"))
        return []
    if any(not text.strip() for text in further):
        parsed.faults.append(("emptyText", "a text in references is blank"))
    completion = parsed.record.completion
    references = list(dict.fromkeys([*([completion] if completion is not None else []), *further]))
    if not references and not parsed.faults:
        parsed.faults.append(("noReference", "there is no completion, no last assistant turn and no references"))
    return references


def _has_media(value: dict[str, Any]) -> bool:
    contents = [
        message["content"] for message in value["messages"] if isinstance(message, dict) and "content" in message
    ]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    return any(isinstance(block, dict) and not MEDIA.isdisjoint(block) for block in blocks)
