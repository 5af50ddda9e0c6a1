"""WorkflowAlarms: what nobody would hear of otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from constructs import Construct

from bedrock_customization.notification_topic import NotificationTopic
from bedrock_customization.resource_release import ResourceRelease
from bedrock_customization.states.notification import UNNOTIFIED


class WorkflowAlarms(Construct):
    """Alarms for what a customization's own notification cannot tell: that releasing or notifying failed.

    A run that failed has no alarm, because it notifies by itself; `CustomizationWorkflow.metric_failed` is there for
    whoever wants one. Each alarm goes off at the first occurrence within five minutes, and missing data are fine.

    Attributes:
        release_failed: A release failed, so that something may still be billed.
        release_timed_out: A release took longer than it may.
        dead_letters: A rule or schedule could not start the release; its event lies in the queue.
        notifications_failed: SNS could not deliver a notification to a subscriber.
        unnotified: A run ended and its notification could not be published.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        release: ResourceRelease,
        topic: NotificationTopic,
        log_groups: Sequence[logs.ILogGroup],
        namespace: str,
        alarm_actions: Sequence[cloudwatch.IAlarmAction] | None,
    ) -> None:
        """Creates the alarms.

        Args:
            scope: The construct that holds this one.
            construct_id: Its id.
            release: What releases resources.
            topic: Where notifications go.
            log_groups: The logs of the state machines that notify.
            namespace: The namespace of the metric that is made from them.
            alarm_actions: What an alarm does; by default it tells the topic.
        """
        super().__init__(scope, construct_id)
        if alarm_actions is None:
            topic.allow_alarms()
            alarm_actions = [actions.SnsAction(topic.topic)]
        self._actions = list(alarm_actions)
        self._namespace = namespace
        for number, log_group in enumerate(log_groups, start=1):
            self._count_unnotified(f"CountUnnotified{number}", log_group)
        self.release_failed = self._alarm(
            "ReleaseFailed",
            release.metric_failed(),
            "Bedrock resources could not be released, or a sweep could not look for them everywhere, so that they may "
            "still be billed; see the release machine's last failed execution.",
        )
        self.release_timed_out = self._alarm(
            "ReleaseTimedOut",
            release.metric_timed_out(),
            "Releasing the Bedrock resources of a run took too long; they may still be billed.",
        )
        self.dead_letters = self._alarm(
            "DeadLetters",
            release.metric_dead_letters(),
            "An event could not start the release of Bedrock resources; the dead-letter queue has it, and the next "
            "scheduled release makes up for it.",
        )
        self.notifications_failed = self._alarm(
            "NotificationsFailed",
            topic.metric_number_of_notifications_failed(),
            "SNS could not deliver a notification; check the topic's subscriptions.",
        )
        self.unnotified = self._alarm(
            "Unnotified",
            self.metric_unnotified(),
            "A customization ended and its notification could not be published; notification.json in the results "
            "bucket has it.",
        )

    def metric_unnotified(self, **options: Any) -> cloudwatch.Metric:
        """How many runs ended whose notification could not be published.

        Args:
            **options: The metric's options, as in `cloudwatch.MetricOptions`; the statistic is the sum by default.
        """
        named = {"namespace": self._namespace, "metric_name": "Unnotified", "statistic": cloudwatch.Stats.SUM}
        return cloudwatch.Metric(**{**named, **options})

    def _count_unnotified(self, construct_id: str, log_group: logs.ILogGroup) -> None:
        """Counts in a state machine's log how often the state was entered that follows a failed publication."""
        logs.MetricFilter(
            self,
            construct_id,
            log_group=log_group,
            metric_namespace=self._namespace,
            metric_name="Unnotified",
            filter_pattern=logs.FilterPattern.all(
                logs.FilterPattern.string_value("$.type", "=", "*StateEntered"),
                logs.FilterPattern.string_value("$.details.name", "=", f"*{UNNOTIFIED}"),
            ),
        )

    def _alarm(self, construct_id: str, metric: cloudwatch.Metric, description: str) -> cloudwatch.Alarm:
        alarm = metric.create_alarm(
            self,
            construct_id,
            alarm_description=description,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(*self._actions)
        return alarm
