import io

import pytest

from dataset.lines import CHUNK_BYTES, LineReader


def read(data: bytes, **options):
    return [(line.number, line.text, line.fault) for line in LineReader(io.BytesIO(data), **options)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a", [(1, "a", None)]),
        (b"a\n", [(1, "a", None)]),
        (b"a\r\nb\r\n", [(1, "a", None), (2, "b", None)]),
        (b"a\n\nb", [(1, "a", None), (2, "", None), (3, "b", None)]),
        ("a\u2028b\n".encode(), [(1, "a\u2028b", None)]),
        (b"a\n\xff\nb", [(1, "a", None), (2, None, "encoding"), (3, "b", None)]),
    ],
)
def test_lines_and_their_numbers(data, expected):
    assert read(data) == expected


@pytest.mark.parametrize("length", [CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_lines_that_end_around_the_end_of_a_chunk(length):
    assert [text for _, text, _ in read(b"a" * length + b"\nb\n" + b"c" * length)] == ["a" * length, "b", "c" * length]


def test_a_line_that_is_too_long_is_named_and_the_next_one_is_read():
    lines = read(b"abcdef\nabcd\n" + b"x" * (2 * CHUNK_BYTES), maximum_line_bytes=4)
    assert lines == [(1, None, "lineTooLong"), (2, "abcd", None), (3, None, "lineTooLong")]


def test_a_byte_order_mark_is_reported_and_removed():
    reader = LineReader(io.BytesIO(b"\xef\xbb\xbfa\nb\n"))
    assert [line.text for line in reader] == ["a", "b"]
    assert reader.byte_order_mark


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_reported_once(encoding):
    data = ("\ufeff" + '{"prompt": "a"}\n' * 3).encode(encoding)
    assert read(data) == [(1, None, "encoding")]
