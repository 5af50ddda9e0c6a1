"""What a check found: counted by kind, with the first lines of each and a fix."""

from dataclasses import dataclass, field
from typing import Any

LINES_KEPT = 5
DETAIL_CHARACTERS = 160
HEADLINE_CHARACTERS = 400

FIXES = {
    "emptyFile": "Put at least one record into the file.",
    "byteOrderMark": "Save the file as UTF-8 without a byte order mark.",
    "encoding": "Save the file as UTF-8.",
    "blankLine": "Remove the blank lines.",
    "lineTooLong": "Put every record on a line of its own, and shorten or split the ones that are too long.",
    "notText": "Unpack or export it to JSON lines: one object on each line, UTF-8.",
    "jsonArray": "Write one object on each line instead, for example: jq -c '.[]' data.json > data.jsonl",
    "prettyPrinted": "Write each object on one line, for example: jq -c . data.json > data.jsonl",
    "csv": 'Write each row as a JSON object on a line of its own, for example {"prompt": "...", "completion": "..."}.',
    "notJson": "Write one complete JSON object on each line, and nothing else.",
    "wrongSchema": "Write all records in the schema that the model wants, or have them converted: convertData.",
    "unknownSchema": "Write the records in the schema that the model wants; common formats are converted: convertData.",
    "schemaConflict": "Train these models in executions of their own, each with data in the schema that it wants.",
    "missingField": "Add the missing field.",
    "wrongType": "Give the field the type that the schema asks for.",
    "unknownField": "Remove the fields that the schema does not have.",
    "schemaVersion": 'Set "schemaVersion" to "bedrock-conversation-2024".',
    "emptyText": "Fill in the text, or remove the record.",
    "role": 'Use the roles "user" and "assistant" only; put instructions into "system".',
    "turnOrder": "Let a user turn begin, let turns alternate, and let an assistant turn end the record.",
    "unsupportedContent": "Leave this content out, or remove the record.",
    "media": "Describe it as Bedrock does: format, and source.s3Location.uri with the URI of an object in S3.",
    "mixedMedia": "Train on images or on videos; Amazon Nova 2 takes no file with both.",
    "systemTexts": "Put all instructions into one system text.",
    "severalExchanges": "Keep the last question only; the model is distilled on single questions.",
    "notConvertible": "Write these records in the schema that the model wants, or remove them.",
    "loneSurrogate": "Remove the broken characters; they are halves of UTF-16 pairs and no UTF-8 text can hold them.",
    "reservedWord": "Reword the text; the model keeps these words for itself, in any case, and the job would fail.",
    "tooManyTokens": "Shorten or split the record.",
    "tooFewRecords": "Add records.",
    "tooManyRecords": "Remove records, or ask AWS for a higher quota where it is adjustable.",
    "validationNotAllowed": "Leave the validation set out.",
    "duplicateRecord": "Remove the repeated records, unless they shall weigh more.",
    "nearDuplicateRecord": "Remove them if they say the same; they differ in case, spaces or punctuation only.",
    "duplicatesPartlyChecked": "Search the rest of the file for duplicates by other means, if they matter.",
    "exactOverlap": "Remove these prompts from the training data, or choose other records to hold out.",
    "nearOverlap": "Look at these prompts; if they ask for the same as training prompts, hold out other records.",
    "overlapPartlyChecked": "Hold out fewer records, if the overlap of all of them matters.",
    "noReference": "Add the expected answer, or remove the record.",
    "unknownModel": "Compare the data with the model's documentation; only the rules that hold for all were applied.",
    "uncertainModel": "If the job is refused, customize the model as Bedrock's guide describes, or choose another one.",
    "unknownTeacher": "Look the pair up in Bedrock's user guide (Supported models for Model Distillation).",
    "recordTooLarge": "Shorten the record, ask for shorter answers (max_tokens), or compare fewer models at once.",
    "templateTurns": 'Use "{messages}" in the body template, or leave such records out.',
    "templateSystem": "Put {system} into the body template, or leave such records out.",
    "noAnswers": "Give the model a modelId, or its answers in the records' `responses`.",
    "shiftedAnswers": "Put each answer into the record that it answers; no score would mean anything otherwise.",
    "tooFewToCompare": "Hold out more records; a hundred can usually tell a difference that matters from chance.",
    "tooFewUsable": "Repair or remove the records that are named, or lower the minimum coverage.",
}
"""For every kind of finding, what to do about it."""

EVALUATION_FIXES = {"duplicateRecord": "Remove the repeated records, or leave them: they change no result."}
"""What to do instead where a file of evaluation data has it."""

