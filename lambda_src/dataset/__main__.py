"""Checks local files as the dataset function checks those in S3.

`python -m dataset --catalogue catalogue.json --model amazon.nova-micro-v1:0:128k --training train.jsonl`; without a
model only the rules that hold for all are applied.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from dataset.candidates import plan_candidates
from dataset.catalogue import find_entry
from dataset.check import Report, check_files
from dataset.findings import Finding
from dataset.models import cautions, problems_with_models, unknown_models
from dataset.rules import ModelRules

FILES = ("training", "validation", "evaluation")
TYPES = ("FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION", "REINFORCEMENT_FINE_TUNING")


def main(
    arguments: list[str] | None = None, program: str = "python -m dataset", catalogue: dict[str, Any] | None = None
) -> int:
    """Print what is found in local files.

    Args:
        arguments: Command-line arguments; by default those of the process.
        program: What the command is called.
        catalogue: The catalogue of models; by default that of `--catalogue`.

    Returns:
        The exit status: 1 if there are errors, else 0.
    """
    parser = argparse.ArgumentParser(prog=program, description="Check data before a model is customized with them.")
    if catalogue is None:
        parser.add_argument("--catalogue", type=Path, help="the catalogue of models, a JSON file")
    parser.add_argument("--model", help="the base model, such as amazon.nova-micro-v1:0:128k")
    parser.add_argument("--customization-type", default=TYPES[0], choices=TYPES, help="default: %(default)s")
    for file in FILES:
        parser.add_argument(f"--{file}", type=Path, help=f"the {file} data, JSONL")
    parser.add_argument("--convert", action="store_true", help="check what convertData makes of the data")
    parser.add_argument("--min-coverage", type=float, default=0.99, help="least usable share (default: %(default)s)")
    parser.add_argument("--report", type=Path, help="where to write all findings as JSON")
    options = parser.parse_args(arguments)
    paths: dict[str, Path] = {file: getattr(options, file) for file in FILES if getattr(options, file)}
    if not paths:
        parser.error("give at least one of --training, --validation and --evaluation")
    if missing := [str(path) for path in paths.values() if not path.is_file()]:
        parser.error(f"no such file: {', '.join(missing)}")
    if catalogue is None:
        catalogue = json.loads(options.catalogue.read_text("utf-8")) if options.catalogue else {}
    problems, doubts = _about_the_model(options, catalogue)
    if problems:
        print(*(f"error: {problem}" for problem in problems), sep="\n")
        return 1
    rules = _rules(options, catalogue)
    if options.convert and not rules.convert_to:
        parser.error("--convert: give --model with a model of the catalogue, which tells the schema")
    report = check_files(**paths, rules=rules, minimum_coverage=options.min_coverage)
    print(*(f"warning: {doubt}" for doubt in doubts), sep="\n", end="\n" if doubts else "")
    _print(report, paths)
    if options.report:
        options.report.write_text(json.dumps(report.to_json(), indent=2), "utf-8")
    return 1 if report.findings.errors else 0


def _about_the_model(options: argparse.Namespace, catalogue: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return why the model cannot be customized so, and what is not known about it."""
    if options.model is None:
        return [], ["no --model was given, so that only the rules that hold for all models are applied"]
    execution_input = {"baseModelIdentifier": options.model, "customizationType": options.customization_type}
    if options.validation:
        execution_input["validationDataKey"] = str(options.validation)
    candidates = plan_candidates(execution_input, catalogue, "on-demand")
    doubts = [*unknown_models(candidates, catalogue), *cautions(candidates, catalogue)]
    return problems_with_models(execution_input, candidates, catalogue, None), doubts


def _rules(options: argparse.Namespace, catalogue: dict[str, Any]) -> ModelRules:
    entry = find_entry(catalogue, options.model) if options.model else None
    rules = ModelRules.from_catalogue([entry] if entry else [], options.customization_type)
    return replace(rules, schemas=(), convert_to=rules.schemas) if options.convert else rules


def _print(report: Report, paths: dict[str, Path]) -> None:
    for file, path in paths.items():
        print(f"{path}: {_summary(report.files[file])}")
        for finding in report.findings.all():
            if finding.file == file:
                _print_finding(finding)
    errors, warnings = len(report.findings.errors), len(report.findings.warnings)
    print(f"{errors} {'error' if errors == 1 else 'errors'}, {warnings} {'warning' if warnings == 1 else 'warnings'}")


def _summary(file: dict[str, Any]) -> str:
    if "usable" in file:
        text = f"{file['usable']:,} of {file['records']:,} records are usable"
    else:
        schema = f", {file['schema']}" if file["schema"] else ""
        records = "1 record" if file["records"] == 1 else f"{file['records']:,} records"
        text = f"{records}, about {file['estimatedTokens']:,} tokens{schema}"
    if overlap := file.get("promptsInTrainingData"):
        text += f"; {overlap['exact']:,} prompts are in the training data, {overlap['near']:,} nearly"
    return text


def _print_finding(finding: Finding) -> None:
    times = f", {finding.count:,} {'time' if finding.count == 1 else 'times'}" if finding.lines else ""
    print(f"  {finding.severity}: {finding.kind}{times}")
    for line, detail in zip(finding.lines or [None] * len(finding.details), finding.details, strict=True):
        place = "" if line is None else f"line {line}: "
        print(f"    {place}{detail}".rstrip(": "))
    if finding.count > len(finding.lines) > 0:
        print("    and so on")
    print(f"    {finding.fix}")


if __name__ == "__main__":
    sys.exit(main())
