"""The checks of numbers that several options share."""


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
