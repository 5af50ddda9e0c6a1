"""NotificationTopic."""

from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from bedrock_customization import CustomizationWorkflow, NotificationTopic


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack")


def test_addresses_are_subscribed_and_tls_is_enforced(stack: Stack) -> None:
    topic = NotificationTopic(stack, "Notifications", emails=["team@example.com"])
    topic.add_email("lead@example.com")
    template = Template.from_stack(stack)

    subscriptions = template.find_resources("AWS::SNS::Subscription").values()
    assert {subscription["Properties"]["Endpoint"] for subscription in subscriptions} == {
        "team@example.com",
        "lead@example.com",
    }
    assert {subscription["Properties"]["Protocol"] for subscription in subscriptions} == {"email"}
    (policy,) = template.find_resources("AWS::SNS::TopicPolicy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_an_existing_topic_is_used(stack: Stack) -> None:
    existing = sns.Topic(stack, "Existing")
    assert NotificationTopic(stack, "Notifications", topic=existing).topic is existing


@pytest.mark.parametrize("email", ["team", "team@", "team@example", "a b@example.com"])
def test_an_address_that_is_none_is_refused(stack: Stack, email: str) -> None:
    with pytest.raises(ValueError, match=r"^email: got "):
        NotificationTopic(stack, "Notifications", emails=[email])


@pytest.mark.parametrize("existing", [False, True])
def test_an_address_is_subscribed_once(stack: Stack, existing: bool) -> None:
    arn = "arn:aws:sns:us-east-1:123456789012:team"
    topic = sns.Topic.from_topic_arn(stack, "Existing", arn) if existing else None
    with pytest.raises(ValueError, match=r"^email: got 'team@example.com' twice; subscribe each address once"):
        NotificationTopic(stack, "Notifications", topic=topic, emails=["team@example.com", "team@example.com"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"emails": "team@example.com"}, r"^emails: got 'team@example.com'; it must be a list: pass \["),
        ({"emails": [5]}, r"^emails: got 5; it must be of type str"),
        ({"topic": "team"}, r"^topic: got 'team'; pass a NotificationTopic, or a topic of SNS"),
        ({"topic": sns.Topic}, r"^topic: got <class .*; pass a NotificationTopic, or a topic of SNS"),
        ({"encryption_key": "alias/team"}, r"^encryption_key: got 'alias/team'; it must be of type kms.IKey"),
    ],
)
def test_arguments_of_another_type_are_named(stack: Stack, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        NotificationTopic(stack, "Notifications", **arguments)


def test_a_key_for_an_existing_topic_is_refused(stack: Stack) -> None:
    with pytest.raises(ValueError, match=r"^encryption_key: "):
        NotificationTopic(
            stack, "Notifications", topic=sns.Topic(stack, "Existing"), encryption_key=kms.Key(stack, "Key")
        )


@pytest.mark.parametrize("imported", [False, True])
def test_a_fifo_topic_is_refused(stack: Stack, imported: bool) -> None:
    """It takes no message without a group, and no mail address can subscribe."""
    arn = "arn:aws:sns:us-east-1:123456789012:team.fifo"
    topic = sns.Topic.from_topic_arn(stack, "Team", arn) if imported else sns.Topic(stack, "Team", fifo=True)
    with pytest.raises(ValueError, match=r"^topic: got a FIFO topic; it must be a standard topic.*without fifo=True"):
        CustomizationWorkflow(stack, "Customization", topic=topic)
