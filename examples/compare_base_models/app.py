"""Compares two base models on a team's own records, without customizing anything.

`cdk deploy` in this folder deploys it; README.md says how to start an evaluation.
"""

from __future__ import annotations

from aws_cdk import App, CfnOutput, Stack
from constructs import Construct

from bedrock_customization import EvaluationWorkflow, Inference, Metric, QualityGate


class CompareBaseModelsStack(Stack):
    """An evaluation workflow, and the names that an engineer needs to start one."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """Creates the workflow.

        Args:
            scope: The app.
            construct_id: The stack's name.
        """
        super().__init__(scope, construct_id)
        self.evaluation = EvaluationWorkflow(
            self,
            "Evaluation",
            metrics=[Metric.rouge(stemmer=True), Metric.token_f1(), Metric.answer_length()],
            quality_gate=QualityGate(metric="rouge_l", min_improvement=0.01),
            inference=Inference(max_tokens=300, max_concurrency=10),
        )
        CfnOutput(self, "DataBucketName", value=self.evaluation.data_bucket.bucket_name)
        CfnOutput(self, "ResultsBucketName", value=self.evaluation.results_bucket.bucket_name)
        CfnOutput(self, "StateMachineArn", value=self.evaluation.state_machine.state_machine_arn)


if __name__ == "__main__":
    app = App()
    CompareBaseModelsStack(app, "CompareBaseModels")
    app.synth()
