"""The errors of the dataset function; their class names are the error names that a state machine catches."""

MAXIMUM_MESSAGE_BYTES = 6000


class InvalidInput(Exception):
    """An execution input that cannot be used: a field's name first, then what was wrong and what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(clip("\n".join(problems)))


class InvalidData(Exception):
    """Data with errors; the report with all findings is already in S3."""

    def __init__(self, message: str) -> None:
        super().__init__(clip(message))


def clip(text: str, maximum_bytes: int = MAXIMUM_MESSAGE_BYTES) -> str:
    """Shorten a text to a number of UTF-8 bytes, so that it survives as the error of a Lambda function.

    Args:
        text: Any text; lone surrogates are replaced.
        maximum_bytes: The most bytes that may be left, the note included.

    Returns:
        The text, or its beginning and a note that the rest was cut.
    """
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= maximum_bytes:
        return encoded.decode("utf-8")
    note = f"\n(cut: {len(encoded)} bytes in all)"
    return encoded[: maximum_bytes - len(note)].decode("utf-8", "ignore") + note
