"""CustomizationWorkflow: trains candidates, serves and evaluates them, keeps the one that is really better."""

from __future__ import annotations

from typing import Any

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization import permissions
from bedrock_customization.assets import FunctionImage
from bedrock_customization.data_bucket import data_bucket_or_new, grant_key
from bedrock_customization.evaluation_workflow import EvaluationWorkflow
from bedrock_customization.notification_topic import NotificationTopic
from bedrock_customization.options import Inference, QualityGate, Serving, ServingMode
from bedrock_customization.resource_release import ResourceRelease
from bedrock_customization.states.attempt import attempt, check_data, evaluate_served
from bedrock_customization.states.candidate import train_and_serve
from bedrock_customization.states.ending import (
    OUTPUT,
    RELEASE_FAILURE,
    act_on_verdict,
    fail_with_first_error,
    prepare_run,
    release_run,
)
from bedrock_customization.states.notification import (
    compose_message,
    first_error,
    publish_notification,
    write_notification,
)
from bedrock_customization.states.promotion import promote
from bedrock_customization.tags import resource_tags, workflow_tag_value
from bedrock_customization.workflow_machine import WorkflowMachine


class CustomizationWorkflow(Construct):
    """A state machine that customizes a Bedrock model and keeps the custom model only if it is really better.

    ```
    CheckData        input, data and hyperparameters, before anything is paid for
    TrainCandidates  two at a time: train, then serve and wait until ready
    Evaluate         EvaluationWorkflow asks base and custom models the same records
    QualityGate      BETTER: promote the winner. Else: keep nothing
    Release          stops and deletes whatever the run paid for, except the winner
    Notify           one message for people; JSON beside it for programs
    on failure       release everything, notify, fail with the first error
    ```

    Input: `{"baseModelIdentifier", "customModelName", "trainingDataKey", "evaluationDataKey"}` and, optionally,
    `"validationDataKey"`, `"hyperParameters"`, `"customizationType"`, `"candidates"`. Keys are in the training bucket
    and, for validation and evaluation data, the validation bucket. See `schemas/customization-input.json`.

    Output: `{"verdict", "winner", "model": {"customModelArn", "modelId"} or null, "evaluation", "released", "kept"}`.

    Errors: `InvalidInput` and `InvalidData` name field or line and the remedy before a job is created; a failed job or
    serving gives Bedrock's message. `ReleaseFailed` when something could not be released.

    Attributes:
        training_bucket: Where training data lie.
        validation_bucket: Where validation and evaluation data lie.
        results_bucket: Where a run writes, under `runs/<run id>/`.
        state_machine: The state machine.
        evaluation: The evaluation workflow.
        release: What releases resources.
        topic: Where notifications go.
        service_role: The role that Bedrock trains with.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        training_bucket: s3.IBucket | None = None,
        validation_bucket: s3.IBucket | None = None,
        results_bucket: s3.IBucket | None = None,
        evaluation: EvaluationWorkflow | None = None,
        topic: NotificationTopic | None = None,
        serving: Serving | None = None,
        inference: Inference | None = None,
        quality_gate: QualityGate | None = None,
        image: FunctionImage | None = None,
        service_role: iam.IRole | None = None,
        training_timeout: Duration | None = None,
        serving_timeout: Duration | None = None,
        sweep_interval: Duration | None = None,
        encryption_key: kms.IKey | None = None,
        log_execution_data: bool = False,
    ) -> None:
        """Creates whatever is not passed in, and the state machine.

        Args:
            scope: The construct that holds this one.
            construct_id: Its id.
            training_bucket: The bucket of training data; by default one is created and retained.
            validation_bucket: The bucket of validation and evaluation data; by default the evaluation's data bucket.
            results_bucket: The bucket of results; by default the evaluation's.
            evaluation: The evaluation workflow; by default one is created.
            topic: Where notifications go; by default a topic without subscribers is created.
            serving: How custom models are served; by default on demand where Bedrock offers it for the base model, by
                provisioned throughput elsewhere.
            inference: How models are asked, for the evaluation that is created.
            quality_gate: When a candidate is better, for the evaluation that is created.
            image: The functions' image, for the evaluation that is created.
            service_role: The role that Bedrock trains with; by default one is created that reads the data and writes
                under `runs/`.
            training_timeout: When a training job is stopped; 24 hours by default.
            serving_timeout: When a model that is not ready counts as failed; 2 hours by default.
            sweep_interval: How often it is looked for what a run and the rule failed to release; every hour by default.
            encryption_key: The key of created buckets, logs and environment variables; by default AWS's own keys.
            log_execution_data: Whether inputs and outputs of states are logged; they are not by default.

        Raises:
            ValueError: `inference`, `quality_gate` or `image` is passed together with `evaluation`, or its buckets
                differ.
        """
        super().__init__(scope, construct_id)
        _check_evaluation_options(evaluation, inference=inference, quality_gate=quality_gate, image=image)
        _check_evaluation_buckets(evaluation, validation_bucket=validation_bucket, results_bucket=results_bucket)
        self.serving = serving or Serving.automatic()
        self.workflow_tag = workflow_tag_value(self)

        self.training_bucket = data_bucket_or_new(self, "TrainingBucket", training_bucket, encryption_key)
        self.evaluation = evaluation or EvaluationWorkflow(
            self,
            "Evaluation",
            data_bucket=data_bucket_or_new(self, "ValidationBucket", validation_bucket, encryption_key),
            results_bucket=data_bucket_or_new(self, "ResultsBucket", results_bucket, encryption_key),
            inference=inference,
            quality_gate=quality_gate,
            image=image,
            encryption_key=encryption_key,
            log_execution_data=log_execution_data,
        )
        self.validation_bucket = self.evaluation.data_bucket
        self.results_bucket = self.evaluation.results_bucket
        self.topic = topic or NotificationTopic(self, "Topic", encryption_key=encryption_key)
        self.service_role: iam.IRole = service_role or self._service_role()
        self.release = ResourceRelease(
            self,
            "Release",
            workflow_tag=self.workflow_tag,
            results_bucket=self.results_bucket,
            topic=self.topic,
            encryption_key=encryption_key,
            log_execution_data=log_execution_data,
        )
        machine = WorkflowMachine(
            self,
            "Machine",
            start=self._states(training_timeout or Duration.hours(24), serving_timeout or Duration.hours(2)),
            comment="Customizes a Bedrock model and keeps it only if it is really better",
            timeout=Duration.days(14),
            statements=self._statements(),
            encryption_key=encryption_key,
            log_execution_data=log_execution_data,
        )
        self.state_machine: sfn.StateMachine = machine.state_machine
        self.release.watch(self.state_machine)
        self.release.sweep_every(sweep_interval or Duration.hours(1))
        self._grant(machine.role)

    def grant_start_execution(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets somebody start a customization.

        Args:
            grantee: Who may start one.
        """
        return self.state_machine.grant_start_execution(grantee)

    def grant_read_results(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets somebody read what runs wrote.

        Args:
            grantee: Who may read it.
        """
        return self.results_bucket.grant_read(grantee, "runs/*")

    def metric_failed(self, **options: Any) -> cloudwatch.Metric:
        """How many customizations failed.

        Args:
            **options: The metric's options, as in `cloudwatch.MetricOptions`.
        """
        return self.state_machine.metric_failed(**options)

    def metric_succeeded(self, **options: Any) -> cloudwatch.Metric:
        """How many customizations ended with a verdict.

        Args:
            **options: The metric's options, as in `cloudwatch.MetricOptions`.
        """
        return self.state_machine.metric_succeeded(**options)

    def _states(self, training_timeout: Duration, serving_timeout: Duration) -> sfn.IChainable:
        states = Construct(self, "States")
        results = self.results_bucket.bucket_name
        attempt = self._attempt(states, training_timeout, serving_timeout)
        promotion = promote(states, "Promote")
        release_machine = self.release.state_machine.state_machine_arn
        release = release_run(states, "Release", state_machine_arn=release_machine)
        release_after_failure = release_run(states, "ReleaseAfterFailure", state_machine_arn=release_machine)
        failed = fail_with_first_error(states, "Failed")
        notify = publish_notification(states, "Notify", topic_arn=self.topic.topic.topic_arn, output=OUTPUT)
        write = write_notification(states, "WriteNotification", results_bucket=results)

        on_failure: dict[str, Any] = {
            "errors": ["States.ALL"],
            "outputs": {},
            "assign": {
                "failure": first_error("$states.errorOutput.Error", "$states.errorOutput.Cause"),
                "keep": [],
                "deleteModels": False,
            },
        }
        attempt.add_catch(release_after_failure, **on_failure)
        promotion.add_catch(release_after_failure, **on_failure)
        release_after_failure.add_catch(failed, errors=["States.ALL"])
        release_after_failure.next(failed)
        release.add_catch(failed, errors=["States.ALL"], assign={"failure": RELEASE_FAILURE})
        write.add_catch(notify, errors=["States.ALL"])
        notify.add_catch(sfn.Succeed.jsonata(states, "DoneUnnotified", outputs=OUTPUT), errors=["States.ALL"])
        promotion.next(release)
        release.next(compose_message(states, "ComposeMessage", results_bucket=results)).next(write).next(notify)
        return (
            prepare_run(states, "Prepare")
            .next(attempt)
            .next(act_on_verdict(states, "QualityGate", promote=promotion, release=release))
        )

    def _attempt(self, states: Construct, training_timeout: Duration, serving_timeout: Duration) -> sfn.Parallel:
        buckets = {
            "training_bucket": self.training_bucket.bucket_name,
            "validation_bucket": self.validation_bucket.bucket_name,
            "results_bucket": self.results_bucket.bucket_name,
        }
        check = check_data(
            states,
            "CheckData",
            function_arn=self.evaluation.dataset_function.function_arn,
            serving=self.serving,
            gate=self.evaluation.quality_gate,
            **buckets,
        )
        train = train_and_serve(
            states,
            "TrainCandidates",
            serving=self.serving,
            role_arn=self.service_role.role_arn,
            tags=resource_tags(self.workflow_tag),
            training_timeout=training_timeout,
            serving_timeout=serving_timeout,
            **buckets,
        )
        evaluate = evaluate_served(
            states, "Evaluate", state_machine_arn=self.evaluation.state_machine.state_machine_arn
        )
        return attempt(states, "Attempt", branch=check.next(train).next(evaluate))

    def _service_role(self) -> iam.Role:
        role = iam.Role(
            self,
            "ServiceRole",
            description="Bedrock reads training data and writes a job's artefacts with it",
            assumed_by=iam.ServicePrincipal(
                "bedrock.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnEquals": {
                        "aws:SourceArn": (
                            f"arn:{Aws.PARTITION}:bedrock:{Aws.REGION}:{Aws.ACCOUNT_ID}:model-customization-job/*"
                        )
                    },
                },
            ),
        )
        for bucket in dict.fromkeys((self.training_bucket, self.validation_bucket)):
            for statement in permissions.read_objects(bucket):
                role.add_to_policy(statement)
        for statement in [
            *permissions.read_objects(self.results_bucket, "runs/*/training/*"),
            *permissions.write_objects(self.results_bucket, "runs/*/training/*"),
        ]:
            role.add_to_policy(statement)
        for bucket in (self.training_bucket, self.validation_bucket, self.results_bucket):
            grant_key(bucket, role)
        return role

    def _statements(self) -> list[iam.PolicyStatement]:
        statements = [
            *permissions.invoke_functions([self.evaluation.dataset_function.function_arn]),
            *permissions.train_models(self.service_role, self.workflow_tag),
            *permissions.promote(self.workflow_tag),
            *permissions.start_execution(self.evaluation.state_machine, self),
            *permissions.start_execution(self.release.state_machine, self),
            *permissions.write_objects(self.results_bucket, "runs/*/notification.json"),
        ]
        if self.serving.mode is not ServingMode.PROVISIONED:
            statements += permissions.serve_on_demand(self.workflow_tag)
        if self.serving.mode is not ServingMode.ON_DEMAND:
            statements += permissions.serve_by_provisioned_throughput(self.workflow_tag)
        return statements

    def _grant(self, role: iam.Role) -> None:
        self.topic.grant_publish(role)
        grant_key(self.results_bucket, role)
        self.evaluation.allow_asking(permissions.ask_custom_models(self.workflow_tag))
        self.evaluation.allow_reading(self.training_bucket)


def _check_evaluation_options(evaluation: EvaluationWorkflow | None, **options: object) -> None:
    if evaluation is None:
        return
    for name, value in options.items():
        if value is not None:
            raise ValueError(
                f"{name}: got a value together with an evaluation; pass {name} to the EvaluationWorkflow instead."
            )


def _check_evaluation_buckets(evaluation: EvaluationWorkflow | None, **buckets: s3.IBucket | None) -> None:
    if evaluation is None:
        return
    for name, bucket in buckets.items():
        used = evaluation.data_bucket if name == "validation_bucket" else evaluation.results_bucket
        if bucket is not None and bucket.bucket_name != used.bucket_name:
            raise ValueError(
                f"{name}: got a bucket that the evaluation does not use; pass it to the EvaluationWorkflow as "
                f"{'data_bucket' if name == 'validation_bucket' else name} and leave it out here."
            )
