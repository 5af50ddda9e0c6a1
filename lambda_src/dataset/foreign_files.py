"""Files that are no JSON lines at all, told by their first bytes, so that one finding names the mistake."""

import re

_COMPRESSED = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"PK\x03\x04", "ZIP, as archives and Excel files are"),
    (b"PAR1", "Parquet"),
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_COLUMN = re.compile(r'"?[^\W\d][\w .-]{0,40}"?')
_SEPARATORS = re.compile(r"[,;\t|]")


def foreign_file(first: bytes) -> tuple[str, str] | None:
    """Return the kind of finding and what the file is, if its first line that is not blank shows that.

    Args:
        first: The beginning of that line, without a byte order mark of UTF-8.
    """
    for magic, name in _COMPRESSED:
        if first.startswith(magic):
            return "notText", f"the file is packed: {name}"
    if first.startswith(_UTF16) or first.lstrip(b"\0\t\n\r ").startswith((b"{\0", b"[\0")):
        return "encoding", "the file is UTF-16"
    begin = first.strip()
    if begin.startswith(b"["):
        return "jsonArray", "the file is one JSON array"
    if begin == b"{":
        return "prettyPrinted", "the first object is spread over several lines"
    if columns := _columns(begin):
        return "csv", f"the file is a table with the columns {', '.join(columns)}"
    return None


def _columns(line: bytes) -> list[str]:
    """Return the names in the head of a table, or none if the line is no such head."""
    text = line[:2000].decode("utf-8", "replace")
    fields = _SEPARATORS.split(text)
    named = len(fields) > 1 and all(_COLUMN.fullmatch(field.strip()) for field in fields)
    return [field.strip().strip('"') for field in fields[:6]] if named else []
