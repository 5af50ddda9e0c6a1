"""Checks one file of training or validation data, line by line."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from dataset import schemas
from dataset.conversion import convert_record
from dataset.duplicates import MAXIMUM_RECORDS, Duplicates
from dataset.findings import Findings
from dataset.lines import ByteStream, Line, LineReader
from dataset.records import TOKEN_RULE, Record
from dataset.rules import ModelRules


class TrainingFile:
    """Checks training or validation data and counts its records and tokens.

    Args:
        name: `training` or `validation`.
        rules: The rules of the model.
        findings: Where faults are added.
    """

    def __init__(self, name: str, rules: ModelRules, findings: Findings) -> None:
        self._name = name
        self._rules = rules
        self._findings = findings
        self._schema = rules.schemas[0] if len(rules.schemas) == 1 else None
        self._duplicates = Duplicates()
        self._tokens = Counter[str]()
        self._media = Counter[str]()
        self._reserved = {word.casefold(): word for word in rules.reserved_words}
        self.records = 0

    def prompts(self, stream: ByteStream) -> Iterator[tuple[str, int]]:
        """Check every line.

        Args:
            stream: The file.

        Yields:
            The prompt and the line of every record that could be read.
        """
        reader = LineReader(stream)
        for line in reader:
            if line.text is not None and not line.text.strip():
                self._add("blankLine", line)
                continue
            self.records += 1
            if (record := self._read_line(line)) is not None:
                yield record.prompt, line.number
        if reader.byte_order_mark and not self._rules.convert_to:
            self._findings.add(self._name, "byteOrderMark", detail="the file begins with a byte order mark")
        if not self.records:
            self._findings.add(self._name, "emptyFile", detail="the file has no record")
        if self._media["image"] and self._media["video"]:
            detail = f"{self._media['image']} images and {self._media['video']} videos"
            self._findings.add(self._name, "mixedMedia", detail=detail)
        if self._duplicates.skipped:
            detail = f"only the first {MAXIMUM_RECORDS} different records were compared"
            self._findings.add(self._name, "duplicatesPartlyChecked", detail=detail, count=self._duplicates.skipped)

    def statistics(self) -> dict[str, Any]:
        """Return the number of records and the estimated tokens, in all and in the largest record."""
        return {
            "records": self.records,
            "schema": self._schema,
            "estimatedTokens": self._tokens["all"],
            "largestRecordTokens": self._tokens["largest"],
            "tokenEstimate": TOKEN_RULE,
        }

    def _add(self, kind: str, line: Line, detail: str = "") -> None:
        self._findings.add(self._name, kind, line.number, detail)

    def _read_line(self, line: Line) -> Record | None:
        if line.text is None:
            self._add(line.fault or "notJson", line, line.detail)
            return None
        value, fault = schemas.parse_json(line.text)
        if fault is not None:
            self._add(fault[0], line, fault[1])
            return None
        if self._rules.convert_to:
            try:
                value = convert_record(value, self._rules.convert_to[0], answer_required=self._rules.answer_required)
            except ValueError as error:
                self._add("notConvertible", line, str(error))
                return None
        schema = schemas.recognise(value) if len(self._rules.schemas) > 1 else self._schema or schemas.recognise(value)
        if schema is None:
            self._add("unknownSchema", line, schemas.unknown(value))
            return None
        if not self._rules.schemas:
            self._schema = schema
        parsed = schemas.parse(value, schema, answer_required=self._rules.answer_required)
        for kind, details in parsed.faults_by_kind().items():
            self._add(kind, line, "; ".join(details))
        if parsed.record.turns:
            self._check_record(parsed.record, line)
            return parsed.record
        return None

    def _check_record(self, record: Record, line: Line) -> None:
        self._tokens["all"] += record.tokens
        self._tokens["largest"] = max(self._tokens["largest"], record.tokens)
        limit = self._rules.tokens_per_record
        if limit is not None and record.tokens > limit:
            self._add("tooManyTokens", line, f"about {record.tokens} tokens, at most {limit}")
        texts = [text.casefold() for text in record.texts] if self._reserved else []
        if words := [word for folded, word in self._reserved.items() if any(folded in text for text in texts)]:
            self._add("reservedWord", line, ", ".join(map(repr, words)))
        if repeated := self._duplicates.finding([*record.texts, *record.media], line.number):
            self._add(repeated[0], line, repeated[1])
        self._check_content(record, line)

    def _check_content(self, record: Record, line: Line) -> None:
        rules = self._rules
        if rules.system_texts is not None and len(record.system) > rules.system_texts:
            self._add("systemTexts", line, f"{len(record.system)} system texts, at most {rules.system_texts}")
        if rules.single_exchange and len([turn for turn in record.turns if turn.role == "user"]) > 1:
            self._add("severalExchanges", line, f"{len(record.turns)} turns")
        for medium in dict.fromkeys(record.media):
            kind, _, form = medium.partition("/")
            self._media[kind] += 1
            if rules.media is not None and form not in rules.media.get(kind, []):
                taken = " and ".join(f"{name} ({', '.join(forms)})" for name, forms in rules.media.items())
                self._add("unsupportedContent", line, f"{medium}; the model takes {taken or 'text only'}")
        if rules.reasoning is False and any(turn.reasoning for turn in record.turns):
            self._add("unsupportedContent", line, "reasoningContent, which the model does not take")
