"""The JSONata functions that Step Functions adds, and those of the library that differ from JSONata 2.0.6."""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Any

from jsonata import Jsonata
from jsonata.functions import Functions
from jsonata.jexception import JException
from jsonata.utils import Utils

from bedrock_customization.rehearsal.interpreter.jsonata_errors import TOO_LARGE
from bedrock_customization.rehearsal.interpreter.jsonata_text import string_of
from bedrock_customization.rehearsal.interpreter.jsonata_values import encode, same

_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_MAX_RANGE_ITEMS = 360_145
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?")
_YEAR_AND_MONTH = re.compile(r"\d{4}-\d\d")
_BASED_NUMBER = re.compile(r"0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+")
_INTEGERS = range(-(2**63), 2**63)
_FAILED = "D3137"


class _Added:
    """Undefined arguments make an undefined result, as in JSONata; numbers are rounded towards zero."""

    @staticmethod
    def partition(array: list[Any] | None, chunk_size: float | None) -> list[Any] | None:
        if not array:
            return None
        if array == [Utils.NULL_VALUE]:
            raise JException("T0412", -1, 1, "", "a")
        step = len(array) if chunk_size is None else int(chunk_size)
        if step < 0:
            raise JException(_FAILED, -1, "Second argument must be zero or greater")
        if step == 0:
            return None
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
            raise JException(TOO_LARGE, 0)
        return Utils.create_sequence_from_iter(values)

    @staticmethod
    def hash(text: str | None, algorithm: str | None) -> str | None:
        if text is None or algorithm is None:
            return None
        if algorithm not in _ALGORITHMS:
            raise JException(_FAILED, -1, f"Unsupported hash algorithm: {algorithm}")
        return hashlib.new(_ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()

    @staticmethod
    def parse(text: str | None) -> Any:
        if text is None:
            return None
        try:
            value = json.loads(
                text,
                object_pairs_hook=_object,
                parse_float=_finite,
                parse_int=lambda digits: int(digits) if int(digits) in _INTEGERS else _finite(digits),
                parse_constant=_finite,
            )
        except (ValueError, RecursionError) as error:
            raise JException(_FAILED, -1, "Invalid JSON") from error
        return encode(value)


class _Corrected:
    """What the library's functions do is asked of them; only what differs is here."""

    @staticmethod
    def string(value: Any, prettify: bool | None) -> str | None:
        return None if value is None else string_of(value, bool(prettify))

    @staticmethod
    def number(value: Any) -> Any:
        if not isinstance(value, str):
            return None if value is None else Functions.number(value)
        if _BASED_NUMBER.fullmatch(value):
            return int(value, 0)
        if not _NUMBER.fullmatch(value) or not math.isfinite(float(value)):
            raise JException("D3030", -1, value)
        return float(value)

    @staticmethod
    def power(base: float | None, exponent: float | None) -> Any:
        try:
            result = Functions.power(base, exponent)
        except (TypeError, OverflowError) as error:
            raise JException("D3061", -1, base, exponent) from error
        return result

    @staticmethod
    def parse_integer(text: str | None, picture: str | None) -> Any:
        try:
            return Functions.parse_integer(text, picture)
        except ValueError:
            return math.nan

    @staticmethod
    def to_millis(text: str | None, picture: str | None) -> Any:
        if text is not None and picture is None and _YEAR_AND_MONTH.fullmatch(text):
            text += "-01"
        try:
            return Functions.datetime_to_millis(text, picture)
        except ValueError as error:
            if picture is not None:
                raise
            raise JException("D3110", -1, text) from error

    @staticmethod
    def sort(array: list[Any] | None, comparator: Any) -> Any:
        if array is not None and len(array) > 1 and comparator is None:
            kinds = {"number" if isinstance(item, int | float) else type(item).__name__ for item in array}
            if len(kinds) > 1 or not kinds <= {"number", "str"}:
                raise JException("D3070", -1)
        return Functions.sort(array, comparator)

    @staticmethod
    def distinct(value: Any) -> Any:
        if not isinstance(value, list) or len(value) < 2:
            return value
        found: list[Any] = Utils.create_sequence() if Utils.is_sequence(value) else []
        for item in value:
            if not any(same(item, other) for other in found):
                found.append(item)
        return found

    @staticmethod
    def decode_url(text: str | None) -> Any:
        return _decoded(Functions.decode_url, text)

    @staticmethod
    def decode_url_component(text: str | None) -> Any:
        return _decoded(Functions.decode_url_component, text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name stands there twice")
    return value


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def _decoded(decode: Any, text: str | None) -> Any:
    try:
        return decode(text)
    except ValueError as error:
        raise JException("D3140", -1, text) from error


def _function(name: str, signature: str, source: type, method: str = "") -> Any:
    return Jsonata.function(name, signature, source, method or name)


STATIC_FUNCTIONS: dict[str, Any] = {
    "partition": _function("partition", "<a-n?:a>", _Added),
    "range": _function("range", "<n-nn?:a>", _Added),
    "hash": _function("hash", "<s-s?:s>", _Added),
    "parse": _function("parse", "<s-:x>", _Added),
    "string": _function("string", "<x-b?:s>", _Corrected),
    "number": _function("number", "<(nsb)-:n>", _Corrected),
    "power": _function("power", "<n-n:n>", _Corrected),
    "parseInteger": _function("parseInteger", "<s-s:n>", _Corrected, "parse_integer"),
    "toMillis": _function("toMillis", "<s-s?:n>", _Corrected, "to_millis"),
    "sort": _function("sort", "<af?:a>", _Corrected),
    "distinct": _function("distinct", "<x:x>", _Corrected),
    "decodeUrl": _function("decodeUrl", "<s-:s>", _Corrected, "decode_url"),
    "decodeUrlComponent": _function("decodeUrlComponent", "<s-:s>", _Corrected, "decode_url_component"),
}
