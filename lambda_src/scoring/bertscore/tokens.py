"""Texts to token ids, exactly as bert-score's slow tokenizers make them, at the speed of the fast ones."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import ByteLevel, WhitespaceSplit

from scoring.bertscore.encoder_folder import EncoderFolder, InvalidEncoder
from scoring.bertscore.words import WordSeparator

LONG_TEXT = 20_000
"""Characters from which on a text's words are counted first, so that only what the encoder takes is tokenized."""


@dataclass(frozen=True)
class TokenizedText:
    """A text's token ids with the special tokens around them, and whether its end was cut off."""

    ids: tuple[int, ...]
    truncated: bool

    @property
    def empty(self) -> bool:
        """Whether there is nothing between the special tokens."""
        return len(self.ids) == 2


class TextTokenizer:
    """Tokenizes for one encoder."""

    def __init__(self, folder: EncoderFolder) -> None:
        """Read `tokenizer.json`.

        Args:
            folder: The encoder's folder.

        Raises:
            InvalidEncoder: the file is missing, unreadable or lacks a special token.
        """
        path = folder.path / "tokenizer.json"
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the binding raises nothing narrower
            raise InvalidEncoder(
                f"{path}: cannot be read ({error}). Save the encoder's fast tokenizer there (transformers: "
                "AutoTokenizer.from_pretrained(name).save_pretrained(folder))."
            ) from None
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._max_tokens = folder.max_tokens
        roberta = folder.family == "roberta"
        self._first, self._last = (
            self._special_id(folder.tokenizer_config.get(field, default), path)
            for field, default in (
                ("cls_token", "<s>" if roberta else "[CLS]"),
                ("sep_token", "</s>" if roberta else "[SEP]"),
            )
        )
        added = json.loads(self._tokenizer.to_str())["added_tokens"]
        self._prepare: Callable[[str], str]
        if roberta:
            self._space_around_special = _space_around(added)
            self._prepare = self._with_leading_space
            self._tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
        else:
            self._prepare = WordSeparator(
                folder.tokenizer_config, [token["content"] for token in added], self._max_tokens
            ).separate
            self._tokenizer.normalizer = None
            self._tokenizer.pre_tokenizer = WhitespaceSplit()

    @property
    def special_ids(self) -> tuple[int, int]:
        """The ids of the first and the last token of every text; without IDF their weight is 0."""
        return self._first, self._last

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        """Tokenize texts; of an empty or blank one only the two special tokens remain.

        Args:
            texts: The texts; lone surrogates, which are no Unicode, raise UnicodeEncodeError.

        Returns:
            For each text its tokens, at most as many as the encoder takes.
        """
        for text in texts:
            text.encode()
        encodings = self._tokenizer.encode_batch_fast(
            [self._prepare(text.strip()) for text in texts], add_special_tokens=False
        )
        room = self._max_tokens - 2
        return [
            TokenizedText((self._first, *encoding.ids[:room], self._last), len(encoding.ids) > room)
            for encoding in encodings
        ]

    def _with_leading_space(self, text: str) -> str:
        if len(text) > LONG_TEXT:
            for last_word in islice(re.finditer(r"\S+", text), self._max_tokens, None):
                text = text[: last_word.end()]
                break
        text = f" {text}" if text else text
        return self._space_around_special.sub("", text) if self._space_around_special else text

    def _special_id(self, token: Any, path: object) -> int:
        content = token["content"] if isinstance(token, dict) else token
        found: int | None = self._tokenizer.token_to_id(content)
        if found is None:
            raise InvalidEncoder(
                f"{path}: the special token {content!r} is missing. Save the encoder's tokenizer again."
            )
        return found


def _space_around(added_tokens: list[dict[str, Any]]) -> re.Pattern[str] | None:
    """Match the space that special tokens swallow; the fast tokenizer knows fewer kinds of space than Python."""
    parts = [rf"(?<!\s)\s+(?={re.escape(token['content'])})" for token in added_tokens if token["lstrip"]]
    parts += [rf"(?<={re.escape(token['content'])})\s+" for token in added_tokens if token["rstrip"]]
    return re.compile("|".join(parts)) if parts else None
