"""What an encoder folder holds: which encoder it is, the layer to score at, and how to read its files."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKED_FAMILIES = {
    "bert": ("BertTokenizer", "BertTokenizerFast"),
    "roberta": ("RobertaTokenizer", "RobertaTokenizerFast"),
    "distilbert": ("DistilBertTokenizer", "DistilBertTokenizerFast", "BertTokenizer", "BertTokenizerFast"),
}
"""The architectures that the packed encoder computes, each with the tokenizers that it knows."""
ACTIVATIONS = ("gelu", "gelu_new", "relu")


class InvalidEncoder(Exception):
    """The encoder folder lacks a file, or its files do not fit together."""


@dataclass(frozen=True, kw_only=True)
class EncoderFolder:
    """An encoder as Hugging Face transformers saves it, with the layer at which BERTScore is taken.

    Attributes:
        path: The folder. It holds `config.json`, `tokenizer.json`, `tokenizer_config.json`, `model.safetensors`
            and, when the image build made it, `encoder.json`.
        name: The encoder's name, `roberta-large` for example; without `encoder.json`, the end of the folder's path.
        revision: The commit of the encoder's repository, or None when unknown.
        layer: The number of layers that a text passes through, 0 for the embeddings alone.
        config: The content of `config.json`.
        tokenizer_config: The content of `tokenizer_config.json`.
        baseline: What unrelated texts score at this layer: precision, recall and F1. None when unknown.
    """

    path: Path
    name: str
    revision: str | None
    layer: int
    config: dict[str, Any]
    tokenizer_config: dict[str, Any]
    baseline: tuple[float, float, float] | None

    @property
    def family(self) -> str:
        """The architecture, as `model_type` of `config.json` says it."""
        return str(self.config["model_type"])

    @property
    def packed(self) -> bool:
        """Whether the packed encoder can compute it; every other encoder goes through bert-score."""
        tokenizers = PACKED_FAMILIES.get(self.family, ())
        tokenizer = self.tokenizer_config.get("tokenizer_class") or self.config.get("tokenizer_class")
        return (
            self.family in PACKED_FAMILIES
            and (tokenizer is None or tokenizer in tokenizers)
            and self.config.get("position_embedding_type", "absolute") == "absolute"
            and not self.config.get("is_decoder", False)
            and self.config.get("activation" if self.family == "distilbert" else "hidden_act", "gelu") in ACTIVATIONS
        )

    @property
    def max_tokens(self) -> int:
        """The longest text that the encoder takes, special tokens included; longer texts are truncated."""
        positions = int(self.config.get("max_position_embeddings", 512))
        if self.family == "roberta":
            positions -= int(self.config["pad_token_id"]) + 1
        return min(positions, int(self.tokenizer_config.get("model_max_length", positions)))


def layers_of(config: dict[str, Any]) -> int:
    """Return how many layers the encoder of this `config.json` has."""
    for field in ("num_hidden_layers", "n_layers", "num_layers", "encoder_layers"):
        if field in config:
            return int(config[field])
    raise InvalidEncoder("config.json: num_hidden_layers is missing; save the encoder again with transformers.")


def open_encoder_folder(
    path: Path | str, *, layer: int | None = None, baseline_path: Path | str | None = None
) -> EncoderFolder:
    """Read what kind of encoder a folder holds.

    Args:
        path: The folder.
        layer: The layer to score at. Default: the one that `encoder.json` names; in a folder without
            `encoder.json`, the last layer that the folder holds.
        baseline_path: A baseline file as bert-score ships them: CSV with the columns LAYER, P, R, F and one line per
            layer. Default: the baseline of `encoder.json`, if there is one.

    Raises:
        InvalidEncoder: a file is missing or unreadable, or the layer does not exist.
    """
    path = Path(path).resolve()
    config = _read_json(path / "config.json", required=True)
    about = _read_json(path / "encoder.json", required=False)
    if "model_type" not in config:
        raise InvalidEncoder(
            f"{path / 'config.json'}: model_type is missing; save the encoder again with transformers."
        )
    layers = layers_of(config)
    chosen = layer if layer is not None else int(about.get("layer", layers))
    if not 0 <= chosen <= layers:
        raise InvalidEncoder(
            f"layer: got {chosen}, but the encoder in {path} holds the layers 0 to {layers}. "
            "Choose one of them, or build the image with the layer that you want."
        )
    baseline = about.get("baseline") if chosen == about.get("layer") else None
    if baseline_path is not None:
        baseline = _baseline_at(Path(baseline_path), chosen)
    return EncoderFolder(
        path=path,
        name=str(about.get("name") or "/".join(path.parts[-2:])),
        revision=about.get("revision"),
        layer=chosen,
        config=config,
        tokenizer_config=_read_json(path / "tokenizer_config.json", required=False),
        baseline=tuple(baseline) if baseline is not None else None,
    )


def _read_json(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            raise InvalidEncoder(
                f"{path}: the file is missing. An encoder folder holds what transformers' save_pretrained writes; "
                "set ENCODER_DIRECTORY to such a folder."
            ) from None
        return {}
    except ValueError as error:
        raise InvalidEncoder(f"{path}: not JSON ({error}). Write the encoder folder again.") from None
    if not isinstance(content, dict):
        raise InvalidEncoder(f"{path}: expected a JSON object, got {type(content).__name__}.")
    return content


def _baseline_at(path: Path, layer: int) -> tuple[float, ...]:
    lines = path.read_text(encoding="utf-8").split()[1:]
    if layer >= len(lines):
        raise InvalidEncoder(f"{path}: no line for layer {layer}; the file has the layers 0 to {len(lines) - 1}.")
    return tuple(float(value) for value in lines[layer].split(",")[1:])
