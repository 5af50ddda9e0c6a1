"""The JSONata functions that Step Functions adds: $partition, $range, $hash and $parse."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from jsonata import Jsonata
from jsonata.jexception import JException
from jsonata.utils import Utils

from bedrock_customization.rehearsal.interpreter.jsonata_values import encode

_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_MAX_RANGE_ITEMS = 360_145


class _Functions:
    """Undefined arguments make an undefined result, as in JSONata; numbers are rounded towards zero."""

    @staticmethod
    def partition(array: list[Any] | None, chunk_size: float | None) -> list[Any] | None:
        if array is None or chunk_size is None or not array or int(chunk_size) == 0:
            return None
        step = int(chunk_size)
        if step < 0:
            raise JException("T0410", 0, 2, "partition")
        return [list(array[start : start + step]) for start in range(0, len(array), step)]

    @staticmethod
    def range(start: float | None, end: float | None, step: float | None) -> Any:
        if start is None or end is None or step is None:
            return None
        first, last, by = int(start), int(end), int(step)
        if by == 0 or (last - first) * by < 0:
            return None
        values = range(first, last + (1 if by > 0 else -1), by)
        if len(values) > _MAX_RANGE_ITEMS:
            raise JException("Expression evaluation memory limit exceeded", 0)
        return Utils.create_sequence_from_iter(values)

    @staticmethod
    def hash(text: str | None, algorithm: str | None) -> str | None:
        if text is None or algorithm is None:
            return None
        if algorithm not in _ALGORITHMS:
            raise JException("T0410", 0, 2, "hash")
        return hashlib.new(_ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()

    @staticmethod
    def parse(text: str | None) -> Any:
        if text is None:
            return None
        return encode(json.loads(text))


def _function(name: str, signature: str) -> Any:
    return Jsonata.function(name, signature, _Functions, name)


STATIC_FUNCTIONS: dict[str, Any] = {
    "partition": _function("partition", "<a-n:a>"),
    "range": _function("range", "<n-nn:a>"),
    "hash": _function("hash", "<s-s:s>"),
    "parse": _function("parse", "<s-:x>"),
}
