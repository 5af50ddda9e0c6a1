"""The error that a simulated AWS API answers with."""

from __future__ import annotations

from typing import Any, Self

from botocore.exceptions import ClientError


class ApiError(Exception):
    """An error that an AWS API answers with.

    Args:
        code: The error's name in the API model, for example `ConflictException`.
        message: What the service says.
        status: The HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status

    @classmethod
    def from_client(cls, error: ClientError) -> Self:
        """The error that a boto3 client raised."""
        response: Any = error.response
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        return cls(response["Error"].get("Code", "Unknown"), response["Error"].get("Message", ""), status)
