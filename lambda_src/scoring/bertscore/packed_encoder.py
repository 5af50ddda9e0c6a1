"""BERT, RoBERTa and DistilBERT without padding.

All tokens of a batch form one matrix [tokens, hidden], so that the linear layers multiply nothing but real tokens;
attention runs over groups of texts of equal length. The weights are views of the memory-mapped file, up to the chosen
layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch.nn import functional

from scoring.bertscore.encoder_folder import EncoderFolder, InvalidEncoder

BATCH_TOKENS = 2048

ACTIVATIONS = {"gelu": ("gelu", "none"), "gelu_new": ("gelu", "tanh"), "relu": ("relu", "")}
"""The activations of `encoder_folder.ACTIVATIONS`, each as oneDNN's name and algorithm."""

# oneDNN does the activation in the same pass, and is twice as fast as MKL on AMD processors, for which MKL has no fast
# path; without an activation, MKL is a tenth faster on Intel's.
MKL_IS_QUICKER = "Intel" in str(getattr(torch.cpu, "get_capabilities", dict)().get("cpu_name"))
# torch.compile generates calls of this operator; torch does not document it: hence check and pin.
ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")

LAYER_TENSORS = {
    "bert": {
        "query": "encoder.layer.{}.attention.self.query",
        "key": "encoder.layer.{}.attention.self.key",
        "value": "encoder.layer.{}.attention.self.value",
        "attended": "encoder.layer.{}.attention.output.dense",
        "attention_norm": "encoder.layer.{}.attention.output.LayerNorm",
        "widen": "encoder.layer.{}.intermediate.dense",
        "narrow": "encoder.layer.{}.output.dense",
        "output_norm": "encoder.layer.{}.output.LayerNorm",
    },
    "distilbert": {
        "query": "transformer.layer.{}.attention.q_lin",
        "key": "transformer.layer.{}.attention.k_lin",
        "value": "transformer.layer.{}.attention.v_lin",
        "attended": "transformer.layer.{}.attention.out_lin",
        "attention_norm": "transformer.layer.{}.sa_layer_norm",
        "widen": "transformer.layer.{}.ffn.lin1",
        "narrow": "transformer.layer.{}.ffn.lin2",
        "output_norm": "transformer.layer.{}.output_layer_norm",
    },
}
LAYER_TENSORS["roberta"] = LAYER_TENSORS["bert"]


@dataclass(frozen=True)
class Affine:
    """A weight and a bias, of a linear layer or of a normalisation."""

    weight: torch.Tensor
    bias: torch.Tensor


@dataclass(frozen=True)
class Layer:
    """One transformer layer."""

    query: Affine
    key: Affine
    value: Affine
    attended: Affine
    attention_norm: Affine
    widen: Affine
    narrow: Affine
    output_norm: Affine


def linear(hidden: torch.Tensor, layer: Affine, activation: str | None = None) -> torch.Tensor:
    """Compute a linear layer with the quicker library.

    Args:
        hidden: The input [tokens, width].
        layer: The weight [new width, width] and the bias.
        activation: A key of `ACTIVATIONS` to apply to the output, or None.

    Returns:
        The output [tokens, new width].
    """
    if ONEDNN and (activation or not MKL_IS_QUICKER):
        return onednn_linear(hidden, layer, activation)
    output = functional.linear(hidden, layer.weight, layer.bias)
    if activation is None:
        return output
    name, algorithm = ACTIVATIONS[activation]
    return functional.gelu(output, approximate=algorithm) if name == "gelu" else output.relu_()


def onednn_linear(hidden: torch.Tensor, layer: Affine, activation: str | None = None) -> torch.Tensor:
    """Compute a linear layer with oneDNN; arguments and result are those of `linear`."""
    name, algorithm = ACTIVATIONS[activation] if activation else ("none", "")
    output: torch.Tensor = torch.ops.mkldnn._linear_pointwise(hidden, layer.weight, layer.bias, name, [], algorithm)
    return output


