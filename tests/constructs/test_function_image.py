"""The image that is built and the Dockerfile fit together."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Fn, Stack
from aws_cdk import aws_ecr as ecr

from bedrock_customization import Encoder, EvaluationWorkflow, FunctionImage
from bedrock_customization.assets import ENCODER_DIRECTORY, asset_root

DOCKERFILE = asset_root() / "docker" / "scoring" / "Dockerfile"
INSTRUCTIONS = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")


def test_the_dockerfile_takes_the_encoders_arguments(tmp_path: Path) -> None:
    stack = Stack(App(outdir=str(tmp_path)), "Stack")
    encoder = Encoder.of("team/encoder", 7, "0" * 40, language="de")
    EvaluationWorkflow(stack, "Evaluation", image=FunctionImage.build(encoder=encoder))

    assembly = App.of(stack).synth()

    assets = json.loads((Path(assembly.directory) / f"{stack.artifact_id}.assets.json").read_text())
    images = [image["source"] for image in assets["dockerImages"].values()]
    assert images
    for image in images:
        assert image["dockerBuildArgs"] == {
            "ENCODER": "team/encoder",
            "ENCODER_REVISION": "0" * 40,
            "ENCODER_LAYER": "7",
            "LANGUAGE": "de",
        }
        assert image["dockerBuildArgs"].keys() <= set(re.findall(r"^ARG (\w+)", INSTRUCTIONS, flags=re.MULTILINE))
        assert image["dockerFile"] == "docker/scoring/Dockerfile"
        assert image["platform"] == "linux/amd64"
    assert f"ENCODER_DIRECTORY={ENCODER_DIRECTORY}" in INSTRUCTIONS


def test_the_dockerfile_copies_only_what_is_in_the_context() -> None:
    sources = []
    for arguments in re.findall(r"^COPY (.*)$", INSTRUCTIONS, flags=re.MULTILINE):
        words = arguments.split()
        if not any(word.startswith("--from") for word in words):
            sources += [word for word in words if not word.startswith("--")][:-1]

    assert len(sources) >= 7
    for source in sources:
        assert source.startswith(("docker/", "lambda_src/"))
        assert (asset_root() / source).exists(), f"Dockerfile: {source} is not in the build context"


def test_every_install_of_the_dockerfile_checks_hashes() -> None:
    installs = re.findall(r"pip install [^&]*", INSTRUCTIONS)
    assert len(installs) == 3
    assert all("--require-hashes" in install for install in installs)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"repository": "team"},
            TypeError,
            r"^repository: got 'team'; it must be of type ecr.IRepository: pass ecr",
        ),
        ({"tag_or_digest": 1}, TypeError, r"^tag_or_digest: got 1; it must be a text"),
        ({"tag_or_digest": "a b"}, ValueError, r"^tag_or_digest: got 'a b'; it must be a tag"),
        ({"tag_or_digest": "sha256:1"}, ValueError, r"^tag_or_digest: got 'sha256:1'; .* 64 hexadecimal digits"),
        ({"encoder": "roberta-large"}, TypeError, r"^encoder: got 'roberta-large'; it must be of type Encoder"),
    ],
)
def test_an_image_that_cannot_be_is_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    repository = ecr.Repository.from_repository_name(Stack(), "Images", "team")
    with pytest.raises(error, match=message):
        FunctionImage.from_repository(**{"repository": repository, "tag_or_digest": "v1", **arguments})


@pytest.mark.parametrize(
    "tag", ["v1.2-3_4", "sha256:" + "0a" * 32, Fn.import_value("Tag")], ids=["tag", "digest", "import"]
)
def test_tags_digests_and_what_a_deployment_knows_are_taken(tag: str) -> None:
    repository = ecr.Repository.from_repository_name(Stack(), "Images", "team")
    assert FunctionImage.from_repository(repository, tag_or_digest=tag)
