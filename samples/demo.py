"""Rehearses one customization of the sample app, from the check of the data to the mail, without an AWS account.

`python -m samples.demo --training samples/poor-training.jsonl` shows a custom model that is rejected.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from aws_cdk import App

from app import SampleStack
from bedrock_customization.rehearsal import Rehearsal
from samples.progress import Progress

SAMPLES = Path(__file__).parent
BUILD = Path("build/demo")
REPORT, RESULT = BUILD / "report.html", BUILD / "result.json"


def main() -> int:
    """Runs the demo; returns 0 when the customization came to a verdict."""
    parser = argparse.ArgumentParser(prog="python -m samples.demo", description=__doc__)
    parser.add_argument("--training", type=Path, default=SAMPLES / "train.jsonl", help="training data, JSON lines")
    parser.add_argument("--input", type=Path, default=SAMPLES / "input.json", help="the execution's input")
    arguments = parser.parse_args()
    for option in ("training", "input"):
        path = getattr(arguments, option)
        if not path.is_file():
            parser.error(f"--{option}: there is no file {path}; name one of the files in samples/")
    try:
        execution_input = json.loads(arguments.input.read_text(encoding="utf-8"))
    except ValueError as error:
        parser.error(f"--input: {arguments.input} is not JSON: {error}")
    return rehearse(arguments.training, execution_input)


def rehearse(training: Path, execution_input: Any) -> int:
    """Rehearses one customization, prints it as it goes, and writes `build/demo/result.json`.

    Args:
        training: The training data.
        execution_input: The execution's input.
    """
    BUILD.mkdir(parents=True, exist_ok=True)
    for former in (REPORT, RESULT):
        former.unlink(missing_ok=True)
    print("Rehearsing a customization of the sample app: the state machines that the app deploys, run on this machine.")
    print("Bedrock and its models are simulated, and time is virtual; scores and comparison are real.")
    print(f"Training data: {_relative(training)}\n")
    print("  time     what the state machines do; indented: evaluation and release, machines of their own")

    stack = SampleStack(App(outdir=str(BUILD / "cdk.out")), "BedrockCustomization", email="team@example.com")
    workflow = stack.customization
    with Rehearsal.from_stack(stack, observer=Progress()) as rehearsal:
        rehearsal.upload(workflow.training_bucket, "train.jsonl", training)
        for name in ("validation.jsonl", "evaluation.jsonl"):
            rehearsal.upload(workflow.validation_bucket, name, SAMPLES / name)
        run = rehearsal.run(workflow.state_machine, execution_input)
        evaluation = (run.output or {}).get("evaluation") or {}
        if evaluation:
            REPORT.write_bytes(rehearsal.download(workflow.results_bucket, evaluation["report"]))
        message = rehearsal.inbox[-1] if rehearsal.inbox else None
        result = {
            "status": run.status,
            "error": run.error,
            "cause": run.cause,
            "verdict": evaluation.get("verdict"),
            "scores": evaluation.get("scores"),
            "billed": [f"{billed.kind} {billed.name} ({billed.status})" for billed in rehearsal.bedrock.billed],
            "report": str(REPORT) if evaluation else None,
            "notification": None if message is None else {"subject": message.subject, "message": message.message},
            "virtualSeconds": run.duration,
        }
    RESULT.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _print_result(result)
    return 0 if run.status == "SUCCEEDED" else 1


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _print_result(result: dict[str, Any]) -> None:
    print(f"\nStatus   {result['status']}")
    if result["error"]:
        print(f"Error    {result['error']}: {result['cause']}")
    if result["verdict"]:
        print(f"Verdict  {result['verdict']}")
        print("Scores   simulated models, real scores\n")
        models = list(result["scores"])
        print(f"         {'':<22}" + "".join(f"{model:>10}" for model in models))
        for name in result["scores"][models[0]]:
            print(f"         {name:<22}" + "".join(f"{result['scores'][model][name]:>10.4f}" for model in models))
        print()
    print("Billed   " + ("\n         ".join(result["billed"]) or "nothing"))
    if result["notification"]:
        print("\n--- The notification ---")
        print(f"Subject: {result['notification']['subject']}\n")
        print(result["notification"]["message"])
        print("------------------------")
    print(f"\nReport   {result['report'] or 'none: nothing was evaluated'}")
    print(f"Result   {RESULT}")


if __name__ == "__main__":
    sys.exit(main())
