"""Rehearses one evaluation of 10,000 records and three models, one call in twenty throttled; prints what came of it.

`python -m tests.workflows.large_evaluation`, in a process of its own so that its memory can be told.
"""

import json
import re
import resource
import tempfile
from pathlib import Path

import pytest

from tests.workflows.evaluations import CUSTOM, MODELS, THIRD, evaluation, let_models_answer, make_workflow, records

RECORDS = 10_000


def peak_megabytes() -> float:
    """The most memory that this process has had; on Linux, getrusage tells that of the parent if that was more."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s*(\d+) kB", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def main() -> None:
    data = records(RECORDS)
    right = {record["prompt"]: record["completion"].split() for record in data}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        calls = let_models_answer(
            patch,
            lambda model, prompt: " ".join(right.get(prompt, ["yes"])[: 5 if model == CUSTOM else 3]),
            throttled=0.05,
        )
        with evaluation(make_workflow(Path(folder))) as rehearsed:
            run = rehearsed.run(data, [*MODELS, {"name": "third", "modelId": THIRD}])
            problems = rehearsed.results()["problems"]
    found = {"status": run.status, "output": run.output, "problems": problems}
    print(json.dumps(found | {"calls": len(calls), "megabytes": peak_megabytes()}))


if __name__ == "__main__":
    main()
