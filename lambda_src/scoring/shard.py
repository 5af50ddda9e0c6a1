"""Reads the rows of a shard from S3 while earlier ones are being scored."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError, ResponseStreamingError

from scoring.errors import InvalidInput

BLOCK_BYTES = 4 * 1024 * 1024
BYTES_BEHIND_END = 64 * 1024
ATTEMPTS = 4


@dataclass(frozen=True)
class Line:
    """A line of the object: its bytes without the line feed, and where it begins."""

    start: int
    content: bytes

    @property
    def end(self) -> int:
        """Where the next line begins."""
        return self.start + len(self.content) + 1


class Shard:
    """The lines of an object whose first byte lies in [start, end).

    Consecutive ranges thus share out an object's lines without a gap or an overlap, wherever the ranges' bounds fall.
    The byte before `start` is read too: if it ends a line, the next line begins exactly at `start` and belongs to this
    shard.
    """

    def __init__(self, client: Any, bucket: str, key: str, start: int, end: int) -> None:
        """Name the shard; nothing is read yet.

        Args:
            client: An S3 client.
            bucket: The object's bucket.
            key: The object's key.
            start: The range's first byte.
            end: The byte behind the range's last one; it may lie behind the object's end.
        """
        self._client, self._bucket, self._key = client, bucket, key
        self.start, self.end = start, end

    def lines(self) -> Iterator[Line]:
        """Read the shard; `end` is corrected if the object is shorter.

        Yields:
            The lines that are not blank; the last one may end behind the shard, or at the object's end without line
            feed.

        Raises:
            InvalidInput: the object does not exist.
        """
        position = max(self.start - 1, 0)
        first_is_ours = self.start == 0
        pending = b""
        with ThreadPoolExecutor(max_workers=1) as reader:
            block = reader.submit(self._read, position)
            while position < self.end and (data := block.result()):
                block = reader.submit(self._read, position + len(pending) + len(data))
                *lines, pending = (pending + data).split(b"\n")
                for content in lines:
                    line = Line(position, content)
                    if first_is_ours and content.strip() and position < self.end:
                        yield line
                    first_is_ours = True
                    position = line.end
        if first_is_ours and pending.strip() and position < self.end:
            yield Line(position, pending)

    def _read(self, start: int) -> bytes:
        size = min(BLOCK_BYTES, max(self.end - start, BYTES_BEHIND_END))
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._client.get_object(
                    Bucket=self._bucket, Key=self._key, Range=f"bytes={start}-{start + size - 1}"
                )
                self.end = min(self.end, int(answer["ContentRange"].rpartition("/")[2]))
                content: bytes = answer["Body"].read()
                return content
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "InvalidRange":
                    return b""
                if code == "NoSuchKey":
                    raise InvalidInput(
                        f"shard.key: {self._key} does not exist in bucket {self._bucket}; "
                        "give the key of a file of responses."
                    ) from None
                raise
            except (ReadTimeoutError, ResponseStreamingError):
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("unreachable")
