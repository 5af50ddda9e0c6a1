"""The functions write nothing but /tmp and talk to nobody: an image without rights and without a network is enough."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from aws_cdk import App, Stack

from bedrock_customization import EvaluationWorkflow
from bedrock_customization.rehearsal import Rehearsal
from tests.workflows.small import lines

WRITES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "os.chmod", "os.link", "os.symlink"}
CALLS = {"socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.exec", "os.system", "os.fork"}
CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


class Watch:
    """Notes what the functions' code does outside of /tmp; it is muted in the end, for a hook cannot be removed."""

    def __init__(self) -> None:
        self.on = True
        self.calls = 0
        self.seen: list[tuple[str, str]] = []
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.on or (event != "open" and event not in WRITES and event not in CALLS):
            return
        if not _in_a_function(sys._getframe(1)):
            return
        self.calls += 1
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & CHANGES):
            return
        what = str(arguments[0])
        if event in CALLS or not what.startswith((tempfile.gettempdir(), "/tmp")):
            self.seen.append((event, what))


def _in_a_function(frame: FrameType | None) -> bool:
    while frame is not None:
        if "/lambda_src/" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    watch.on = False


def test_an_evaluation_with_everything_that_is_computed_by_default(watch: Watch, tmp_path: Path) -> None:
    evaluation = EvaluationWorkflow(Stack(App(outdir=str(tmp_path / "cdk.out")), "Stack"), "Evaluation")
    with Rehearsal.from_stack(Stack.of(evaluation)) as rehearsal:
        rehearsal.upload(evaluation.data_bucket, "evaluation.jsonl", lines("prompt-completion", range(10)))
        models = [{"name": name, "modelId": f"amazon.nova-{name}-v1:0"} for name in ("micro", "pro")]
        run = rehearsal.run(
            evaluation.state_machine, {"models": models, "baseline": "micro", "evaluationDataKey": "evaluation.jsonl"}
        )
        assert run.status == "SUCCEEDED", run.cause
    assert watch.calls > 0
    assert watch.seen == []


def test_the_image_runs_as_a_user_without_rights_and_asks_no_hub() -> None:
    text = (Path(__file__).parents[2] / "docker/scoring/Dockerfile").read_text(encoding="utf-8")
    final = text[text.rindex("\nFROM ") :]
    assert [line for line in final.splitlines() if line.startswith("USER ")] == ["USER 1000:1000"]
    assert "HF_HUB_OFFLINE=1" in final
    assert "TRANSFORMERS_OFFLINE=1" in final
