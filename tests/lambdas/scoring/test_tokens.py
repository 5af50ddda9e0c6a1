"""Token ids against the slow tokenizers, on which bert-score's numbers rest."""

import random
import unicodedata

import pytest
from bert_score.utils import sent_encode
from transformers import AutoTokenizer

from scoring.bertscore.encoder_folder import open_encoder_folder
from scoring.bertscore.tokens import TextTokenizer
from tests.lambdas.scoring.conftest import random_texts


def strange_texts(count):
    chooser = random.Random(8)
    ranges = [(32, 127), (32, 127), (0, 0x3000), (0x3000, 0xD800), (0xE000, 0x20000), (0x20000, 0x30000)]
    characters = [chr(chooser.randrange(*chooser.choice(ranges))) for _ in range(4000)]
    characters += ["[SEP]", "[MASK]", "[sep]", "<s>", " <mask> ", "</s>", "<pad>", "\x1c", "\u2028", "e\u0301", "\r\n"]
    return ["".join(chooser.choices(characters, k=chooser.randint(0, 30))) for _ in range(count)]


@pytest.mark.parametrize("family", ("minilm", "bert", "bert-cased", "roberta", "distilbert"))
def test_token_ids_are_those_of_the_slow_tokenizer(family, encoder):
    slow = AutoTokenizer.from_pretrained(encoder(family), use_fast=False)
    tokenizer = TextTokenizer(open_encoder_folder(encoder(family)))
    texts = strange_texts(1500) + random_texts(100, seed=9)
    texts += [unicodedata.normalize(form, text) for form in ("NFC", "NFD") for text in random_texts(50, seed=10)]

    for text, tokenized in zip(texts, tokenizer.tokenize(texts), strict=True):
        assert list(tokenized.ids) == sent_encode(slow, text), repr(text)
