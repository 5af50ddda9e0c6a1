"""NotificationTopic: where a workflow tells people what happened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from aws_cdk import Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from bedrock_customization import permissions
from bedrock_customization.argument_checks import check_list
from bedrock_customization.workflow_arguments import check_arguments


class NotificationTopic(Construct):
    """An SNS topic with e-mail subscribers that accepts TLS only.

    Every subscriber gets a mail from AWS and has to confirm within two days; until then nothing reaches the address.

    Attributes:
        topic: The topic.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        emails: Sequence[str] = (),
        topic: sns.ITopic | None = None,
        encryption_key: kms.IKey | None = None,
    ) -> None:
        """Creates the topic, or takes an existing one, and subscribes the addresses.

        Args:
            scope: The construct that holds this one.
            construct_id: Its id.
            emails: Addresses to subscribe; none by default.
            topic: An existing standard topic to use; by default one is created.
            encryption_key: The key of the created topic; by default messages are not encrypted at rest with a key of
                yours.

        Raises:
            TypeError: An argument has another type.
            ValueError: An address is not one or is there twice, a key is given for an existing topic, or the topic is
                a FIFO topic.
        """
        super().__init__(scope, construct_id)
        check_list("emails", emails, str, '["team@example.com"]')
        check_arguments(encryption_key=encryption_key)
        _check_topic(topic)
        if topic is not None and encryption_key is not None:
            raise ValueError(
                "encryption_key: got a key and a topic; the key of an existing topic is set on that topic."
            )
        if getattr(topic, "fifo", False):
            raise ValueError(
                "topic: got a FIFO topic; it must be a standard topic: a FIFO topic takes no e-mail subscribers and no "
                "alarms, and no message without a group. Pass sns.Topic(...) without fifo=True, or leave topic out."
            )
        self.topic: sns.ITopic = topic or sns.Topic(
            self, "Topic", enforce_ssl=True, master_key=encryption_key, display_name="Bedrock customization"
        )
        for email in emails or ():
            self.add_email(email)

    def add_email(self, email: str) -> None:
        """Subscribes an address.

        Args:
            email: The address.

        Raises:
            ValueError: It is not an address, or it is subscribed already.
        """
        if not Token.is_unresolved(email) and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
            raise ValueError(f"email: got {email!r}; it must be an e-mail address such as team@example.com.")
        if self.topic.node.try_find_child(email) is not None:
            raise ValueError(f"email: got {email!r} twice; subscribe each address once.")
        self.topic.add_subscription(subscriptions.EmailSubscription(email))

    def grant_publish(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets somebody publish, with the topic's key where it has one.

        Args:
            grantee: Who may publish.
        """
        publish = iam.Grant.add_to_principal_or_resource(
            grantee=grantee, actions=["sns:Publish"], resource_arns=[self.topic.topic_arn], resource=self.topic
        )
        key = self.topic.master_key
        return publish if key is None else publish.combine(key.grant(grantee, "kms:Decrypt", "kms:GenerateDataKey"))

    def allow_alarms(self) -> None:
        """Lets the CloudWatch alarms of this account and Region publish, with the topic's key where it has one."""
        self.topic.add_to_resource_policy(permissions.publish_alarms(self.topic))
        if self.topic.master_key is not None:
            self.topic.master_key.add_to_resource_policy(permissions.encrypt_alarms())

    def metric_number_of_notifications_failed(self, **options: Any) -> cloudwatch.Metric:
        """How many notifications could not be delivered.

        Args:
            **options: The metric's options, as in `cloudwatch.MetricOptions`.
        """
        return self.topic.metric_number_of_notifications_failed(**options)


def notification_topic_or_new(
    scope: Construct,
    construct_id: str,
    topic: NotificationTopic | sns.ITopic | None,
    encryption_key: kms.IKey | None,
) -> NotificationTopic:
    """The given topic, or a new one without subscribers.

    Args:
        scope: The construct that holds a new one.
        construct_id: Its id.
        topic: An existing topic, of this library or of SNS.
        encryption_key: The key of a new topic.

    Raises:
        TypeError: What was given is no topic.
        ValueError: It is a FIFO topic.
    """
    if isinstance(topic, NotificationTopic):
        return topic
    _check_topic(topic)
    return NotificationTopic(scope, construct_id, topic=topic, encryption_key=None if topic else encryption_key)


def _check_topic(topic: object) -> None:
    if isinstance(topic, type) or (topic is not None and not hasattr(topic, "topic_arn")):
        raise TypeError(
            f"topic: got {topic!r}; pass a NotificationTopic, or a topic of SNS such as sns.Topic.from_topic_arn(...)."
        )
