"""Reads and writes the objects of the simulated account's buckets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from bedrock_customization.rehearsal.deployment import create_bucket
from bedrock_customization.rehearsal.services.world import World
from bedrock_customization.rehearsal.virtual_time import perform


def upload(world: World, bucket: str, key: str, content: Path | bytes | str) -> None:
    """Put an object into a bucket, which is made if there is none, and run what the bucket's event starts."""
    if isinstance(content, Path):
        content = content.read_bytes()
    body = content.encode() if isinstance(content, str) else content
    with world.aws.active():
        s3 = world.aws.client("s3")
        try:
            world.aws.forward(s3, "HeadBucket", {"Bucket": bucket})
        except ClientError:
            create_bucket(world.aws, bucket)
        world.aws.forward(s3, "PutObject", {"Bucket": bucket, "Key": key, "Body": body})
        if bucket in world.bucket_events.buckets:
            perform(world, lambda: world.bucket_events.publish("PutObject", bucket, key))


def download(world: World, bucket: str, key: str) -> bytes:
    """An object of a bucket.

    Raises:
        KeyError: There is no such object.
    """
    with world.aws.active():
        try:
            stored = world.aws.forward(world.aws.client("s3"), "GetObject", {"Bucket": bucket, "Key": key})
        except ClientError as error:
            known = ", ".join(keys(world, bucket)) or "none"
            raise KeyError(f"key: {key!r} is not in the bucket {bucket}; it has {known}") from error
        return bytes(stored["Body"].read())


def keys(world: World, bucket: str, prefix: str = "") -> Iterator[str]:
    """The keys of a bucket's objects that begin with a prefix, in their order.

    Raises:
        KeyError: There is no such bucket.
    """
    request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
    with world.aws.active():
        while True:
            try:
                page = world.aws.forward(world.aws.client("s3"), "ListObjectsV2", request)
            except ClientError as error:
                raise KeyError(f"bucket: there is no bucket {bucket}; upload an object to it first") from error
            yield from [item["Key"] for item in page.get("Contents", [])]
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]
