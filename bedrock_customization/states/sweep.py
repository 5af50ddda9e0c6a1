"""The states that look for what no run and no rule released: everything with the tag of a run that is over."""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.bedrock_resources import DEPLOYMENT, JOB, PROVISIONED_MODEL, list_resources, read_tags
from bedrock_customization.states.task import NOT_FOUND
from bedrock_customization.tags import EXECUTION_TAG, KEPT_TAG, WORKFLOW_TAG


def sweep(scope: Construct, *, workflow_tag: str, done: sfn.IChainable) -> sfn.Chain:
    """Finds the runs of a workflow that still pay for something, and assigns `requests`, one for each run.

    Whether a run is over is looked up when it is released.

    Args:
        scope: The construct that holds the states.
        workflow_tag: The tag of what the workflow made.
        done: What follows.
    """
    tags = read_tags(scope, "ReadTags", arn="$states.input.arn")
    of_a_run = sfn.Pass.jsonata(
        scope, "TakeItsRun", outputs=f"{{% $states.input.Tags[Key = '{EXECUTION_TAG}'].Value %}}"
    )
    foreign = sfn.Pass.jsonata(scope, "LeaveItAlone", comment="Not made by this workflow, or kept", outputs="{% '' %}")
    # The tags of what others made may not even be read.
    tags.add_catch(foreign, errors=[NOT_FOUND, "Bedrock.AccessDeniedException"])
    is_ours = (
        sfn.Choice.jsonata(scope, "IsItOurs")
        .when(
            sfn.Condition.jsonata(
                f"{{% $states.input.Tags[Key = '{WORKFLOW_TAG}'].Value = '{workflow_tag}'"
                f" and $exists($states.input.Tags[Key = '{EXECUTION_TAG}'])"
                f" and $not('{KEPT_TAG}' in $states.input.Tags.Key) %}}"
            ),
            of_a_run,
        )
        .otherwise(foreign)
    )
    runs = sfn.Map.jsonata(
        scope,
        "FindRuns",
        items=sfn.ProvideItems.jsonata("{% $paid %}"),
        max_concurrency=5,
        assign={"requests": "{% [$distinct($states.result[$ != '']).{'executionArn': $}] %}"},
        outputs={},
    ).item_processor(tags.next(is_ours))
    first = list_resources(scope, "SweepJobs", kind=JOB, name_contains=None, assign_to="paid")
    return (
        first.next(
            list_resources(
                scope, "SweepDeployments", kind=DEPLOYMENT, name_contains=None, assign_to="paid", append=True
            )
        )
        .next(
            list_resources(
                scope,
                "SweepProvisionedModels",
                kind=PROVISIONED_MODEL,
                name_contains=None,
                assign_to="paid",
                append=True,
            )
        )
        .next(runs)
        .next(done)
    )
