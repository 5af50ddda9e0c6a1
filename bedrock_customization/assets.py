"""Where the Lambda sources and the Docker context are, in a checkout and in an installed wheel."""

from __future__ import annotations

import re
from pathlib import Path

from aws_cdk import IgnoreMode, Token
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_ecr_assets import Platform

from bedrock_customization.argument_checks import check_type
from bedrock_customization.construct_checks import REPOSITORY, check_interface
from bedrock_customization.encoder import Encoder

# Where docker/scoring/Dockerfile puts the encoder.
ENCODER_DIRECTORY = "/opt/encoder"
DESCRIPTIONS = {
    "dataset.handler.handler": "Checks data before money is spent",
    "scoring.handler.handler": "Scores a shard of responses",
    "comparison.handler.handler": "Compares models over all scores and writes the report",
}
"""The image's commands, and what the functions that run them are for."""

_TAG_OR_DIGEST = re.compile(r"\w[\w.-]{0,127}|sha256:[0-9a-f]{64}", re.ASCII)
_ENCODER = "Encoder.roberta_large()"


class FunctionImage:
    """The container image of the three functions: data check, scoring and comparison.

    Use the factories `build` and `from_repository`.
    """

    def __init__(self, *, encoder: Encoder, repository: ecr.IRepository | None, tag_or_digest: str | None) -> None:
        """Keeps what the image is made of.

        Args:
            encoder: The encoder in the image.
            repository: The repository of an image that is built elsewhere.
            tag_or_digest: Its tag or digest.
        """
        self.encoder = encoder
        self._repository = repository
        self._tag_or_digest = tag_or_digest

    @classmethod
    def build(cls, *, encoder: Encoder | None = None) -> FunctionImage:
        """The image that `cdk deploy` builds with Docker from the sources in this package.

        Args:
            encoder: The encoder to bake in; `roberta-large` by default.

        Raises:
            TypeError: It is no `Encoder`.
        """
        check_type("encoder", encoder, Encoder, _ENCODER)
        return cls(encoder=encoder or Encoder.roberta_large(), repository=None, tag_or_digest=None)

    @classmethod
    def from_repository(
        cls, repository: ecr.IRepository, *, tag_or_digest: str, encoder: Encoder | None = None
    ) -> FunctionImage:
        """An image that is built elsewhere, for teams that deploy without Docker.

        Args:
            repository: The repository.
            tag_or_digest: The image's tag, or digest beginning with `sha256:`.
            encoder: The encoder that is baked into it; `roberta-large` by default. It sizes the function's memory.

        Raises:
            TypeError: An argument has another type.
            ValueError: It is neither a tag nor a digest.
        """
        check_interface("repository", repository, REPOSITORY)
        check_type("encoder", encoder, Encoder, _ENCODER)
        if not isinstance(tag_or_digest, str):
            raise TypeError(f"tag_or_digest: got {tag_or_digest!r}; it must be a text: pass 'v1'.")
        if not Token.is_unresolved(tag_or_digest) and not _TAG_OR_DIGEST.fullmatch(tag_or_digest):
            raise ValueError(
                f"tag_or_digest: got {tag_or_digest!r}; it must be a tag of at most 128 letters, digits and . _ -, or "
                f"a digest, sha256: and 64 hexadecimal digits: pass 'v1'."
            )
        return cls(encoder=encoder or Encoder.roberta_large(), repository=repository, tag_or_digest=tag_or_digest)

    def code(self, command: str, architecture: lambda_.Architecture) -> lambda_.DockerImageCode:
        """The code of one of the functions.

        Args:
            command: The handler, for example `scoring.handler.handler`.
            architecture: The architecture to build for.
        """
        if self._repository is not None:
            return lambda_.DockerImageCode.from_ecr(self._repository, tag_or_digest=self._tag_or_digest, cmd=[command])
        return lambda_.DockerImageCode.from_image_asset(
            str(asset_root()),
            file="docker/scoring/Dockerfile",
            cmd=[command],
            # Only these two folders are the context, so that the image of a checkout and that of a wheel have one hash.
            exclude=["*", "!docker", "!lambda_src", "**/__pycache__", "**/*.pyc"],
            ignore_mode=IgnoreMode.DOCKER,
            platform=Platform.LINUX_ARM64 if architecture == lambda_.Architecture.ARM_64 else Platform.LINUX_AMD64,
            build_args={
                "ENCODER": self.encoder.name,
                "ENCODER_REVISION": self.encoder.revision,
                "ENCODER_LAYER": str(self.encoder.layer),
                "LANGUAGE": self.encoder.language,
            },
        )


def asset_root() -> Path:
    """The folder with `lambda_src` and `docker`: in the wheel beside this file, in a checkout beside the package."""
    packaged = Path(__file__).with_name("_assets")
    return packaged if packaged.is_dir() else Path(__file__).parent.parent
