"""SNS: what subscribers of the template's topics get."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from bedrock_customization.rehearsal.aws import SimulatedAccount
from bedrock_customization.rehearsal.clock import VirtualClock
from bedrock_customization.rehearsal.deployment import DeployedStack
from bedrock_customization.rehearsal.services import event_pattern
from bedrock_customization.rehearsal.services.alarms import subject_of
from bedrock_customization.rehearsal.services.api import ApiCall
from bedrock_customization.rehearsal.services.api_error import ApiError


@dataclass(frozen=True)
class Message:
    """A message that a subscriber got.

    Args:
        topic: The topic's ARN.
        protocol: How it was delivered, for example `email`.
        endpoint: To whom, for example an e-mail address.
        subject: Its subject, if it has one.
        message: Its text.
        time: When it was sent, in seconds of virtual time.
    """

    topic: str
    protocol: str
    endpoint: str
    subject: str | None
    message: str
    time: float = 0.0


@dataclass(frozen=True)
class Subscription:
    """A confirmed subscription of the template.

    Args:
        topic: The topic's ARN.
        protocol: How messages are delivered.
        endpoint: To whom.
        filter_policy: Which messages it wants; None for all.
        filter_scope: `MessageAttributes` or `MessageBody`.
        raw: Whether SQS gets the message alone.
        where: What error messages call it.
    """

    topic: str
    protocol: str
    endpoint: str
    filter_policy: dict[str, Any] | None = None
    filter_scope: str = "MessageAttributes"
    raw: bool = False
    where: str = ""


@dataclass
class Notifications:
    """Delivers what is published, and keeps it.

    Args:
        account: The simulated account.
        clock: The virtual time.
        deliver: Delivers to a Lambda function or queue that subscribes: its ARN, what it gets, and the topic's ARN.
    """

    account: SimulatedAccount
    clock: VirtualClock
    deliver: Callable[[str, Any, str], None]
    subscriptions: list[Subscription] = field(default_factory=list)
    inbox: list[Message] = field(default_factory=list)

    def knows(self, operation: str) -> bool:
        """Moto answers everything but deliveries."""
        return True

    def answer(self, call: ApiCall) -> dict[str, Any] | None:
        """Watch Publish and deliver its message; moto answers."""
        if call.operation == "Publish":
            self._check(call.parameters)
            topic = call.parameters.get("TopicArn") or call.parameters.get("TargetArn")
            client = self.account.client("sns", call.region)
            if topic:
                self._require_topic(client, topic)
                if topic.endswith(".fifo") and not call.parameters.get("MessageGroupId"):
                    needed = "The MessageGroupId parameter is required for FIFO topics"
                    raise ApiError("InvalidParameter", f"Invalid parameter: {needed}")
            try:
                result = self.account.forward(client, call.operation, call.parameters)
            except ClientError as error:
                raise ApiError.from_client(error) from error
            by_alarm = call.principal.service == "cloudwatch.amazonaws.com"
            subject = {"Subject": subject_of(call.parameters["Message"], call.region)} if by_alarm else {}
            self._deliver(topic, {**subject, **call.parameters})
            return {name: value for name, value in result.items() if name != "ResponseMetadata"}
        return None

    def _require_topic(self, client: Any, topic: str) -> None:
        try:
            self.account.forward(client, "GetTopicAttributes", {"TopicArn": topic})
        except ClientError as error:
            raise ApiError("NotFound", "Topic does not exist", 404) from error

    def _check(self, request: dict[str, Any]) -> None:
        subject = request.get("Subject")
        if subject is not None and (not 0 < len(subject) <= 100 or not subject.isprintable() or not subject.isascii()):
            raise ApiError("InvalidParameter", "Invalid parameter: Subject")
        if len(request["Message"].encode()) > 262_144:
            raise ApiError("InvalidParameter", "Invalid parameter: Message too long")
        if not request["Message"]:
            raise ApiError("InvalidParameter", "Invalid parameter: Empty message")

    def _deliver(self, topic: str | None, request: dict[str, Any]) -> None:
        if topic is None:
            phone = str(request.get("PhoneNumber"))
            self.inbox.append(Message("", "sms", phone, None, request["Message"], self.clock.seconds()))
            return
        for subscription in self.subscriptions:
            if subscription.topic == topic and _wants(subscription, request):
                text = _text_for(subscription.protocol, request)
                time = self.clock.seconds()
                message = Message(
                    topic, subscription.protocol, subscription.endpoint, request.get("Subject"), text, time
                )
                self.inbox.append(message)
                if subscription.protocol == "lambda":
                    self.deliver(subscription.endpoint, self._records(message), topic)
                if subscription.protocol == "sqs":
                    body = text if subscription.raw else json.dumps(self._records(message)["Records"][0]["Sns"])
                    self.deliver(subscription.endpoint, body, topic)

    def _records(self, message: Message) -> dict[str, Any]:
        sns: dict[str, Any] = {
            "Type": "Notification",
            "MessageId": f"00000000-0000-0000-0000-{len(self.inbox):012d}",
            "TopicArn": message.topic,
            "Subject": message.subject,
            "Message": message.message,
            "Timestamp": self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "MessageAttributes": {},
        }
        return {"Records": [{"EventVersion": "1.0", "EventSource": "aws:sns", "Sns": sns}]}


def subscriptions_of(stack: DeployedStack) -> list[Subscription]:
    """The subscriptions of a deployed stack; a rehearsal takes each as confirmed."""
    subscriptions = []
    for template, logical_id in stack.resources("AWS::SNS::Subscription"):
        properties = template.properties(logical_id)
        subscriptions.append(
            Subscription(
                properties["TopicArn"],
                properties["Protocol"],
                str(properties.get("Endpoint", "")),
                properties.get("FilterPolicy"),
                properties.get("FilterPolicyScope", "MessageAttributes"),
                properties.get("RawMessageDelivery") in (True, "true"),
                f"{template.path}: {logical_id}.Properties (AWS::SNS::Subscription)",
            )
        )
    for template, logical_id in stack.resources("AWS::SNS::Topic"):
        for inline in template.properties(logical_id, "Subscription").get("Subscription", ()):
            subscriptions.append(Subscription(template.reference(logical_id), inline["Protocol"], inline["Endpoint"]))
    return subscriptions


def _wants(subscription: Subscription, request: dict[str, Any]) -> bool:
    if not subscription.filter_policy:
        return True
    where = f"{subscription.where}.FilterPolicy"
    if subscription.filter_scope == "MessageBody":
        try:
            body = json.loads(request["Message"])
        except json.JSONDecodeError:
            return False
        return isinstance(body, dict) and event_pattern.matches(subscription.filter_policy, body, where)
    attributes = {name: value.get("StringValue") for name, value in request.get("MessageAttributes", {}).items()}
    return event_pattern.matches(subscription.filter_policy, attributes, where)


def _text_for(protocol: str, request: dict[str, Any]) -> str:
    if request.get("MessageStructure") != "json":
        return str(request["Message"])
    texts = json.loads(request["Message"])
    return str(texts.get(protocol, texts.get("default", "")))
