"""The Lambda functions of an evaluation, and what each may do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bedrock_customization import permissions
from bedrock_customization.assets import ENCODER_DIRECTORY, FunctionImage
from bedrock_customization.data_bucket import grant_decrypt, grant_encrypt
from bedrock_customization.functions import ImageFunction
from bedrock_customization.options import Evaluator


class EvaluationFunctions:
    """Makes the functions in a construct.

    Args:
        scope: The construct that holds them.
        image: Their image.
        architecture: Their architecture.
        encryption_key: The key of their logs and environment variables.

    Attributes:
        dataset: Checks data.
        scoring: Scores a shard of responses.
        comparison: Compares the models and writes the report.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        image: FunctionImage,
        architecture: lambda_.Architecture,
        encryption_key: kms.IKey | None,
    ) -> None:
        shared: dict[str, Any] = {"image": image, "architecture": architecture, "encryption_key": encryption_key}
        self.dataset = ImageFunction(
            scope,
            "Dataset",
            command="dataset.handler.handler",
            memory_mib=2048,
            **shared,
        )
        self.scoring = ImageFunction(
            scope,
            "Scoring",
            command="scoring.handler.handler",
            memory_mib=image.encoder.memory_mib,
            environment={"ENCODER_DIRECTORY": ENCODER_DIRECTORY},
            **shared,
        )
        self.comparison = ImageFunction(
            scope,
            "Comparison",
            command="comparison.handler.handler",
            memory_mib=3008,
            **shared,
        )

    @property
    def arns(self) -> list[str]:
        """The functions' ARNs."""
        return [each.function.function_arn for each in (self.dataset, self.scoring, self.comparison)]

    def allow(self, *, data_bucket: s3.IBucket, results_bucket: s3.IBucket, evaluators: Sequence[Evaluator]) -> None:
        """Lets each function read and write what it has to, and the scoring function call evaluators.

        Args:
            data_bucket: The bucket of the evaluation data.
            results_bucket: The bucket of the results.
            evaluators: The user's own metrics.
        """
        read = permissions.read_objects(results_bucket, "runs/*")
        write = permissions.write_objects(results_bucket, "runs/*")
        for function, statements in (
            (self.dataset, write),
            (self.scoring, [*read, *write]),
            (self.comparison, [*read, *write]),
        ):
            permissions.allow(function.role, statements)
            grant_decrypt(results_bucket, function.role)
            grant_encrypt(results_bucket, function.role)
        read_data = [*permissions.read_objects(data_bucket), *permissions.list_objects(data_bucket)]
        permissions.allow(self.dataset.role, read_data)
        grant_decrypt(data_bucket, self.dataset.role)
        if evaluators:
            functions = [evaluator.function.function_arn for evaluator in evaluators]
            permissions.allow(self.scoring.role, permissions.invoke_functions(functions))
