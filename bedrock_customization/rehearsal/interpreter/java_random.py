"""The random numbers of java.util.Random, which `$random` gives for a seed."""

from __future__ import annotations

_MULTIPLIER, _INCREMENT, _MODULUS = 0x5DEECE66D, 0xB, 1 << 48


def first_double(seed: int) -> float:
    """Give the first number that `new java.util.Random(seed).nextDouble()` gives."""
    state = (seed ^ _MULTIPLIER) % _MODULUS
    state = (state * _MULTIPLIER + _INCREMENT) % _MODULUS
    high = state >> 22
    state = (state * _MULTIPLIER + _INCREMENT) % _MODULUS
    return ((high << 27) + (state >> 21)) / (1 << 53)
