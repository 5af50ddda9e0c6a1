"""Splits a text into the words that WordPiece cuts further, as transformers' slow BERT tokenizer does.

The fast tokenizers bring their own, older Unicode tables and skip the composition of accents (NFC), so that rare
characters, and cased encoders on decomposed text, would score differently from bert-score.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

CJK_RANGES = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)
ASCII_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


class _Replacements(dict[int, str]):
    """A table for str.translate that works out each character's replacement once."""

    def __init__(self, replacement: Callable[[str], str]) -> None:
        self._replacement = replacement

    def __missing__(self, code: int) -> str:
        self[code] = replaced = self._replacement(chr(code))
        return replaced


class WordSeparator:
    """Normalises a text and puts one space between its words."""

    def __init__(self, tokenizer_config: dict[str, Any], special_tokens: Sequence[str], max_words: int) -> None:
        """Take the tokenizer's settings.

        Args:
            tokenizer_config: `do_lower_case`, `strip_accents` and `tokenize_chinese_chars` of `tokenizer_config.json`,
                with transformers' defaults.
            special_tokens: Texts that stay whole wherever they stand.
            max_words: Words after which the rest of a text is dropped.
        """
        self._lower = bool(tokenizer_config.get("do_lower_case", True))
        strip_accents = tokenizer_config.get("strip_accents")
        self._strip_accents = self._lower if strip_accents is None else bool(strip_accents)
        self._separate_cjk = bool(tokenizer_config.get("tokenize_chinese_chars", True))
        self._special = re.compile(f"({'|'.join(map(re.escape, special_tokens))})") if special_tokens else None
        self._max_words = max_words
        self._clean = _Replacements(self._cleaned)
        self._punctuation = _Replacements(self._separated)

    def separate(self, text: str) -> str:
        """Normalise one text.

        Args:
            text: The text.

        Returns:
            At most `max_words` words with one space between them.
        """
        if self._special and self._special.search(text):
            parts = self._special.split(text)
            words = [
                word for i, part in enumerate(parts) for word in ([part] if i % 2 else self._normalised(part).split())
            ]
        else:
            words = self._normalised(text).split()
        return " ".join(words[: self._max_words])

    def _normalised(self, text: str) -> str:
        text = unicodedata.normalize("NFC", text.translate(self._clean))
        if self._strip_accents:
            text = unicodedata.normalize("NFD", text)
        return text.translate(self._punctuation)

    def _cleaned(self, character: str) -> str:
        return "".join(map(self._cleaned_one, character.lower() if self._lower else character))

    def _cleaned_one(self, character: str) -> str:
        category = unicodedata.category(character)
        if character in " \t\n\r" or category == "Zs":
            return " "
        if category.startswith("C") or character == "\ufffd":
            return ""
        if self._separate_cjk and any(low <= ord(character) <= high for low, high in CJK_RANGES):
            return f" {character} "
        return character

    def _separated(self, character: str) -> str:
        category = unicodedata.category(character)
        if self._strip_accents and category == "Mn":
            return ""
        if character in ASCII_PUNCTUATION or category.startswith("P"):
            return f" {character} "
        return character
