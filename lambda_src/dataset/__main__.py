"""Checks local files as the dataset function checks those in S3: `python -m dataset --training train.jsonl ...`."""

import argparse
import json
import sys
from pathlib import Path

from dataset.check import check_files
from dataset.rules import ModelRules

FILES = ("training", "validation", "evaluation")


def main(arguments: list[str] | None = None) -> int:
    """Print the findings of local files.

    Args:
        arguments: Command-line arguments; by default those of the process.

    Returns:
        The exit status: 1 if there are errors, else 0.
    """
    parser = argparse.ArgumentParser(prog="python -m dataset", description="Check data for customizing a model.")
    parser.add_argument("--model-rules", type=Path, help="a JSON file with the model's entry of the catalogue")
    parser.add_argument("--customization-type", default="FINE_TUNING", help="default: %(default)s")
    for file in FILES:
        parser.add_argument(f"--{file}", type=Path, help=f"the {file} data, JSONL")
    parser.add_argument("--min-coverage", type=float, default=0.99, help="least usable share (default: %(default)s)")
    parser.add_argument("--report", type=Path, help="where to write the report as JSON")
    options = parser.parse_args(arguments)
    paths: dict[str, Path] = {file: getattr(options, file) for file in FILES if getattr(options, file)}
    if not paths:
        parser.error("give at least one of --training, --validation and --evaluation")
    if missing := [str(path) for path in paths.values() if not path.is_file()]:
        parser.error(f"no such file: {', '.join(missing)}")
    entries = [json.loads(options.model_rules.read_text("utf-8"))] if options.model_rules else []
    report = check_files(
        **paths,
        rules=ModelRules.from_catalogue(entries, options.customization_type),
        minimum_coverage=options.min_coverage,
    )
    for finding in report.findings.all():
        print(f"{finding.severity}: {finding.sentence(str(paths[finding.file]))}")
    for file, statistics in report.files.items():
        print(f"{paths[file]}: {statistics['records']} records")
    if options.report:
        options.report.write_text(json.dumps(report.to_json(), indent=2), "utf-8")
    return 1 if report.findings.errors else 0


if __name__ == "__main__":
    sys.exit(main())
