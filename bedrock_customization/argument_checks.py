"""The checks of arguments that several constructs and options share.

jsii checks types only of what goes on to the CDK.
"""

from __future__ import annotations

from collections.abc import Collection


def check_whole_number(field: str, value: object, least: int, most: int) -> None:
    """Refuses what is not a whole number within bounds.

    Args:
        field: The argument's name.
        value: The argument.
        least: The least allowed number.
        most: The greatest allowed number.

    Raises:
        ValueError: It is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{field}: got {value!r}; it must be a whole number from {least:,} to {most:,}.")


def check_fraction(field: str, value: object) -> None:
    """Refuses what is not a number from 0 to 1.

    Args:
        field: The argument's name.
        value: The argument.

    Raises:
        ValueError: It is not.
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ValueError(f"{field}: got {value!r}; it must be a number from 0 to 1.")


def check_flag(field: str, value: object) -> None:
    """Refuses what is neither True nor False.

    Args:
        field: The argument's name.
        value: The argument.

    Raises:
        TypeError: It is not.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{field}: got {value!r}; it must be True or False.")


def check_type(name: str, value: object, expected: type, remedy: str) -> None:
    """Refuses a value that is neither None nor of a type.

    Args:
        name: The argument's name.
        value: What was passed.
        expected: The type.
        remedy: What to pass instead.

    Raises:
        TypeError: The value has another type.
    """
    if value is not None and not isinstance(value, expected):
        raise TypeError(f"{name}: got {value!r}; it must be of type {expected.__name__}: pass {remedy}.")


def check_list(name: str, values: object, expected: type, remedy: str) -> None:
    """Refuses what is neither None nor a list of values of a type.

    Args:
        name: The argument's name.
        values: What was passed.
        expected: The type of each.
        remedy: What to pass instead.

    Raises:
        TypeError: It is no list, or a value has another type.
    """
    if values is None:
        return
    if isinstance(values, str) or not isinstance(values, Collection):
        raise TypeError(f"{name}: got {values!r}; it must be a list: pass {remedy}.")
    for value in values:
        check_type(name, value, expected, remedy)
