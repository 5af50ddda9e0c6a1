"""Checks training, validation and evaluation files against each other and against a model's rules."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from dataset.evaluation import EvaluationSet
from dataset.findings import Findings
from dataset.lines import ByteStream
from dataset.overlap import MAXIMUM_PROMPTS, OverlapIndex
from dataset.rules import ModelRules
from dataset.training import TrainingFile

EXACT_OVERLAP_TOLERATED = 0.01
"""The share of evaluation prompts that may be in the training data too: a few move no mean, more measure memory."""


class DataSource(Protocol):
    """A `pathlib.Path` or an S3 object."""

    def open(self, mode: str, /) -> ByteStream:
        """Open the data for reading; the mode is `rb`."""
        ...


@dataclass
class Report:
    """What a check found.

    Args:
        rules: The rules that were applied.
        findings: What was found.
        files: For each file its records, and for training and validation data the estimated tokens.
    """

    rules: ModelRules
    findings: Findings = field(default_factory=Findings)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def records(self, file: str) -> int | None:
        """Return how many records a file has, or None if it was not given."""
        return self.files[file]["records"] if file in self.files else None

    def to_json(self) -> dict[str, Any]:
        """Return the report as it is written to S3."""
        return {
            "errors": len(self.findings.errors),
            "warnings": len(self.findings.warnings),
            "files": self.files,
            "rules": self.rules.to_json(),
            "findings": [finding.to_json() for finding in self.findings.all()],
        }


def check_files(
    *,
    training: DataSource | None = None,
    validation: DataSource | None = None,
    evaluation: DataSource | None = None,
    rules: ModelRules | None = None,
    minimum_coverage: float = 0.99,
) -> Report:
    """Check every line of the files that are given, in bounded memory whatever their size.

    The evaluation and validation prompts are indexed and the training data is streamed past them (`dataset.overlap`).
    Evaluation prompts that are exactly in the training data are an error above 1 % of the evaluation records and a
    warning up to it; validation prompts that are, and prompts that are nearly there, are a warning.

    Args:
        training: The training data, JSONL.
        validation: The validation data, JSONL in the same schema.
        evaluation: The evaluation set, JSONL in any schema that `dataset.evaluation` reads.
        rules: The rules of the model; by default only what holds for all models.
        minimum_coverage: The least share of evaluation records that must be usable; fewer are an error.

    Returns:
        The findings and counts; nothing is raised for faults in the data.
    """
    rules = rules or ModelRules()
    report = Report(rules)
    held_out: dict[str, OverlapIndex] = {}
    if evaluation is not None:
        held_out["evaluation"] = OverlapIndex()
        evaluation_set = EvaluationSet(report.findings, held_out["evaluation"])
        for _ in evaluation_set.records(evaluation.open("rb")):
            pass
        evaluation_set.finish(minimum_coverage)
        report.files["evaluation"] = {"records": evaluation_set.count, "usable": evaluation_set.usable}
    if len(rules.schemas) > 1:
        report.findings.add("training", "schemaConflict", detail=f"the models want {' and '.join(rules.schemas)}")
    if validation is not None:
        if not rules.validation_allowed:
            report.findings.add("validation", "validationNotAllowed", detail="the model takes no validation set")
        held_out["validation"] = OverlapIndex()
        file = TrainingFile("validation", rules, report.findings)
        for prompt, line in file.prompts(validation.open("rb")):
            held_out["validation"].add(prompt, line)
        report.files["validation"] = file.statistics()
    if training is not None:
        file = TrainingFile("training", rules, report.findings)
        for prompt, line in file.prompts(training.open("rb")):
            for index in held_out.values():
                index.meet(prompt, line)
        report.files["training"] = file.statistics()
        _check_counts(report)
        for name, index in held_out.items():
            _check_overlap(report, name, index)
    return report


def _check_counts(report: Report) -> None:
    rules, records = report.rules, (report.records("training") or 0) + (report.records("validation") or 0)
    counted = f"{records} records in training and validation data"
    if rules.minimum_records is not None and records < rules.minimum_records:
        detail = f"{counted}, the model needs at least {rules.minimum_records}"
        report.findings.add("training", "tooFewRecords", detail=detail)
    validation = report.records("validation") or 0
    if rules.maximum_validation_records is not None and validation > rules.maximum_validation_records:
        detail = f"{validation} records, the model takes at most {rules.maximum_validation_records} in validation data"
        report.findings.add("validation", "tooManyRecords", detail=detail)
    if rules.maximum_records is not None and records > rules.maximum_records:
        detail = f"{counted}, the model takes at most {rules.maximum_records}"
        report.findings.add("training", "tooManyRecords", detail=detail)


def _check_overlap(report: Report, name: str, index: OverlapIndex) -> None:
    exact, near = index.exact, index.near
    report.files[name]["promptsInTrainingData"] = {"exact": len(exact), "near": len(near)}
    tolerated = EXACT_OVERLAP_TOLERATED * (report.records(name) or 0)
    severity = "error" if name == "evaluation" and len(exact) > tolerated else "warning"
    for line, training_line in exact.items():
        report.findings.add(
            name, "exactOverlap", line, f"the prompt of training line {training_line}", severity=severity
        )
    for line, training_line in near.items():
        report.findings.add(name, "nearOverlap", line, f"close to the prompt of training line {training_line}")
    if index.skipped:
        detail = f"only the first {MAXIMUM_PROMPTS} prompts were compared with the training data"
        report.findings.add(name, "overlapPartlyChecked", detail=detail, count=index.skipped)
