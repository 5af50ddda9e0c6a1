"""The example of docs/scoring.md runs and gives bert-score's numbers."""

import re
import sys
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[3] / "docs" / "scoring.md"
MARK = "<!-- run by tests/lambdas/scoring/test_documentation.py -->"


def test_the_example_without_aws_gives_bert_scores_numbers(encoder, oracle, tmp_path, monkeypatch, capsys):
    (block,) = re.findall(rf"^{MARK}\n```python\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "encoder").symlink_to(encoder("minilm"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    names = {}

    exec(block, names)

    candidates = ["The parcel came late.", "Nobody knows."]
    references = [["The parcel arrived late.", "The delivery was late."], ["The parcel arrived late."]]
    assert names["scores"].f1 == pytest.approx(oracle(encoder("minilm"), 6, candidates, references)[2], abs=1e-6)
    assert "bertscore|encoder:" in capsys.readouterr().out
