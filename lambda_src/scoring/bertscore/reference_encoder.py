"""Every other encoder, DeBERTa for example, through bert-score itself.

Needs bert-score and transformers, which the scoring image has only if it was built for such an encoder.
"""

from collections.abc import Sequence

import torch

from scoring.bertscore.encoder_folder import EncoderFolder, InvalidEncoder
from scoring.bertscore.tokens import TokenizedText

BATCH_TEXTS = 16


class ReferenceEncoder:
    """Tokenizes and encodes with bert-score's functions; the counterpart of TextTokenizer and PackedEncoder."""

    def __init__(self, folder: EncoderFolder) -> None:
        """Load the encoder.

        Args:
            folder: The encoder's folder.

        Raises:
            InvalidEncoder: bert-score is not installed, or would mistake the folder's name for an encoder's.
        """
        try:
            from bert_score import utils
        except ImportError as error:
            raise InvalidEncoder(
                f"{folder.path}: an encoder of type {folder.family} needs bert-score and transformers ({error}). "
                "Build the image with ENGINE=bert-score, or choose a BERT, RoBERTa or DistilBERT encoder."
            ) from None
        name = str(folder.path)
        if "t5" in name and "t5" not in folder.family:
            raise InvalidEncoder(
                f"{folder.path}: bert-score takes any path with 't5' in it for a T5 encoder; this one is of type "
                f"{folder.family}. Rename the folder."
            )
        self._utils = utils
        self._tokenizer = utils.get_tokenizer(name)
        self._model = utils.get_model(name, folder.layer)
        self._max_tokens = self._tokenizer.model_max_length

    @property
    def special_ids(self) -> tuple[int | None, int | None]:
        """The ids of the tokens that weigh nothing without IDF."""
        return self._tokenizer.cls_token_id, self._tokenizer.sep_token_id

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        """Tokenize texts as bert-score does.

        Args:
            texts: The texts; lone surrogates, which are no Unicode, raise UnicodeEncodeError.

        Returns:
            For each text its tokens, at most as many as the encoder takes.
        """
        tokenized = []
        for text in texts:
            text.encode()
            ids = self._utils.sent_encode(self._tokenizer, text)
            full = len(ids) >= self._max_tokens
            truncated = full and len(self._tokenizer.encode(text.strip(), truncation=False)) > len(ids)
            tokenized.append(TokenizedText(tuple(ids), truncated))
        return tokenized

    @torch.inference_mode()
    def encode(self, texts: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """Encode texts.

        Args:
            texts: The token ids of each text.

        Returns:
            For each text its hidden states [tokens, hidden], each row of length 1.
        """
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        encoded: list[torch.Tensor] = [torch.empty(0)] * len(texts)
        for start in range(0, len(order), BATCH_TEXTS):
            batch = order[start : start + BATCH_TEXTS]
            ids, _, mask = self._utils.padding([texts[i] for i in batch], self._tokenizer.pad_token_id)
            states = self._utils.bert_encode(self._model, ids, attention_mask=mask)
            for i, hidden in zip(batch, states, strict=True):
                hidden = hidden[: len(texts[i])]
                encoded[i] = hidden / hidden.norm(dim=-1, keepdim=True)
        return encoded
