"""Reads JSONL from a stream of any size, one line at a time, in bounded memory."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from dataset.foreign_files import foreign_file

CHUNK_BYTES = 1 << 20
MAXIMUM_LINE_BYTES = 8 << 20
"""Longer lines are not kept in memory; the largest record that any Bedrock model trains on is far smaller."""
BEGINNING_BYTES = 2000


class ByteStream(Protocol):
    """An open binary file, or the body of an S3 object."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, and none at the end."""
        ...


@dataclass(frozen=True)
class Line:
    """One line of a file.

    Args:
        number: Its number, from 1.
        text: Its text without the line end, or None if it could not be read.
        fault: The kind of finding that kept it from being read, or None.
        detail: What was wrong, in words.
    """

    number: int
    text: str | None
    fault: str | None = None
    detail: str = ""


@dataclass
class LineReader:
    """Iterates over the lines of a stream; LF or CR LF ends a line, the last line may have no end.

    Args:
        stream: Where the bytes come from.
        maximum_line_bytes: Longer lines are reported and skipped.
    """

    stream: ByteStream
    maximum_line_bytes: int = MAXIMUM_LINE_BYTES
    byte_order_mark: bool = False
    """Whether the stream began with a UTF-8 byte order mark; known after the first line."""

    def __iter__(self) -> Iterator[Line]:
        """Yield every line, the unreadable ones with their fault; a file that is no JSONL has one such line."""
        begun = False
        for number, (raw, complete) in enumerate(self._raw_lines(), start=1):
            if number == 1 and raw.startswith(codecs.BOM_UTF8):
                self.byte_order_mark = True
                raw = raw.removeprefix(codecs.BOM_UTF8)
            if not begun and raw.strip():
                begun = True
                if foreign := foreign_file(raw):
                    yield Line(number, None, *foreign)
                    return
            yield self._decode(number, raw, complete)

    def _decode(self, number: int, raw: bytes, complete: bool) -> Line:
        if not complete:
            return Line(number, None, "lineTooLong", f"longer than {self.maximum_line_bytes} bytes")
        try:
            return Line(number, raw.removesuffix(b"\r").decode("utf-8"))
        except UnicodeDecodeError as error:
            return Line(number, None, "encoding", f"byte {error.start + 1}, {raw[error.start]:#04x}, is not UTF-8")

    def _raw_lines(self) -> Iterator[tuple[bytes, bool]]:
        """Yield every line and whether it is complete; of one that is too long, only the beginning is kept."""
        pending: list[bytes] = []
        length = 0
        while chunk := self.stream.read(CHUNK_BYTES):
            start = 0
            while (end := chunk.find(b"\n", start)) >= 0:
                length += end - start
                yield self._line([*pending, chunk[start:end]], length)
                pending, length, start = [], 0, end + 1
            length += len(chunk) - start
            if start < len(chunk):
                pending.append(chunk[start:])
            if length > self.maximum_line_bytes:
                pending = [self._line(pending, length)[0]]
        if length:
            yield self._line(pending, length)

    def _line(self, parts: list[bytes], length: int) -> tuple[bytes, bool]:
        complete = length <= self.maximum_line_bytes
        return (b"".join(parts), True) if complete else (parts[0][:BEGINNING_BYTES], False)
