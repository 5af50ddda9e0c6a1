"""CustomizationWorkflow: trains candidates, serves and evaluates them, keeps the one that is really better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization import permissions
from bedrock_customization.alarms import WorkflowAlarms
from bedrock_customization.argument_checks import check_type
from bedrock_customization.assets import FunctionImage
from bedrock_customization.data_bucket import data_bucket_or_new, grant_decrypt, grant_encrypt
from bedrock_customization.evaluation_workflow import EvaluationWorkflow
from bedrock_customization.model_registry import ModelRegistry
from bedrock_customization.notification_topic import NotificationTopic, notification_topic_or_new
from bedrock_customization.options import Inference, OnSuccess, QualityGate, Serving
from bedrock_customization.resource_release import ResourceRelease
from bedrock_customization.service_role import allow_training, service_role_or_new
from bedrock_customization.states.attempt import attempt, check_data, check_name, evaluate_served
from bedrock_customization.states.candidate import train_and_serve
from bedrock_customization.states.preflight import preflight
from bedrock_customization.states.training import TrainingJob
from bedrock_customization.states.whole_run import whole_run
from bedrock_customization.synthesis_checks import (
    check_evaluation_buckets,
    check_evaluation_options,
    check_on_success,
    warn_about_region,
)
from bedrock_customization.tags import tags_in_jsonata, workflow_tag_value
from bedrock_customization.training_network import training_network
from bedrock_customization.workflow import Workflow
from bedrock_customization.workflow_arguments import check_arguments
from bedrock_customization.workflow_machine import WorkflowMachine


class CustomizationWorkflow(Workflow):
    """A state machine that customizes a Bedrock model and keeps the custom model only if it is really better.

    ```
    CheckData        input, data and hyperparameters, before anything is paid for
    Preflight        lifecycle of models, quotas, and whether base models answer
    TrainCandidates  two at a time: train, then serve and wait until ready
    Evaluate         EvaluationWorkflow asks base and custom models the same records
    QualityGate      BETTER: promote the winner. Else: keep nothing
    Release          stops and deletes whatever the run paid for, except the winner
    Notify           one message for people; JSON beside it for programs
    on failure       release everything, notify, fail with the first error
    ```

    Input: `{"baseModelIdentifier", "customModelName", "trainingDataKey", "evaluationDataKey"}` and, optionally,
    `"validationDataKey"`, `"hyperParameters"`, `"candidates"`, `"convertData"`, `"baseInferenceModelIdentifier"`, and
    `"customizationType"` with what it takes: `"customizationConfig"`, `"invocationLogsConfig"`, or `"customModelArn"`
    for a model that exists already. Keys are in the training bucket and, for validation and evaluation data, the
    validation bucket. See `schemas/customization-input.json`.

    Output: `{"verdict", "model": {"customModelArn", "modelId"} or null, "evaluation", "failedCandidates",
    "registrationFailure", "released", "kept"}`. See `schemas/customization-output.json`.

    Errors: `InvalidInput` and `InvalidData` name field or line and the remedy before a job is created; a failed job or
    serving gives Bedrock's message. `QuotaTooLow` and `TrainingStalled` say what to ask for, `CheckDataTimedOut`,
    `AskBaseModelTimedOut`, `TrainTimedOut` and `EvaluateTimedOut` what to raise or to give less of. `ReleaseFailed`
    when something could not be released.

    Attributes:
        training_bucket: Where training data lie.
        validation_bucket: Where validation and evaluation data lie.
        results_bucket: Where a run writes, under `runs/<run id>/`.
        state_machine: The state machine.
        evaluation: The evaluation workflow.
        release: What releases resources.
        topic: Where notifications go.
        service_role: The role that Bedrock trains with.
        registry: Which custom model is the current one.
        current_model_parameter: The parameter that holds it, as JSON.
        alarms: The alarms on what a notification cannot tell.
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
        topic: NotificationTopic | sns.ITopic | None = None,
        serving: Serving | None = None,
        on_success: OnSuccess = OnSuccess.KEEP_SERVING,
        inference: Inference | None = None,
        quality_gate: QualityGate | None = None,
        image: FunctionImage | None = None,
        service_role: iam.IRole | None = None,
        teacher_models: Sequence[str] = (),
        graders: Sequence[lambda_.IFunction] = (),
        invocation_logs_bucket: s3.IBucket | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        resource_tags: Mapping[str, str] | None = None,
        event_bus: events.IEventBus | None = None,
        training_timeout: Duration | None = None,
        training_start_timeout: Duration | None = None,
        serving_timeout: Duration | None = None,
        sweep_interval: Duration | None = None,
        encryption_key: kms.IKey | None = None,
        access_logs_bucket: s3.IBucket | None = None,
        alarm_actions: Sequence[cloudwatch.IAlarmAction] | None = None,
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
            topic: Where notifications go, a `NotificationTopic` or any standard topic of SNS; by default one without
                subscribers is created.
            serving: How custom models are served; by default on demand where Bedrock offers it for the base model, by
                provisioned throughput elsewhere.
            on_success: Whether what serves a better model is kept or released; kept by default. The model itself is
                kept and registered either way.
            inference: How models are asked, for the evaluation that is created.
            quality_gate: When a candidate is better, for the evaluation that is created.
            image: The functions' image, for the evaluation that is created.
            service_role: The role that Bedrock trains with; by default one is created. It is given what it needs:
                reading the data, writing under `runs/`, and what the next arguments ask for.
            teacher_models: The ids or ARNs of the models and inference profiles that a DISTILLATION may have as
                teacher; none by default.
            graders: The functions that a REINFORCEMENT_FINE_TUNING may have as grader; none by default.
            invocation_logs_bucket: The bucket of the invocation logs that a run may train on; none by default.
            vpc: The VPC that training jobs read data in; by default they use no VPC. It needs a gateway or interface
                endpoint for S3.
            vpc_subnets: Which of its subnets; by default the private ones.
            security_groups: The security groups of jobs; by default a new one.
            resource_tags: Tags of jobs, custom models, deployments and provisioned throughput, beside the workflow's
                own.
            event_bus: Where the event about a promoted model goes; by default the account's default bus.
            training_timeout: When a training job is stopped; 24 hours by default. Waiting for a place does not count.
            training_start_timeout: When a job is stopped whose training has not begun; 12 hours by default.
            serving_timeout: When a model that is not ready counts as failed; 2 hours by default.
            sweep_interval: How often it is looked for what a run and the rule failed to release; every hour by default.
            encryption_key: The key of custom models and of created buckets, logs and environment variables; by default
                AWS's own keys. An imported key's own policy must leave permissions to IAM, and let
                CloudWatch Logs and alarms use it (docs/security.md).
            access_logs_bucket: Where S3 logs who reads and writes created buckets; it does not by default.
            alarm_actions: What the alarms do, see `WorkflowAlarms`; by default they tell the topic.
            log_execution_data: Whether inputs and outputs of states are logged; they are not by default.

        Raises:
            TypeError: An argument has another type than the one that is asked for.
            ValueError: `inference`, `quality_gate` or `image` is passed together with `evaluation`, or its buckets
                differ; or `on_success` asks to release a commitment; or a teacher, tag, subnets or security groups
                cannot be used; or a duration is shorter than a minute.
        """
        super().__init__(scope, construct_id)
        check_arguments(
            training_bucket=training_bucket,
            validation_bucket=validation_bucket,
            results_bucket=results_bucket,
            service_role=service_role,
            teacher_models=teacher_models,
            graders=graders,
            invocation_logs_bucket=invocation_logs_bucket,
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            security_groups=security_groups,
            resource_tags=resource_tags,
            event_bus=event_bus,
            training_timeout=training_timeout,
            training_start_timeout=training_start_timeout,
            serving_timeout=serving_timeout,
            sweep_interval=sweep_interval,
            encryption_key=encryption_key,
            access_logs_bucket=access_logs_bucket,
            alarm_actions=alarm_actions,
            log_execution_data=log_execution_data,
        )
        check_type("evaluation", evaluation, EvaluationWorkflow, 'EvaluationWorkflow(stack, "Evaluation")')
        check_type("serving", serving, Serving, "Serving.on_demand() or Serving.provisioned()")
        check_type("on_success", on_success, OnSuccess, "OnSuccess.KEEP_SERVING or OnSuccess.RELEASE_SERVING")
        check_evaluation_options(evaluation, inference=inference, quality_gate=quality_gate, image=image)
        check_evaluation_buckets(evaluation, validation_bucket=validation_bucket, results_bucket=results_bucket)
        self.serving = serving or Serving.automatic()
        check_on_success(on_success, self.serving)
        warn_about_region(self, self.serving)
        self.workflow_tag = workflow_tag_value(self)

        buckets: dict[str, Any] = {"encryption_key": encryption_key, "access_logs_bucket": access_logs_bucket}
        self.training_bucket = data_bucket_or_new(self, "TrainingBucket", training_bucket, **buckets)
        self.evaluation = evaluation or EvaluationWorkflow(
            self,
            "Evaluation",
            data_bucket=data_bucket_or_new(self, "ValidationBucket", validation_bucket, **buckets),
            results_bucket=data_bucket_or_new(self, "ResultsBucket", results_bucket, **buckets),
            inference=inference,
            quality_gate=quality_gate,
            image=image,
            encryption_key=encryption_key,
            log_execution_data=log_execution_data,
        )
        self.validation_bucket = self.evaluation.data_bucket
        self.results_bucket = self.evaluation.results_bucket
        self.topic = notification_topic_or_new(self, "Topic", topic, encryption_key)
        self.registry = ModelRegistry(self, "Registry", event_bus=event_bus)
        self.current_model_parameter: ssm.IStringParameter = self.registry.parameter
        self.service_role: iam.IRole = service_role_or_new(self, "ServiceRole", service_role)
        self._on_success = on_success
        self._encryption_key = encryption_key
        self._teacher_models = list(teacher_models)
        self._graders = list(graders)
        self._invocation_logs_bucket = invocation_logs_bucket
        network = training_network(self, vpc=vpc, vpc_subnets=vpc_subnets, security_groups=security_groups)
        logs = [invocation_logs_bucket] if invocation_logs_bucket else []
        allow_training(
            self.service_role,
            data_buckets=[self.training_bucket, self.validation_bucket, *logs],
            results_bucket=self.results_bucket,
            teacher_models=teacher_models,
            graders=graders,
            encryption_key=encryption_key,
            network=network,
        )
        self.release = ResourceRelease(
            self,
            "Release",
            workflow_tag=self.workflow_tag,
            results_bucket=self.results_bucket,
            topic=self.topic,
            parameter=self.registry.parameter,
            commitment=self.serving.commitment,
            encryption_key=encryption_key,
            log_execution_data=log_execution_data,
        )
        job = TrainingJob(
            role_arn=self.service_role.role_arn,
            results_bucket=self.results_bucket.bucket_name,
            tags=tags_in_jsonata(self.workflow_tag, resource_tags or {}),
            encryption_key_arn=encryption_key.key_arn if encryption_key else None,
            subnet_ids=network.subnet_ids,
            security_group_ids=network.security_group_ids,
            timeout=training_timeout or Duration.hours(24),
            start_timeout=training_start_timeout or Duration.hours(12),
        )
        machine = WorkflowMachine(
            self,
            "Machine",
            start=self._states(job, serving_timeout or Duration.hours(2)),
            comment="Customizes a Bedrock model and keeps it only if it is really better",
            timeout=Duration.days(13).plus(self.evaluation.timeout),
            statements=[
                *permissions.customize(
                    self.service_role,
                    self.workflow_tag,
                    self.serving,
                    encryption_key,
                    functions=[self.evaluation.dataset_function],
                    machines=[self.evaluation.state_machine, self.release.state_machine],
                    results_bucket=self.results_bucket,
                    scope=self,
                ),
                *self.registry.statements(),
            ],
            encryption_key=encryption_key,
            log_execution_data=log_execution_data,
        )
        self.state_machine: sfn.StateMachine = machine.state_machine
        self.release.watch(self.state_machine, sweep_interval=sweep_interval or Duration.hours(1))
        self._grant(machine.role)
        self.alarms = WorkflowAlarms(
            self,
            "Alarms",
            release=self.release,
            topic=self.topic,
            log_groups=[machine.log_group, self.release.log_group],
            namespace=f"BedrockCustomization/{self.workflow_tag}",
            alarm_actions=alarm_actions,
        )

    def metric_unnotified(self, **options: Any) -> cloudwatch.Metric:
        """How many customizations ended whose notification could not be published.

        Args:
            **options: The metric's options, as in `cloudwatch.MetricOptions`.
        """
        return self.alarms.metric_unnotified(**options)

    def _states(self, job: TrainingJob, serving_timeout: Duration) -> sfn.IChainable:
        states = Construct(self, "States")
        return whole_run(
            states,
            attempt=self._attempt(states, job, serving_timeout),
            on_success=self._on_success,
            commitment=self.serving.commitment,
            parameter=self.registry.parameter,
            event_bus=self.registry.event_bus,
            release_machine_arn=self.release.state_machine.state_machine_arn,
            results_bucket=self.results_bucket.bucket_name,
            topic_arn=self.topic.topic.topic_arn,
        )

    def _attempt(self, states: Construct, job: TrainingJob, serving_timeout: Duration) -> sfn.Parallel:
        logs = self._invocation_logs_bucket
        check = check_data(
            states,
            "CheckData",
            function_arn=self.evaluation.dataset_function.function_arn,
            serving=self.serving,
            gate=self.evaluation.quality_gate,
            training_bucket=self.training_bucket.bucket_name,
            validation_bucket=self.validation_bucket.bucket_name,
            results_bucket=self.results_bucket.bucket_name,
            allowed={
                "teacherModels": self._teacher_models,
                "graders": [function.function_arn for function in self._graders],
                **({} if logs is None else {"invocationLogsBucket": logs.bucket_name}),
            },
        )
        train = train_and_serve(
            states, "TrainCandidates", job=job, serving=self.serving, serving_timeout=serving_timeout
        )
        evaluate = evaluate_served(
            states,
            "Evaluate",
            state_machine_arn=self.evaluation.state_machine.state_machine_arn,
            evaluation_timeout=self.evaluation.timeout,
            results_bucket=self.results_bucket.bucket_name,
        )
        check.next(preflight(states, serving=self.serving)).next(train).next(evaluate)
        return attempt(states, "Attempt", branch=check_name(states, "IsNameAllowed", done=check))

    def _grant(self, role: iam.Role) -> None:
        self.topic.grant_publish(role)
        grant_decrypt(self.results_bucket, role)
        grant_encrypt(self.results_bucket, role)
        asking = permissions.ask_custom_models(self.workflow_tag)
        if self._encryption_key:
            asking += permissions.decrypt_models(self._encryption_key)
        self.evaluation.allow_asking(self, "AskCustomModelsPolicy", asking)
        logs = [self._invocation_logs_bucket] if self._invocation_logs_bucket else []
        self.evaluation.allow_reading(self, "ReadTrainingDataPolicy", [self.training_bucket], listed=logs)
