"""CloudWatch alarms, raised by hand, tell whom the template says, if its policies let them."""

import json
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions

from bedrock_customization.rehearsal import Rehearsal


def alarm(folder: Path, *, lets_in: bool, **options: bool) -> cloudwatch.Alarm:
    stack = Stack(App(outdir=str(folder / "cdk.out")), "Team")
    topic = sns.Topic(stack, "Topic", enforce_ssl=True)
    topic.add_subscription(subscriptions.EmailSubscription("team@example.com"))
    if lets_in:
        topic.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
    metric = cloudwatch.Metric(namespace="Team", metric_name="Failures")
    found = metric.create_alarm(stack, "Alarm", threshold=1, evaluation_periods=1, alarm_description="Look.", **options)
    found.add_alarm_action(actions.SnsAction(topic))
    return found


def test_an_alarm_tells_its_topic(tmp_path: Path) -> None:
    raised = alarm(tmp_path, lets_in=True)
    rehearsal = Rehearsal.from_stack(Stack.of(raised))
    rehearsal.raise_alarm(raised)
    (message,) = rehearsal.inbox
    told = json.loads(message.message)
    assert (message.endpoint, told["NewStateValue"], told["AlarmDescription"]) == ("team@example.com", "ALARM", "Look.")
    assert message.subject == f'ALARM: "{told["AlarmName"]}" in US East (N. Virginia)'


def test_a_topic_that_does_not_let_alarms_in_is_not_told(tmp_path: Path) -> None:
    raised = alarm(tmp_path, lets_in=False)
    rehearsal = Rehearsal.from_stack(Stack.of(raised))
    rehearsal.raise_alarm("Alarm")
    assert rehearsal.inbox == []
    (undelivered,) = rehearsal.undelivered
    assert "cloudwatch.amazonaws.com is not authorized to perform: sns:Publish" in undelivered


def test_an_alarm_whose_actions_are_off_tells_nobody(tmp_path: Path) -> None:
    raised = alarm(tmp_path, lets_in=True, actions_enabled=False)
    rehearsal = Rehearsal.from_stack(Stack.of(raised))
    rehearsal.raise_alarm(raised)
    assert rehearsal.inbox == rehearsal.undelivered == []


def test_an_alarm_that_is_not_there_is_named(tmp_path: Path) -> None:
    rehearsal = Rehearsal.from_stack(Stack.of(alarm(tmp_path, lets_in=True)))
    with pytest.raises(KeyError, match=r"alarm: there is no alarm 'Alarum'; there are Team-Alarm"):
        rehearsal.raise_alarm("Alarum")
