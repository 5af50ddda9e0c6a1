"""The sample app: one stack that customizes a model and mails the result.

`cdk deploy -c email=team@example.com` deploys it.
"""

from __future__ import annotations

from aws_cdk import App, CfnOutput, Duration, Stack
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bedrock_customization import CustomizationWorkflow, EvaluationWorkflow, NotificationTopic


class SampleStack(Stack):
    """Wires the three constructs and outputs what an engineer needs to start a run."""

    def __init__(self, scope: Construct, construct_id: str, *, email: str | None = None) -> None:
        """Creates the workflows.

        Args:
            scope: The app.
            construct_id: The stack's name.
            email: The address that is told what happened; none by default.
        """
        super().__init__(scope, construct_id)
        topic = NotificationTopic(self, "Notifications", emails=[email] if email else [])
        access_logs = s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(365))],
        )
        evaluation = EvaluationWorkflow(self, "Evaluation", access_logs_bucket=access_logs)
        self.customization = CustomizationWorkflow(
            self, "Customization", evaluation=evaluation, topic=topic, access_logs_bucket=access_logs
        )

        CfnOutput(self, "TrainingBucketName", value=self.customization.training_bucket.bucket_name)
        CfnOutput(self, "ValidationBucketName", value=self.customization.validation_bucket.bucket_name)
        CfnOutput(self, "ResultsBucketName", value=self.customization.results_bucket.bucket_name)
        CfnOutput(self, "StateMachineArn", value=self.customization.state_machine.state_machine_arn)


if __name__ == "__main__":
    app = App()
    SampleStack(app, "BedrockCustomization", email=app.node.try_get_context("email"))
    app.synth()
