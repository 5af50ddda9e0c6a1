"""The states that promote the winner: its tags keep every clean-up away from it."""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.task import task
from bedrock_customization.tags import KEPT_TAG


def promote(scope: Construct, construct_id: str) -> sfn.Map:
    """Tags the custom model and what serves it as kept; reads `winner`, assigns `modelId`.

    Args:
        scope: The construct that holds the states.
        construct_id: The state's name.
    """
    tag = task(
        scope,
        "TagAsKept",
        resource="aws-sdk:bedrock:tagResource",
        arguments={"ResourceARN": "{% $states.input %}", "Tags": [{"Key": KEPT_TAG, "Value": "true"}]},
        output={},
    )
    return sfn.Map.jsonata(
        scope,
        construct_id,
        items=sfn.ProvideItems.jsonata("{% [$winner.customModelArn, $winner.modelId] %}"),
        assign={"modelId": "{% $winner.modelId %}"},
        outputs={},
    ).item_processor(tag)
