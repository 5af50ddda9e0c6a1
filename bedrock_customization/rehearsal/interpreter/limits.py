"""The quotas of Step Functions that a definition can run into, and the JSON text that they are measured on."""

from __future__ import annotations

import json
from typing import Any

MAX_PAYLOAD_BYTES = 262_144
MAX_VARIABLES_BYTES = 10 * 1024 * 1024
MAX_HISTORY_EVENTS = 25_000
MAX_CAUSE_CHARACTERS = 32_768
MAX_ERROR_CHARACTERS = 256
MAX_NAME_CHARACTERS = 80
MAX_LABEL_CHARACTERS = 40
MAX_SECONDS = 99_999_999
MAX_DELAY_SECONDS = 31_622_400
MAX_DEFINITION_BYTES = 1_048_576
STANDARD_SECONDS = 31_536_000
REDRIVABLE_SECONDS = 1_209_600
EXPRESS_SECONDS = 300
# A transition of an EXPRESS execution takes at least about two milliseconds, so one that makes more of them than fit
# into its five minutes has run out of time, even if no virtual time has passed.
EXPRESS_EVENTS = 300_000
INLINE_CONCURRENCY = 40
DISTRIBUTED_CONCURRENCY = 10_000
MAX_ITEMS = 100_000_000


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def dump(value: Any) -> str:
    """Write a JSON value as Step Functions does: compact, not escaped.

    Raises:
        TypeError: It is not a JSON value.
        ValueError: It holds a number that JSON does not know, such as NaN.
    """
    return _ENCODER.encode(value)


def size(text: str) -> int:
    """Count the UTF-8 bytes of a JSON text."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
