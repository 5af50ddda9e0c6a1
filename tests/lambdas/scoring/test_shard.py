"""A shard's lines, at every possible boundary."""

import io
import threading

import pytest
from botocore.exceptions import ClientError, ResponseStreamingError

from scoring.shard import Shard

LINES = ["ä" * 3, "b", "", "💶 c", "d\r", "  ", "last"]


class OneObject:
    """Answers ranged reads of one object as S3 does; the first `failures` bodies break off."""

    def __init__(self, content: bytes, failures: int = 0) -> None:
        self.content, self.failures = content, failures

    def get_object(self, Bucket: str, Key: str, Range: str) -> dict[str, object]:
        first, last = map(int, Range.removeprefix("bytes=").split("-"))
        if first >= len(self.content):
            raise ClientError({"Error": {"Code": "InvalidRange"}}, "GetObject")
        body = io.BytesIO(self.content[first : last + 1])
        if self.failures:
            self.failures -= 1
            body = BrokenBody()
        return {"Body": body, "ContentRange": f"bytes {first}-{last}/{len(self.content)}"}


class BrokenBody(io.BytesIO):
    def read(self, *_):
        raise ResponseStreamingError(error="connection reset")


def lines(client, start, end):
    return list(Shard(client, "results", "lines", start, end).lines())


@pytest.mark.parametrize("ending", ("", "\n"))
@pytest.mark.parametrize("block", (1, 3, 1000))
def test_any_split_covers_each_line_exactly_once(ending, block, monkeypatch):
    monkeypatch.setattr("scoring.shard.BLOCK_BYTES", block)
    monkeypatch.setattr("scoring.shard.BYTES_BEHIND_END", block)
    content = ("\n".join(LINES) + ending).encode()
    client = OneObject(content)
    whole = [line.encode() for line in LINES if line.strip()]
    bounds = range(0, len(content) + 1, 1 if block == 1000 else 3)
    for middle in bounds:
        for next_bound in bounds[bounds.index(middle) :]:
            ranges = [(0, middle), (middle, next_bound), (next_bound, len(content) + 10)]
            shards = [lines(client, *one) for one in ranges]
            assert [line.content for shard in shards for line in shard] == whole, ranges
            for (start, end), shard in zip(ranges, shards, strict=True):
                assert all(start <= line.start < end for line in shard)
                assert all(content[line.start :].startswith(line.content) for line in shard)


def test_a_shard_knows_the_objects_end():
    shard = Shard(OneObject(b"a\nb\n"), "results", "lines", 0, 1000)
    assert [line.content for line in shard.lines()] == [b"a", b"b"]
    assert shard.end == 4


def test_a_body_that_breaks_off_is_read_again():
    assert [line.content for line in lines(OneObject(b"a\nb", failures=3), 0, 10)] == [b"a", b"b"]
    with pytest.raises(ResponseStreamingError):
        lines(OneObject(b"a\nb", failures=8), 0, 10)


def test_the_next_block_is_read_while_lines_are_being_scored(monkeypatch):
    class Watched(OneObject):
        second_read = threading.Event()

        def get_object(self, Range, **names):
            if not Range.startswith("bytes=0-"):
                self.second_read.set()
            return super().get_object(Range=Range, **names)

    monkeypatch.setattr("scoring.shard.BLOCK_BYTES", 4)
    read = Shard(Watched(b"aaa\nbbb\nccc\n"), "results", "lines", 0, 12).lines()

    assert next(read).content == b"aaa"  # and no other line is asked for
    assert Watched.second_read.wait(timeout=30)
    assert [line.content for line in read] == [b"bbb", b"ccc"]
