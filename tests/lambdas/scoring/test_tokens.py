"""Token ids against the slow tokenizers, on which bert-score's numbers rest."""

import unicodedata

import pytest
from bert_score.utils import sent_encode
from transformers import AutoTokenizer

from scoring.bertscore.encoder_folder import open_encoder_folder
from scoring.bertscore.tokens import TextTokenizer
from tests.lambdas.scoring.conftest import random_texts, strange_texts


@pytest.mark.parametrize("family", ("minilm", "bert", "bert-cased", "roberta", "distilbert"))
def test_token_ids_are_those_of_the_slow_tokenizer(family, encoder):
    slow = AutoTokenizer.from_pretrained(encoder(family), use_fast=False)
    tokenizer = TextTokenizer(open_encoder_folder(encoder(family)))
    texts = strange_texts(2000) + random_texts(100, seed=9)
    texts += [unicodedata.normalize(form, text) for form in ("NFC", "NFD") for text in random_texts(50, seed=10)]

    for text, tokenized in zip(texts, tokenizer.tokenize(texts), strict=True):
        assert list(tokenized.ids) == sent_encode(slow, text), repr(text)
