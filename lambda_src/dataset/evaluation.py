"""Reads an evaluation set, line by line."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from dataset import schemas
from dataset.alignment import Alignment
from dataset.duplicates import Duplicates
from dataset.evaluation_models import RecordNeeds
from dataset.findings import Findings
from dataset.lines import ByteStream, Line, LineReader
from dataset.normalisation import normalise
from dataset.overlap import OverlapIndex


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
