"""How IAM compares texts: wildcards, and ARNs part by part."""

from __future__ import annotations

import re
from functools import lru_cache

LITERAL = {"*": "\ue000", "?": "\ue001"}
"""What stands in a pattern for a wildcard's own character: `${*}` and `${?}`."""


@lru_cache(maxsize=65_536)
def like(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """Whether a text matches a pattern with `*` and `?`."""
    return _expression(pattern, ignore_case).fullmatch(text) is not None


@lru_cache(maxsize=65_536)
def arn_like(pattern: str, arn: str) -> bool:
    """Whether an ARN matches a pattern: each of its six parts by itself, so that `*` stays within one.

    A pattern that ends in `*` too early stands for all that follows.
    """
    if pattern in ("*", arn):
        return True
    wanted, parts = pattern.split(":", 5), arn.split(":", 5)
    if pattern.endswith("*"):
        wanted += ["*"] * (6 - len(wanted))
    if len(wanted) < 6 or len(parts) < 6:
        return False
    return all(like(want, part) for want, part in zip(wanted, parts, strict=True))


@lru_cache(maxsize=65_536)
def resource_like(pattern: str, arn: str) -> bool:
    """Whether an ARN matches a pattern of a Resource element.

    A `*` that ends a part of the pattern reaches beyond the part; any other wildcard before the resource stays within.
    """
    return _resource_expression(pattern).fullmatch(arn) is not None


def plain(pattern: str) -> str:
    """A pattern as text, for operators that know no wildcards."""
    return pattern.replace(LITERAL["*"], "*").replace(LITERAL["?"], "?")


@lru_cache
def _expression(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    return re.compile(_escaped(pattern, "."), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


@lru_cache
def _resource_expression(pattern: str) -> re.Pattern[str]:
    *parts, resource = pattern.split(":", 5)
    within = [_escaped(part[:-1], "[^:]") + ".*" if part[-1:] == "*" else _escaped(part, "[^:]") for part in parts]
    return re.compile(":".join([*within, _escaped(resource, ".")]), re.DOTALL)


def _escaped(pattern: str, character: str) -> str:
    escaped = re.escape(pattern).replace(r"\*", f"{character}*").replace(r"\?", character)
    return escaped.replace(LITERAL["*"], r"\*").replace(LITERAL["?"], r"\?")
