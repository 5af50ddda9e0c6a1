"""Takes each guard of an evaluation out in turn, and tells which test notices.

A guard is what keeps an evaluation from lying: about answers of other records, lost or repeated records, cut answers,
memorised data, chance. Each is taken out in a copy of the sources; then the tests that are there for it run.

`python -m tests.mutation.guards` prints a line for each; it takes some minutes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("app.py", "cdk.json", "pyproject.toml", "bedrock_customization", "docker", "lambda_src", "samples", "tests")
_FAILED = re.compile(r"^FAILED (\S+)|^ERROR (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Guard:
    """A guard and how it is taken out.

    Args:
        fault: What it is there for.
        file: Its file.
        code: Its code; it must be there once.
        instead: What stands there when it is taken out.
        tests: The files, or tests, that are to notice.
    """

    fault: str
    file: str
    code: str
    instead: str
    tests: str

    def take_out(self, root: Path) -> None:
        """Change the file.

        Raises:
            ValueError: The code is not there once.
        """
        path = root / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.code) != 1:
            raise ValueError(f"{self.fault}: {self.file} has {self.code!r} {text.count(self.code)} times, not once")
        path.write_text(text.replace(self.code, self.instead), encoding="utf-8")

    def put_back(self, root: Path) -> None:
        """Restore the file."""
        shutil.copyfile(ROOT / self.file, root / self.file)


_LAMBDAS, _WORKFLOWS = "tests/lambdas", "tests/workflows"
_COMPARE = f"{_LAMBDAS}/comparison/test_compare.py"
_BOOTSTRAP = f"{_LAMBDAS}/comparison/test_bootstrap.py"
_HANDLER = f"{_LAMBDAS}/scoring/test_handler.py"
_SET = f"{_LAMBDAS}/dataset/test_evaluation_set.py"
_PACING = f"{_WORKFLOWS}/test_evaluation_pacing.py"
_ALIGNMENT = f"{_WORKFLOWS}/test_evaluation_alignment.py"
_SCORES, _ROWS = "lambda_src/comparison/scores.py", "lambda_src/scoring/rows.py"
_STATISTICS, _INTERVALS = "lambda_src/comparison/statistics.py", "lambda_src/comparison/bootstrap.py"
_SHARDS, _EVALUATION = "lambda_src/comparison/shards.py", "lambda_src/dataset/evaluation.py"
_RECORD = "lambda_src/dataset/normalisation.py"
_GATE, _ASKING = "bedrock_customization/states/comparison.py", "bedrock_customization/states/asking.py"

GUARDS = (
    Guard(
        "given answers are shifted by one",
        _EVALUATION,
        "for model, side in self._alignment.shifted().items():",
        "for model, side in ():",
        _ALIGNMENT + "::test_given_answers_that_are_shifted_by_one_are_refused",
    ),
    Guard(
        "a record is lost",
        "lambda_src/comparison/compare.py",
        '"coverage": counted / records if records else 0.0',
        '"coverage": counted / scores.rows if scores.rows else 0.0',
        _COMPARE,
    ),
    Guard("a shard of scores is lost", _SHARDS, "    if missing:\n", "    if False:\n", _COMPARE),
    Guard("a shard of scores is cut", _SHARDS, 'shard["rows"] != len(shard["scores"])', "False", _COMPARE),
    Guard("a shard stands for another", _SHARDS, 'shard["index"] != index', "False", _COMPARE),
    Guard("a record is scored twice", _SCORES, "if identifier in self._seen:", "if False:", _COMPARE),
    Guard("there are more rows than records", _SCORES, "if self.rows > records:", "if False:", _COMPARE),
    Guard(
        "a value is not a number",
        _SCORES,
        "if math.isnan(_number(values",
        "if False and math.isnan(_number(values",
        _COMPARE,
    ),
    Guard("an answer is cut off or blocked", _ROWS, "if reason not in COMPLETE_STOP_REASONS:", "if False:", _HANDLER),
    Guard("an answer is an error", _ROWS, 'if "error" in response:', "if False:", _HANDLER),
    Guard("an answer is missing", _ROWS, 'return "missing"', "return None", _HANDLER),
    Guard("an answer is empty", _ROWS, "if not text or not text.strip():", "if False:", _HANDLER),
    Guard("a row has no reference", _ROWS, "if not row.references or", "if", _HANDLER),
    Guard(
        "training prompts are evaluated",
        "lambda_src/dataset/overlap.py",
        "if key in self._lines:\n            self._exact",
        "if False:\n            self._exact",
        f"{_LAMBDAS}/dataset/test_overlap.py",
    ),
    Guard(
        "prompts close to training prompts are evaluated",
        "lambda_src/dataset/overlap.py",
        "for owner in self._near_owners(shingles(prompt)):",
        "for owner in ():",
        f"{_LAMBDAS}/dataset/test_overlap.py",
    ),
    Guard("the set is empty", _EVALUATION, "if not self.count:", "if False:", f"{_LAMBDAS}/dataset"),
    Guard("a record has no reference", _RECORD, "if not references and not parsed.faults:", "if False:", _SET),
    Guard("a record is too large for a state", _RECORD, "if size > needs.record_bytes:", "if False:", _SET),
    Guard(
        "too few records are usable",
        _EVALUATION,
        "elif self.usable / self.count < minimum_coverage:",
        "elif False:",
        f"{_LAMBDAS}/dataset",
    ),
    Guard("too few records count", _GATE, "$comparison.coverage < {gate.min_coverage} or ", "", _ALIGNMENT),
    Guard(
        "nothing could be compared", _GATE, " or $count($compared) = 0", "", f"{_WORKFLOWS}/test_evaluation_models.py"
    ),
    Guard(
        "a tie passes for an improvement",
        _GATE,
        "difference.low > {",
        "difference.low >= {",
        f"{_WORKFLOWS}/test_evaluation.py",
    ),
    Guard("a set is too small for an interval", _INTERVALS, "if records < MINIMUM_RECORDS:", "if False:", _BOOTSTRAP),
    Guard(
        "a few records lose much",
        _INTERVALS,
        "if ratios is not None:\n        error",
        "if False:\n        error",
        _BOOTSTRAP,
    ),
    Guard("nearly all records tie", _STATISTICS, "if not _enough_differ(row, confidence):", "if False:", _COMPARE),
    Guard("answers are equal but for rounding", _STATISTICS, "np.abs(differences) <= TIE", "False", _COMPARE),
    Guard(
        "one of many candidates is lucky",
        "lambda_src/comparison/compare.py",
        "comparisons = max(1, len(names))",
        "comparisons = 1",
        _COMPARE,
    ),
    Guard(
        "the metric says nothing",
        "lambda_src/comparison/compare.py",
        '{} if gate["metric"] in silent else ',
        "",
        _COMPARE,
    ),
    Guard(
        "ROUGE cannot read the script",
        "lambda_src/scoring/metrics/rouge.py",
        "if not any(map(_is_readable, references)):",
        "if False:",
        f"{_LAMBDAS}/scoring/test_word_metrics.py",
    ),
    Guard(
        "shards are scored with different settings",
        _SCORES,
        "if both is None:",
        "if False:",
        _COMPARE,
    ),
    Guard("a model is at its limit", _ASKING, '{"ErrorEquals": _AT_ITS_LIMIT', '{"ErrorEquals": ["Other"]', _PACING),
    Guard("there is too little time", _ASKING, "$millis() > $states.input.deadline", "false", _PACING),
    Guard(
        "an answer is too large for a state",
        _ASKING,
        "{{$states.input.model.name: {_TOO_LARGE} ? {_TOO_LARGE_ANSWER} : {{",
        "{{$states.input.model.name: {{",
        f"{_WORKFLOWS}/test_evaluation_limits.py",
    ),
    Guard(
        "a failed answer vanishes",
        "bedrock_customization/states/inference.py",
        """outputs="{% $answer %}",""",
        """outputs="{% {} %}",""",
        _ALIGNMENT,
    ),
)


def copy_sources(root: Path) -> None:
    """Copy what the tests need into an empty folder."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, root / name)


def noticed_by(guard: Guard, root: Path) -> str | None:
    """The first test that fails without the guard; None if none does."""
    guard.take_out(root)
    try:
        command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *guard.tests.split()]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True)
        if done.returncode == 0:
            return None
        found = _FAILED.search(done.stdout)
        if found is None:
            raise RuntimeError(f"{guard.fault}: the tests did not run: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return found[1] or found[2]
    finally:
        guard.put_back(root)


def results(guards: tuple[Guard, ...] = GUARDS) -> Iterator[tuple[Guard, str | None]]:
    """Take out each guard in turn."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        copy_sources(root)
        for guard in guards:
            yield guard, noticed_by(guard, root)


def main() -> int:
    """Try every guard; 1 if taking one out goes unnoticed."""
    unnoticed = 0
    for guard, test in results():
        print(f"{guard.fault:50} {test or 'UNNOTICED'}", flush=True)
        unnoticed += test is None
    print(f"{len(GUARDS)} guards taken out, {unnoticed} unnoticed")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
