"""What can be known to be wrong with a customization when it is synthesised."""

from __future__ import annotations

from aws_cdk import Annotations, Stack, Token
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bedrock_customization.evaluation_workflow import EvaluationWorkflow
from bedrock_customization.models.catalogue import customizable_models
from bedrock_customization.options import OnSuccess, Serving


def check_evaluation_options(evaluation: EvaluationWorkflow | None, **options: object) -> None:
    """Refuses options of an evaluation that is passed in, which would be ignored.

    Args:
        evaluation: The evaluation, or None.
        **options: What is passed on to an evaluation that is created.

    Raises:
        ValueError: There is an evaluation and an option has a value.
    """
    if evaluation is None:
        return
    for name, value in options.items():
        if value is not None:
            raise ValueError(
                f"{name}: got a value together with an evaluation; pass {name} to the EvaluationWorkflow instead."
            )


def check_evaluation_buckets(evaluation: EvaluationWorkflow | None, **buckets: s3.IBucket | None) -> None:
    """Refuses buckets that an evaluation that is passed in does not use.

    Args:
        evaluation: The evaluation, or None.
        **buckets: `validation_bucket` and `results_bucket`.

    Raises:
        ValueError: A bucket differs from the evaluation's.
    """
    if evaluation is None:
        return
    for name, bucket in buckets.items():
        used = evaluation.data_bucket if name == "validation_bucket" else evaluation.results_bucket
        if bucket is not None and bucket.bucket_name != used.bucket_name:
            raise ValueError(
                f"{name}: got a bucket that the evaluation does not use; pass it to the EvaluationWorkflow as "
                f"{'data_bucket' if name == 'validation_bucket' else name} and leave it out here."
            )


def check_on_success(on_success: OnSuccess, serving: Serving) -> None:
    """Refuses to release what is paid for to the end of its term.

    Args:
        on_success: What becomes of the winner's serving.
        serving: How custom models are served.

    Raises:
        ValueError: The serving has a commitment and is to be released.
    """
    if on_success is OnSuccess.RELEASE_SERVING and serving.commitment is not None:
        raise ValueError(
            f"on_success: got {on_success}, but serving has a commitment of {serving.commitment.value}, which Bedrock "
            "deletes only after its term. Leave on_success out, or buy by the hour with Serving.provisioned()."
        )


def warn_about_region(scope: Construct, serving: Serving) -> None:
    """Warns where the stack's Region is known and the catalogue has no model for it.

    It is no error, because a model that the catalogue does not know yet can be used all the same.

    Args:
        scope: The workflow.
        serving: How its custom models are served.
    """
    region = Stack.of(scope).region
    if Token.is_unresolved(region) or customizable_models(region, serving.mode.value):
        return
    Annotations.of(scope).add_warning_v2(
        "bedrock-customization:noModelInRegion",
        f"Bedrock customizes no model of the catalogue in {region} with {serving.mode.value} serving. "
        "Deploy the stack to a Region that the table of models in the README names, such as us-east-1.",
    )
