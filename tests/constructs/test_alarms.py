"""The alarms of a customization: what they watch and whom they tell."""

import json
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Match, Template

from bedrock_customization import CustomizationWorkflow, NotificationTopic
from tests.support import readable_definition


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack")


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """The alarms' properties, by what they watch."""
    found = [alarm["Properties"] for alarm in template.find_resources("AWS::CloudWatch::Alarm").values()]
    return {f"{alarm['Namespace']} {alarm['MetricName']}": alarm for alarm in found}


def test_what_a_notification_cannot_tell_has_an_alarm(stack: Stack) -> None:
    workflow = CustomizationWorkflow(stack, "Customization")
    found = alarms(Template.from_stack(stack))

    assert {watched.split(" ")[-1] for watched in found} == {
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ApproximateNumberOfMessagesVisible",
        "NumberOfNotificationsFailed",
        "Unnotified",
    }
    for alarm in found.values():
        assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmActions"] == [stack.resolve(workflow.topic.topic.topic_arn)]
    release = stack.resolve(workflow.release.state_machine.state_machine_arn)
    for metric in ("ExecutionsFailed", "ExecutionsTimedOut"):
        assert found[f"AWS/States {metric}"]["Dimensions"] == [{"Name": "StateMachineArn", "Value": release}]
    assert found["AWS/SQS ApproximateNumberOfMessagesVisible"]["Statistic"] == "Maximum"


def test_alarms_tell_the_topic_which_lets_them_in(stack: Stack) -> None:
    topic = NotificationTopic(stack, "Topic", encryption_key=kms.Key(stack, "Key"))
    CustomizationWorkflow(stack, "Customization", topic=topic)
    template = Template.from_stack(stack)

    for alarm in alarms(template).values():
        assert alarm["AlarmActions"] == [stack.resolve(topic.topic.topic_arn)]
    lets_in = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Condition": {
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
            "ArnEquals": {"aws:SourceArn": Match.any_value()},
        },
    }
    for resource, document, action in (
        ("AWS::SNS::TopicPolicy", "PolicyDocument", "sns:Publish"),
        ("AWS::KMS::Key", "KeyPolicy", ["kms:Decrypt", "kms:GenerateDataKey"]),
    ):
        statement = Match.object_like({**lets_in, "Action": action})
        template.has_resource_properties(resource, {document: {"Statement": Match.array_with([statement])}})


def test_alarms_do_what_they_are_told(stack: Stack) -> None:
    other = sns.Topic(stack, "Operations")
    CustomizationWorkflow(stack, "Customization", alarm_actions=[actions.SnsAction(other)])
    template = Template.from_stack(stack)
    for alarm in alarms(template).values():
        assert alarm["AlarmActions"] == [stack.resolve(other.topic_arn)]
    assert "cloudwatch.amazonaws.com" not in json.dumps(template.find_resources("AWS::SNS::TopicPolicy"))


def test_alarms_can_do_nothing(stack: Stack) -> None:
    CustomizationWorkflow(stack, "Customization", alarm_actions=[])
    for alarm in alarms(Template.from_stack(stack)).values():
        assert "AlarmActions" not in alarm


def test_an_unpublished_notification_is_counted_in_both_logs(stack: Stack) -> None:
    workflow = CustomizationWorkflow(stack, "Customization")
    template = Template.from_stack(stack)

    filters = [found["Properties"] for found in template.find_resources("AWS::Logs::MetricFilter").values()]
    assert len({json.dumps(found["LogGroupName"]) for found in filters}) == 2
    for found in filters:
        assert found["FilterPattern"] == '{ ($.type = "*StateEntered") && ($.details.name = "*Unnotified") }'
    for machine in (workflow.state_machine, workflow.release.state_machine):
        definition = json.dumps(readable_definition(template, stack.get_logical_id(machine.node.default_child)))
        assert 'Unnotified": {' in definition
    (alarm,) = [alarm for watched, alarm in alarms(template).items() if watched.endswith(" Unnotified")]
    (transformation,) = filters[0]["MetricTransformations"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (
        transformation["MetricNamespace"],
        transformation["MetricName"],
    )


def test_metrics_take_the_options_of_cloudwatch(stack: Stack) -> None:
    workflow = CustomizationWorkflow(stack, "Customization")
    assert workflow.release.metric_dead_letters(statistic="Average").statistic == "Average"
    assert workflow.metric_unnotified(label="silent").label == "silent"
    assert isinstance(workflow.topic.metric_number_of_notifications_failed(), cloudwatch.Metric)


def test_two_workflows_count_apart(stack: Stack) -> None:
    first, second = (CustomizationWorkflow(stack, name) for name in ("First", "Second"))
    assert first.metric_unnotified().namespace != second.metric_unnotified().namespace
