"""The floor: the time that the encoder's matrix products alone take, without which no exact score can be had."""

import time
from collections.abc import Callable

import torch
from torch.nn import functional

from benchmarks.encoders import matrix_shapes
from benchmarks.measured_encoder import MeasuredEncoder
from benchmarks.texts import Data
from scoring.bertscore.encoder_folder import open_encoder_folder
from scoring.bertscore.packed_encoder import ONEDNN, Affine, onednn_linear
from scoring.bertscore.tokens import TextTokenizer

ROWS = 2048

Product = Callable[[torch.Tensor, Affine], torch.Tensor]


def floor(encoder: MeasuredEncoder, data: Data) -> Callable[[], None]:
    """Prepare the products of all distinct texts' tokens, with the quicker of MKL and oneDNN for each shape.

    Args:
        encoder: The encoder.
        data: The texts.

    Returns:
        A function that computes the products once.
    """
    tokenizer = TextTokenizer(open_encoder_folder(encoder.path, layer=encoder.layer))
    texts = {text.ids for text in tokenizer.tokenize([*data.references, *data.base, *data.custom])}
    tokens = sum(map(len, texts))
    products = []
    for inputs, outputs in matrix_shapes(encoder):
        layer = Affine(torch.randn(outputs, inputs) * 0.02, torch.randn(outputs))
        rows = torch.randn(ROWS, inputs)
        products.append((_quicker(rows, layer), rows, layer))

    @torch.inference_mode()
    def run() -> None:
        for first in range(0, tokens, ROWS):
            for product, rows, layer in products:
                for _ in range(encoder.layer):
                    product(rows[: tokens - first], layer)

    return run


@torch.inference_mode()
def _quicker(rows: torch.Tensor, layer: Affine) -> Product:
    def mkl(rows: torch.Tensor, layer: Affine) -> torch.Tensor:
        return functional.linear(rows, layer.weight, layer.bias)

    def seconds(product: Product) -> float:
        times = []
        for _ in range(8):
            started = time.perf_counter()
            product(rows, layer)
            times.append(time.perf_counter() - started)
        return min(times)

    return min((mkl, onednn_linear), key=seconds) if ONEDNN else mkl
