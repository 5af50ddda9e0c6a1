"""The demo: what it prints and leaves behind."""

import json
import sys
from pathlib import Path

import pytest

from samples import demo


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, path in (("BUILD", ""), ("REPORT", "report.html"), ("RESULT", "result.json")):
        monkeypatch.setattr(demo, name, tmp_path / path)
    return tmp_path


def start(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["demo", *arguments])
    return demo.main()


def test_a_demo_shows_what_is_done_and_leaves_report_and_result(
    build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(monkeypatch) == 0
    printed = capsys.readouterr().out
    states = [line.split()[1] for line in printed.splitlines() if line.startswith("  0:") or line.startswith("  1:")]
    done = ["CheckData", "Train", "CreateDeployment", "Evaluate", "GenerateResponses", "QualityGate", "RegisterModel"]
    assert [state for state in dict.fromkeys(states) if state in done] == done
    assert "IsCandidateTrained" not in states
    result = json.loads((build / "result.json").read_text(encoding="utf-8"))
    assert (result["status"], result["verdict"]) == ("SUCCEEDED", "BETTER")
    assert result["notification"]["message"] in printed
    assert "<html" in (build / "report.html").read_text(encoding="utf-8")


def test_a_demo_that_fails_leaves_no_report_of_an_earlier_one(
    build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (build / "report.html").write_text("of another run", encoding="utf-8")
    given = build / "input.json"
    given.write_text(json.dumps({"customModelName": "under_score"}), encoding="utf-8")
    assert start(monkeypatch, "--input", str(given)) == 1
    assert not (build / "report.html").exists()
    assert json.loads((build / "result.json").read_text(encoding="utf-8"))["report"] is None
    printed = capsys.readouterr().out
    assert "Error    InvalidInput: " in printed
    assert "Report   none: nothing was evaluated" in printed


@pytest.mark.parametrize(("option", "text"), [("--training", None), ("--input", None), ("--input", "{")])
def test_files_that_cannot_be_read_are_named(
    build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str, text: str | None
) -> None:
    path = build / "given.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit):
        start(monkeypatch, option, str(path))
    assert f"{option}: " in capsys.readouterr().err
