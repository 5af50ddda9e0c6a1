"""Many records at once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflows.large_evaluation import RECORDS


def test_ten_thousand_records_with_throttling_give_the_scores_of_their_texts_in_bounded_memory() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.workflows.large_evaluation"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(root), str(root / "lambda_src")])}
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    output = found["output"]

    assert (found["status"], output["verdict"], found["problems"]) == ("SUCCEEDED", "BETTER", {})
    assert (output["records"], output["counted"], output["coverage"]) == (RECORDS, RECORDS, 1)
    # Each reference has nine words; five or three of them are an answer.
    f1 = {"base": 2 * 3 / (3 + 9), "custom": 2 * 5 / (5 + 9), "third": 2 * 3 / (3 + 9)}
    assert {model: scores["token_f1"] for model, scores in output["scores"].items()} == pytest.approx(f1, abs=1e-9)
    assert found["calls"] > 3 * RECORDS * 1.04
    assert found["megabytes"] < 600