WARNINGS = frozenset(
    {
        "unknownField",
        "schemaVersion",
        "duplicateRecord",
        "nearDuplicateRecord",
        "duplicatesPartlyChecked",
        "nearOverlap",
        "mixedMedia",
        "overlapPartlyChecked",
        "unknownModel",
        "uncertainModel",
        "unknownTeacher",
    }
)
"""Kinds that do not stop a run, unless whoever adds them says otherwise."""


@dataclass
class Finding:
    """One kind of fault in one file.

    Args:
        file: `training`, `validation` or `evaluation`; `input` for what concerns the execution input.
        kind: A key of `FIXES`.
        severity: `error` stops the run, `warning` does not.
        count: How many lines, records or prompts have the fault.
        lines: The numbers of the first lines that have it, from 1; empty when it concerns the whole file.
        details: What was wrong, for each of `lines`; or one sentence about the whole file.
    """

    file: str
    kind: str
    severity: str
    count: int = 0
    lines: list[int] = field(default_factory=list)
    details: list[str] = field(default_factory=list)

    @property
    def fix(self) -> str:
        """What to do about it."""
        fixes = FIXES | EVALUATION_FIXES if self.file == "evaluation" else FIXES
        return fixes[self.kind]

    def to_json(self) -> dict[str, Any]:
        """Return the finding as the report holds it."""
        return {
            "file": self.file,
            "severity": self.severity,
            "kind": self.kind,
            "count": self.count,
            "lines": self.lines,
            "details": self.details,
            "fix": self.fix,
        }

    def headline(self, names: dict[str, str]) -> str:
        """Return the finding in so few words that a message for people can hold it.

        Args:
            names: What to call the files; a file that has no name here is called as it is.
        """
        times = "" if not self.lines else f", {self.count} {'time' if self.count == 1 else 'times'}"
        first = f"line {self.lines[0]}: {self.details[0]}" if self.lines else " ".join(self.details)
        name = names.get(self.file, self.file)
        return shorten(f"{name}: {self.kind}{times}: {first.rstrip('.: ')}. {self.fix}", HEADLINE_CHARACTERS)

    def sentence(self, name: str) -> str:
        """Describe the finding in one line.

        Args:
            name: What to call the file: a field of the execution input, or a path.

        Returns:
            For example `trainingDataKey: emptyText, 2 times: line 4: completion is blank; line 9: ... Fix: ...`.
        """
        if self.lines:
            places = "; ".join(
                f"line {n}: {d}" if d else f"line {n}" for n, d in zip(self.lines, self.details, strict=True)
            )
            more = "; and so on" if self.count > len(self.lines) else ""
            what = f"{self.kind}, {self.count} {'time' if self.count == 1 else 'times'}: {places}{more}"
        else:
            what = f"{self.kind}: {' '.join(self.details)}"
        return f"{name}: {what.rstrip('.')}. Fix: {self.fix}"


class Findings:
    """Collects findings; memory does not grow with the number of faults."""

    def __init__(self) -> None:
        self._findings: dict[tuple[str, str], Finding] = {}

    def add(
        self,
        file: str,
        kind: str,
        line: int | None = None,
        detail: str = "",
        *,
        severity: str | None = None,
        count: int = 1,
    ) -> None:
        """Count a fault.

        Args:
            file: `training`, `validation` or `evaluation`.
            kind: A key of `FIXES`.
            line: The line that has it, or None when it concerns the whole file.
            detail: What was wrong, in words.
            severity: `error` or `warning`; by default what is usual for the kind.
            count: How many times it was met.
        """
        usual = "warning" if kind in WARNINGS else "error"
        finding = self._findings.setdefault((file, kind), Finding(file, kind, severity or usual))
        finding.count += count
        if line is None:
            finding.details.append(detail)
        elif len(finding.lines) < LINES_KEPT:
            finding.lines.append(line)
            finding.details.append(shorten(detail))

    def promote(self, file: str) -> None:
        """Turn the warnings about single lines of a file into errors."""
        for finding in self._findings.values():
            if finding.file == file and finding.lines and finding.kind not in WARNINGS:
                finding.severity = "error"

    def all(self) -> list[Finding]:
        """Return the findings, errors first, else in the order in which they were met."""
        return sorted(self._findings.values(), key=lambda finding: finding.severity != "error")

    @property
    def errors(self) -> list[Finding]:
        """The findings that stop a run."""
        return [finding for finding in self.all() if finding.severity == "error"]

    @property
    def warnings(self) -> list[Finding]:
        """The findings that do not stop a run."""
        return [finding for finding in self.all() if finding.severity == "warning"]


def shorten(text: str, characters: int = DETAIL_CHARACTERS) -> str:
    """Return a text of at most `characters` characters."""
    return text if len(text) <= characters else text[: characters - 3] + "..."
