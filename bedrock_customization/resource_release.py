"""ResourceRelease: the machine that releases what a run paid for, and the rule that starts it when a run breaks."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization import permissions
from bedrock_customization.acknowledgements import acknowledge
from bedrock_customization.data_bucket import grant_decrypt, grant_encrypt
from bedrock_customization.notification_topic import NotificationTopic
from bedrock_customization.options import Commitment
from bedrock_customization.states.release_run import release_one_run
from bedrock_customization.states.sweep import sweep
from bedrock_customization.workflow_machine import WorkflowMachine

# How many sweeps look again whether a run that ended badly was released and reported.
SWEEPS_OF_A_RUN = 4


class ResourceRelease(Construct):
    """A state machine that stops jobs and deletes deployments and provisioned throughput of a run.

    It finds them by their names, which end with the run's id, deletes only what carries the workflow's tag, leaves
    alone what was promoted, and looks again until nothing is left. It is idempotent, and used in three ways: a run
    calls it at its end; a rule starts it when a run FAILED, TIMED_OUT or was ABORTED, for what the run could not do
    itself; a schedule starts it for what was missed all the same. It notifies for a run that failed, once.

    Input of a call: `{"runId", "name", "executionArn", "keep": ["<resource ARN>"], "deleteModels", "failure",
    "redriveCount"}`, the failure being `{"error", "cause"}` or null. The rule hands over `{"executionArn"}`, the
    schedule `{"sweep": {"stateMachineArn", "endedWithinSeconds"}}`, which starts one execution more for each run that
    it finds.

    Output: `{"runs": [{"runId", "released": [{"kind", "name", "arn"}], "kept": [...], "unreleased": [...],
    "unlisted"}]}`; of a sweep `{"runs": [], "started": ["<execution ARN>"]}`. A call without a failure gets what is
    still there after three hours as `unreleased`, with the `problem` of each.

    Errors: `ReleaseTimedOut` when something is still there after three hours; `SweepFailed` when a sweep could not
    look everywhere.

    Attributes:
        state_machine: The state machine.
        log_group: Where it logs.
        dead_letter_queue: Events that could not start it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workflow_tag: str,
        results_bucket: s3.IBucket,
        topic: NotificationTopic,
        parameter: ssm.IStringParameter,
        commitment: Commitment | None,
        encryption_key: kms.IKey | None,
        log_execution_data: bool,
    ) -> None:
        """Creates the state machine.

        Args:
            scope: The construct that holds this one.
            construct_id: Its id.
            workflow_tag: The tag of what may be deleted.
            results_bucket: Where the notification is written.
            topic: Where the notification goes.
            parameter: The parameter of the current model, for the notification.
            commitment: The term that provisioned throughput is bought for, for the notification.
            encryption_key: The key of the log.
            log_execution_data: Whether inputs and outputs of states are logged.
        """
        super().__init__(scope, construct_id)
        machine = WorkflowMachine(
            self,
            "Machine",
            start=self._states(topic, results_bucket, workflow_tag, parameter, commitment),
            comment="Releases what a run paid for",
            timeout=Duration.hours(12),
            statements=[
                *permissions.release(workflow_tag),
                *permissions.write_objects(results_bucket, "runs/*/notification*.json"),
                *permissions.read_objects(results_bucket, "runs/*/notification*.json"),
                *permissions.read_current_model(parameter),
            ],
            encryption_key=encryption_key,
            log_execution_data=log_execution_data,
        )
        self.state_machine: sfn.StateMachine = machine.state_machine
        self.log_group = machine.log_group
        self._role = machine.role
        topic.grant_publish(machine.role)
        grant_decrypt(results_bucket, machine.role)
        grant_encrypt(results_bucket, machine.role)
        # With a key of the user's, EventBridge would need an entry in the key's policy that cannot be limited to this
        # account, and with an imported key dead letters would be lost in silence.
        self.dead_letter_queue = sqs.Queue(
            self,
            "DeadLetters",
            enforce_ssl=True,
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
        )
        acknowledge(self.dead_letter_queue, {"SQS3": "It is the dead-letter queue itself, of two rules"})
        self._rule_role = iam.Role(self, "RuleRole", assumed_by=permissions.trust_for("events", "rule/*"))

    def watch(self, machine: sfn.StateMachine, *, sweep_interval: Duration) -> None:
        """Starts the release for every execution of a machine that FAILED, TIMED_OUT or was ABORTED.

        EventBridge loses an event now and then, and a release can break too. So a schedule looks for what was missed:
        what is still paid for, and the runs that ended badly since some sweeps ago, whose message may be missing.

        Args:
            machine: The machine to watch.
            sweep_interval: The time between two looks.
        """
        permissions.attach(
            self,
            "DescribeRuns",
            self._role,
            [
                *permissions.describe_executions(machine, self),
                *permissions.describe_executions(self.state_machine, self),
                *permissions.list_executions(machine),
                *permissions.start_another_execution(self.state_machine),
            ],
        )
        execution_arn = events.EventField.from_path("$.detail.executionArn")
        events.Rule(
            self,
            "RunEndedBadly",
            description="Releases what a broken run paid for",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"stateMachineArn": [machine.state_machine_arn], "status": ["FAILED", "TIMED_OUT", "ABORTED"]},
            ),
            # Without the run's input and output, which can make an event larger than an input may be.
            targets=[self._target(events.RuleTargetInput.from_object({"executionArn": execution_arn}))],
        )
        ended_within = SWEEPS_OF_A_RUN * sweep_interval.to_seconds()
        # The machine's ARN is not in the definition: the machine starts this one, so its definition has this one's ARN.
        sweep_input = {"sweep": {"stateMachineArn": machine.state_machine_arn, "endedWithinSeconds": ended_within}}
        events.Rule(
            self,
            "Sweep",
            description="Releases what was missed",
            schedule=events.Schedule.rate(sweep_interval),
            targets=[self._target(events.RuleTargetInput.from_object(sweep_input))],
        )

    def metric_failed(self, **options: Any) -> cloudwatch.Metric:
        """How many releases failed, so that something may still be billed.

        Args:
            **options: The metric's options, as in `cloudwatch.MetricOptions`.
        """
        return self.state_machine.metric_failed(**options)

    def metric_timed_out(self, **options: Any) -> cloudwatch.Metric:
        """How many releases took longer than they may.

        Args:
            **options: The metric's options, as in `cloudwatch.MetricOptions`.
        """
        return self.state_machine.metric_timed_out(**options)

    def metric_dead_letters(self, **options: Any) -> cloudwatch.Metric:
        """How many events that could not start the release lie in the dead-letter queue.

        Args:
            **options: The metric's options, as in `cloudwatch.MetricOptions`; the statistic is the maximum by default.
        """
        return self.dead_letter_queue.metric_approximate_number_of_messages_visible(
            **{"statistic": cloudwatch.Stats.MAXIMUM, **options}
        )

    def _target(self, target_input: events.RuleTargetInput) -> targets.SfnStateMachine:
        return targets.SfnStateMachine(
            self.state_machine,
            input=target_input,
            dead_letter_queue=self.dead_letter_queue,
            max_event_age=Duration.hours(24),
            retry_attempts=185,
            role=self._rule_role,
        )

    def _states(
        self,
        topic: NotificationTopic,
        results_bucket: s3.IBucket,
        workflow_tag: str,
        parameter: ssm.IStringParameter,
        commitment: Commitment | None,
    ) -> sfn.IChainable:
        states = Construct(self, "States")
        prepare = sfn.Pass.jsonata(states, "Prepare", assign={"problems": [], "paid": [], "paidToken": "{% null %}"})
        return prepare.next(
            sfn.Choice.jsonata(states, "IsSweep")
            .when(sfn.Condition.jsonata("{% $exists($states.input.sweep) %}"), sweep(states, workflow_tag=workflow_tag))
            .otherwise(
                release_one_run(
                    states,
                    topic_arn=topic.topic.topic_arn,
                    results_bucket=results_bucket.bucket_name,
                    parameter=parameter,
                    commitment=commitment,
                )
            )
        )
