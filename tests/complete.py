"""A stack that uses everything that can be asked for, each with a key of its own."""

from aws_cdk import App, ArnFormat, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from bedrock_customization import (
    CustomizationWorkflow,
    EvaluationWorkflow,
    Evaluator,
    Metric,
    NotificationTopic,
    QualityGate,
)
from bedrock_customization.data_bucket import log_access

TEACHER = "us.amazon.nova-premier-v1:0"


class CompleteStack(Stack):
    """Keys, network, access logs, teachers, graders, evaluators, invocation logs, an event bus, logged data, alarms.

    No two things share a key, so that no permission stands in for another.
    """

    def __init__(self, scope: App, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        data_key, model_key, topic_key = (self._key(name) for name in ("DataKey", "ModelKey", "TopicKey"))
        access_logs = self._bucket("AccessLogs")
        training, invocation_logs = (
            self._bucket(name, key=self._key(f"{name}Key"), access_logs=access_logs)
            for name in ("Training", "InvocationLogs")
        )
        self.grader, self.politeness = (self._function(name) for name in ("Grader", "Politeness"))
        self.event_bus = events.EventBus(self, "Bus")
        self.topic = NotificationTopic(self, "Topic", emails=["team@example.com"], encryption_key=topic_key)
        self.evaluation = EvaluationWorkflow(
            self,
            "Evaluation",
            metrics=[Metric.token_f1()],
            evaluators=[Evaluator(name="politeness", function=self.politeness)],
            quality_gate=QualityGate(metric="token_f1"),
            encryption_key=data_key,
            access_logs_bucket=access_logs,
            log_execution_data=True,
        )
        self.customization = CustomizationWorkflow(
            self,
            "Customization",
            evaluation=self.evaluation,
            topic=self.topic,
            encryption_key=model_key,
            access_logs_bucket=access_logs,
            teacher_models=[TEACHER],
            graders=[self.grader],
            training_bucket=training,
            invocation_logs_bucket=invocation_logs,
            vpc=ec2.Vpc.from_vpc_attributes(
                self,
                "Network",
                vpc_id="vpc-0123456789abcdef0",
                availability_zones=["us-east-1a", "us-east-1b"],
                private_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
                private_subnet_route_table_ids=["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"],
            ),
            event_bus=self.event_bus,
            resource_tags={"cost-center": "4711"},
            log_execution_data=True,
        )

    def _key(self, name: str) -> kms.Key:
        return kms.Key(self, name, enable_key_rotation=True)

    def _bucket(self, name: str, *, key: kms.Key | None = None, access_logs: s3.Bucket | None = None) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            name,
            encryption_key=key,
            encryption=s3.BucketEncryption.S3_MANAGED if key is None else s3.BucketEncryption.KMS,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
        )
        if access_logs is not None:
            log_access(bucket, access_logs)
        return bucket

    def _function(self, name: str) -> lambda_.IFunction:
        arn = self.format_arn(
            service="lambda", resource="function", resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        return lambda_.Function.from_function_arn(self, name, arn)
