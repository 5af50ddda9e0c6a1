"""What S3 remembers of objects and uploads, which later requests do not say again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Head = Callable[[dict[str, Any]], Mapping[str, Any] | None]
"""Gives what HeadObject answers about an object (its bucket, key and perhaps version), or None if there is none."""

_OF_THE_UPLOAD = ("ACL", "BucketKeyEnabled", "SSEKMSKeyId", "ServerSideEncryption", "StorageClass")
_NAMES = ("Bucket", "Key", "VersionId")


def _as_the_bucket_says(request: dict[str, Any]) -> Mapping[str, Any]:
    return {}


@dataclass
class Objects:
    """The objects of the account's buckets.

    Args:
        head: Gives what is stored of an object.
    """

    head: Head = _as_the_bucket_says
    _uploads: dict[str, dict[str, Any]] = field(default_factory=dict)

    def stored(self, request: dict[str, Any]) -> Mapping[str, Any] | None:
        """What HeadObject answers about the object that a request names, or None if there is none."""
        return self.head({name: request[name] for name in _NAMES if request.get(name) is not None})

    def begin_upload(self, upload_id: str, request: dict[str, Any]) -> None:
        """Remember what the request says that began a multipart upload."""
        self._uploads[upload_id] = {name: request[name] for name in _OF_THE_UPLOAD if name in request}

    def of_upload(self, upload_id: str | None) -> dict[str, Any]:
        """What the request said that began a multipart upload; it counts for each of its parts as well."""
        return self._uploads.get(upload_id or "", {})
