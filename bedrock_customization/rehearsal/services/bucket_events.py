"""Events of Amazon S3: what buckets that notify EventBridge publish about their objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bedrock_customization.rehearsal.aws import SimulatedAccount
from bedrock_customization.rehearsal.deployment import DeployedStack
from bedrock_customization.rehearsal.services.api import ApiCall
from bedrock_customization.rehearsal.services.event_bus import EventBus

_CREATING = ("CompleteMultipartUpload", "CopyObject", "PutObject")


class BucketEvents:
    """Publishes `Object Created` and `Object Deleted`.

    Args:
        aws: The simulated account.
        bus: Where events are published.
        partition: The partition of ARNs.

    Attributes:
        buckets: The names of the buckets that notify EventBridge.
    """

    def __init__(self, aws: SimulatedAccount, bus: EventBus, partition: str) -> None:
        self.buckets: set[str] = set()
        self._aws = aws
        self._bus = bus
        self._partition = partition

    def before(self, call: ApiCall) -> None:
        """Let every call pass."""

    def after(self, call: ApiCall, result: Any) -> None:
        """Publish what a call did to an object."""
        if call.service == "s3" and call.parameters.get("Bucket") in self.buckets:
            self.publish(call.operation, call.parameters["Bucket"], str(call.parameters.get("Key")))

    def publish(self, operation: str, bucket: str, key: str) -> None:
        """Publish what an operation did to an object; without effect for operations that change none."""
        stored: dict[str, Any] = {"key": key}
        if operation in _CREATING:
            kind, more = "Object Created", {}
            head = self._aws.forward(self._aws.client("s3"), "HeadObject", {"Bucket": bucket, "Key": key})
            stored |= {"size": head["ContentLength"], "etag": head["ETag"].strip('"')}
        elif operation == "DeleteObject":
            kind, more = "Object Deleted", {"deletion-type": "Permanently Deleted"}
        else:
            return
        number = len(self._bus.events)
        detail = {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {**stored, "sequencer": f"{number:016X}"},
            "request-id": f"{number:016X}",
            "requester": self._aws.account,
            "reason": operation,
            **more,
        }
        self._bus.put("aws.s3", kind, detail, [f"arn:{self._partition}:s3:::{bucket}"])


def notifying_buckets(stack: DeployedStack) -> Iterator[str]:
    """Give the names of a stack's buckets that notify EventBridge."""
    for template, logical_id in stack.resources("AWS::S3::Bucket"):
        properties = template.properties(logical_id, "NotificationConfiguration")
        if _notifies(properties.get("NotificationConfiguration", {})):
            yield template.reference(logical_id)
    for template, logical_id in stack.resources("Custom::S3BucketNotifications"):
        properties = template.properties(logical_id, "BucketName", "NotificationConfiguration")
        if _notifies(properties["NotificationConfiguration"]):
            yield properties["BucketName"]


def _notifies(configuration: dict[str, Any]) -> bool:
    # The template has EventBridgeEnabled, the CDK's custom resource an empty object.
    found = configuration.get("EventBridgeConfiguration")
    return found is not None and str(found.get("EventBridgeEnabled", True)).lower() == "true"
