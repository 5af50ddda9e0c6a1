"""When two prompts count as the same, and when as nearly the same."""

import re
import unicodedata
from hashlib import blake2b
from zlib import crc32

import numpy as np
import numpy.typing as npt

SHINGLE_WORDS = 5

# Scripts without spaces between words: there, each character counts as a word.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_MULTIPLIER = 0x9E3779B97F4A7C15
_POWERS = np.array([pow(_MULTIPLIER, power, 1 << 64) for power in range(SHINGLE_WORDS)], dtype=np.uint64)


def exact_hash(text: str) -> int:
    """Return a 64-bit hash that is the same for texts that differ only in case, spacing or Unicode form."""
    return _hash64(" ".join(_fold(text).split()))


def record_hash(texts: list[str]) -> int:
    """Return a 64-bit hash of a record's texts as they are."""
    return _hash64("\x1f".join(texts))


def folded_hash(texts: list[str]) -> int:
    """Return a 64-bit hash that is the same for records that differ only in case, spacing, punctuation or Unicode form.

    Texts without a single word, such as formulas, count as they are.
    """
    folded = [" ".join(_WORD.findall(_fold(text))) or text for text in texts]
    return record_hash(folded)


def shingles(text: str) -> npt.NDArray[np.uint64]:
    """Return the hashes of all runs of five words, without those that repeat.

    Args:
        text: A prompt. Case and punctuation do not matter.

    Returns:
        Sorted 64-bit hashes; none if the text has fewer than five words.
    """
    words = _WORD.findall(_fold(text))
    if len(words) < SHINGLE_WORDS:
        return np.empty(0, dtype=np.uint64)
    codes = np.fromiter((crc32(word.encode("utf-8", "replace")) for word in words), dtype=np.uint64, count=len(words))
    count = len(words) - SHINGLE_WORDS + 1
    mixed = np.zeros(count, dtype=np.uint64)
    for position, power in enumerate(_POWERS):
        mixed += codes[position : position + count] * power
    return np.unique(_scramble(mixed))


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text).casefold()


def _hash64(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _scramble(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Spread the hashes evenly, so that the smallest ones are a fair sample."""
    values = values ^ (values >> np.uint64(31))
    values = values * np.uint64(0xBF58476D1CE4E5B9)
    return values ^ (values >> np.uint64(29))