class PackedEncoder:
    """Computes the hidden states of texts at the encoder folder's layer."""

    def __init__(self, folder: EncoderFolder, dtype: torch.dtype = torch.float32) -> None:
        """Map the weights.

        Args:
            folder: The encoder's folder.
            dtype: The type in which the layers are computed.

        Raises:
            InvalidEncoder: `model.safetensors` is missing, damaged, of another encoder or lacks a layer.
        """
        config = folder.config
        distilbert = folder.family == "distilbert"
        self._heads = int(config["n_heads" if distilbert else "num_attention_heads"])
        self._epsilon = 1e-12 if distilbert else float(config.get("layer_norm_eps", 1e-12))
        self._activation = str(config.get("activation" if distilbert else "hidden_act", "gelu"))
        self._pad = int(config.get("pad_token_id", 0)) if folder.family == "roberta" else None
        weights = _Weights(folder, dtype)
        self._words = weights.tensor("embeddings.word_embeddings.weight")
        shape = (int(config["vocab_size"]), int(config["dim" if distilbert else "hidden_size"]))
        if self._words.shape != shape:
            raise InvalidEncoder(
                f"{folder.path / 'model.safetensors'}: the embeddings are {tuple(self._words.shape)}, but config.json "
                f"says {shape} for vocabulary and width. The files are of two encoders; write the encoder folder again."
            )
        self._positions = weights.tensor("embeddings.position_embeddings.weight")
        self._text_type = None if distilbert else weights.tensor("embeddings.token_type_embeddings.weight")[0]
        self._embedding_norm = weights.affine("embeddings.LayerNorm")
        self._layers = [weights.layer(LAYER_TENSORS[folder.family], number) for number in range(folder.layer)]

    @torch.inference_mode()
    def encode(self, texts: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """Encode texts.

        Args:
            texts: The token ids of each text; each text has at least one.

        Returns:
            For each text its hidden states [tokens, hidden] in single precision, each row of length 1.
        """
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        encoded: list[torch.Tensor] = [torch.empty(0)] * len(texts)
        for batch in _batches(order, texts):
            lengths = [len(texts[i]) for i in batch]
            hidden = self._hidden_states([texts[i] for i in batch], lengths).float()
            hidden /= torch.linalg.vector_norm(hidden, dim=1, keepdim=True)
            for i, states in zip(batch, hidden.split(lengths), strict=True):
                encoded[i] = states
        return encoded

    def _hidden_states(self, texts: list[Sequence[int]], lengths: list[int]) -> torch.Tensor:
        hidden = self._embedded(texts)
        groups = [(length, len(list(same))) for length, same in groupby(lengths)]
        for layer in self._layers:
            # One product for all three would need a copy of their weights, which are views of the file.
            projections = [linear(hidden, part) for part in (layer.query, layer.key, layer.value)]
            attended = self._attention(projections, groups)
            hidden = self._norm(linear(attended, layer.attended).add_(hidden), layer.attention_norm)
            wide = linear(hidden, layer.widen, self._activation)
            hidden = self._norm(linear(wide, layer.narrow).add_(hidden), layer.output_norm)
        return hidden

    def _embedded(self, texts: list[Sequence[int]]) -> torch.Tensor:
        ids = torch.tensor([token for text in texts for token in text])
        if self._pad is None:
            positions = [position for text in texts for position in range(len(text))]
        else:  # RoBERTa counts positions from behind the padding's id and skips padding tokens, even inside a text
            positions = []
            for text in texts:
                position = self._pad
                for token in text:
                    position += token != self._pad
                    positions.append(position if token != self._pad else self._pad)
        embedded = self._words[ids]
        if self._text_type is not None:
            embedded += self._text_type
        embedded += self._positions[torch.tensor(positions)]
        return self._norm(embedded, self._embedding_norm)

    def _attention(self, projections: list[torch.Tensor], groups: list[tuple[int, int]]) -> torch.Tensor:
        attended = torch.empty_like(projections[0])
        start = 0
        for length, texts in groups:
            end = start + length * texts
            query, key, value = (
                part[start:end].view(texts, length, self._heads, -1).transpose(1, 2) for part in projections
            )
            result = functional.scaled_dot_product_attention(query, key, value)
            attended[start:end].view(texts, length, self._heads, -1).copy_(result.transpose(1, 2))
            start = end
        return attended

    def _norm(self, hidden: torch.Tensor, norm: Affine) -> torch.Tensor:
        return functional.layer_norm(hidden, norm.weight.shape, norm.weight, norm.bias, self._epsilon)


class _Weights:
    """The tensors of `model.safetensors`, found under the encoder's names with or without a model prefix."""

    def __init__(self, folder: EncoderFolder, dtype: torch.dtype) -> None:
        self._path = folder.path / "model.safetensors"
        self._dtype = dtype
        try:
            self._file: Any = safe_open(str(self._path), framework="pt")
        except (OSError, SafetensorError) as error:
            raise InvalidEncoder(
                f"{self._path}: cannot be read ({error}). The encoder's weights must be there as safetensors; "
                "write the encoder folder again."
            ) from None
        self._names = set(self._file.keys())
        self._prefix = "" if "embeddings.word_embeddings.weight" in self._names else f"{folder.family}."

    def tensor(self, name: str) -> torch.Tensor:
        if self._prefix + name not in self._names:
            raise InvalidEncoder(
                f"{self._path}: the tensor {name} is missing. The file is of another encoder or was cut at a lower "
                "layer; write the encoder folder again with the layer that you want."
            )
        tensor: torch.Tensor = self._file.get_tensor(self._prefix + name)
        return tensor.to(self._dtype)

    def affine(self, name: str) -> Affine:
        if f"{self._prefix}{name}.gamma" in self._names:
            return Affine(self.tensor(f"{name}.gamma"), self.tensor(f"{name}.beta"))
        return Affine(self.tensor(f"{name}.weight"), self.tensor(f"{name}.bias"))

    def layer(self, names: dict[str, str], number: int) -> Layer:
        return Layer(**{part: self.affine(name.format(number)) for part, name in names.items()})


def _batches(order: list[int], texts: Sequence[Sequence[int]]) -> list[list[int]]:
    batches: list[list[int]] = []
    tokens = BATCH_TOKENS
    for i in order:
        if tokens + len(texts[i]) > BATCH_TOKENS:
            batches.append([])
            tokens = 0
        batches[-1].append(i)
        tokens += len(texts[i])
    return batches
