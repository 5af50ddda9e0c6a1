"""The S3 objects that an execution names: whether Bedrock takes their keys, whether they exist, and their contents."""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from dataset.lines import ByteStream

# From the S3Uri shape of Bedrock's API model (botocore 1.44), the part after the bucket.
_KEY = re.compile(r"[-!_*'().a-z0-9A-Z]+(?:/[-!_*'().a-z0-9A-Z]+)*/?")
_ALLOWED_CHARACTER = re.compile(r"[-!_*'().a-z0-9A-Z/]")
MAXIMUM_URI_CHARACTERS = 1024


@dataclass(frozen=True)
class S3Object:
    """An object in S3.

    Args:
        client: A boto3 S3 client.
        bucket: The bucket's name.
        key: The object's key.
    """

    client: Any
    bucket: str
    key: str

    @property
    def uri(self) -> str:
        """The object's URI."""
        return f"s3://{self.bucket}/{self.key}"

    def version(self) -> dict[str, str]:
        """Return what tells the object's present contents from others: `{"uri", "eTag", "versionId"?}`."""
        head = self.client.head_object(Bucket=self.bucket, Key=self.key)
        version = {"versionId": head["VersionId"]} if head.get("VersionId") else {}
        return {"uri": self.uri, "eTag": head["ETag"].strip('"'), **version}

    def open(self, mode: str = "rb", /) -> ByteStream:
        """Return the object's contents as a stream."""
        return self.client.get_object(Bucket=self.bucket, Key=self.key)["Body"]  # type: ignore[no-any-return]

    def write_lines(self, lines: Iterable[bytes]) -> None:
        """Write an object of any size, part by part.

        Args:
            lines: Its lines, without line ends.
        """
        # Without threads, so that no more than one part is in memory.
        config = TransferConfig(use_threads=False)
        self.client.upload_fileobj(_LineStream(iter(lines)), self.bucket, self.key, Config=config)

    def problem_with_key(self, field: str, *, for_bedrock: bool) -> str | None:
        """Say what keeps the key from being used, without looking at the bucket.

        Args:
            field: The field of the execution input that holds the key.
            for_bedrock: Whether Bedrock itself reads the object, whose API refuses many keys that S3 allows.

        Returns:
            A sentence, or None if the key can be used.
        """
        if self.key.startswith("s3://"):
            return f"{field}: {self.key!r} is a URI. Give the key only; the bucket is always {self.bucket!r}."
        if not for_bedrock:
            return None
        if len(self.uri) > MAXIMUM_URI_CHARACTERS:
            return f"{field}: the key is too long; with its bucket it may have {MAXIMUM_URI_CHARACTERS} characters."
        if _KEY.fullmatch(self.key):
            return None
        wrong = dict.fromkeys(c for c in self.key if not _ALLOWED_CHARACTER.match(c))
        reason = f"the characters {' '.join(map(repr, wrong))}" if wrong else "a '/' at its beginning or two in a row"
        return (
            f"{field}: Bedrock does not take the key {self.key!r} because of {reason}. Allowed are letters, digits and "
            "- ! _ * ' ( ) . with single '/' between them. Rename the object and give its new key."
        )

    def problem_with_existence(self, field: str) -> str | None:
        """Say what keeps the object from being read.

        Args:
            field: The field of the execution input that holds the key.

        Returns:
            A sentence, or None if the object exists and can be read.
        """
        try:
            self.client.head_object(Bucket=self.bucket, Key=self.key)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == 404:
                reason = f"there is no object {self.key!r} in the bucket {self.bucket!r}."
            elif status == 403:
                reason = f"the object {self.key!r} in the bucket {self.bucket!r} is missing or may not be read."
            else:
                raise
            closest = self._closest_key()
            remedy = f"Did you mean {closest!r}? Else upload" if closest else "Upload"
            return f"{field}: {reason} {remedy} the file there, or give the key of one that exists."
        return None

    def _closest_key(self) -> str | None:
        try:
            listing = self.client.list_objects_v2(Bucket=self.bucket, MaxKeys=1000)
        except ClientError:
            return None
        keys = [item["Key"] for item in listing.get("Contents", [])]
        return next(iter(difflib.get_close_matches(self.key, keys, n=1, cutoff=0.5)), None)


class _LineStream:
    """Presents lines as a file that is read once."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._rest = bytearray()

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._rest) < size:
            line = next(self._lines, None)
            if line is None:
                break
            self._rest += line + b"\n"
        end = len(self._rest) if size < 0 else size
        data = bytes(self._rest[:end])
        del self._rest[:end]
        return data
