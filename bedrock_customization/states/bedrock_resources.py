"""What Bedrock calls the things that a run pays for: operations and fields."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.task import expression, task


@dataclass(frozen=True)
class ResourceKind:
    """A kind of resource, with the names that its operations and fields have in Bedrock's API.

    Attributes:
        title: The kind in names of states.
        plural: Several of them.
        list: The operation that lists them.
        summaries: The field of that operation's answer.
        name: A resource's name in it.
        arn: A resource's ARN in it.
        delete: The operation that ends a resource.
        identifier: The argument of that operation.
        exists: A JSONata condition on a summary: whether the resource still has to be released.
    """

    title: str
    plural: str
    list: str
    summaries: str
    name: str
    arn: str
    delete: str
    identifier: str
    exists: str = "true"


JOB = ResourceKind(
    title="Job",
    plural="Jobs",
    list="listModelCustomizationJobs",
    summaries="ModelCustomizationJobSummaries",
    name="JobName",
    arn="JobArn",
    delete="stopModelCustomizationJob",
    identifier="JobIdentifier",
    exists="Status in ['InProgress', 'Stopping']",
)
DEPLOYMENT = ResourceKind(
    title="Deployment",
    plural="Deployments",
    list="listCustomModelDeployments",
    summaries="ModelDeploymentSummaries",
    name="CustomModelDeploymentName",
    arn="CustomModelDeploymentArn",
    delete="deleteCustomModelDeployment",
    identifier="CustomModelDeploymentIdentifier",
)
PROVISIONED_MODEL = ResourceKind(
    title="ProvisionedModel",
    plural="ProvisionedModels",
    list="listProvisionedModelThroughputs",
    summaries="ProvisionedModelSummaries",
    name="ProvisionedModelName",
    arn="ProvisionedModelArn",
    delete="deleteProvisionedModelThroughput",
    identifier="ProvisionedModelId",
)
MODEL = ResourceKind(
    title="Model",
    plural="Models",
    list="listCustomModels",
    summaries="ModelSummaries",
    name="ModelName",
    arn="ModelArn",
    delete="deleteCustomModel",
    identifier="ModelIdentifier",
)
# What is paid for while it exists; a model's storage is cheap and its training was not.
PAID_KINDS = (JOB, DEPLOYMENT, PROVISIONED_MODEL)


def list_resources(
    scope: Construct,
    construct_id: str,
    *,
    kind: ResourceKind,
    name_contains: str | None,
    assign_to: str,
    append: bool = False,
) -> sfn.CustomState:
    """Lists resources of a kind, and assigns them as `[{"kind", "name", "arn"}]`.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        kind: What to list.
        name_contains: A JSONata expression that their names contain; all of them when it is left out.
        assign_to: The variable to assign.
        append: Whether the variable's present value is kept in front.
    """
    named = "true" if name_contains is None else f"$contains({kind.name}, {name_contains})"
    arguments: dict[str, object] = {"MaxResults": 1000}
    if name_contains is not None:
        arguments["NameContains"] = f"{{% {name_contains} %}}"
    return task(
        scope,
        construct_id,
        resource=f"aws-sdk:bedrock:{kind.list}",
        arguments=arguments,
        output={},
        assign={
            assign_to: expression(f"""
                [{f"${assign_to}, " if append else ""}$states.result.{kind.summaries}[{named} and {kind.exists}]
                    .{{'kind': '{kind.title}', 'name': {kind.name}, 'arn': {kind.arn}}}]
            """)
        },
    )


def read_tags(scope: Construct, construct_id: str, *, arn: str) -> sfn.CustomState:
    """Reads a resource's tags; the output has `Tags`.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        arn: The resource's ARN, a JSONata expression.
    """
    return task(
        scope,
        construct_id,
        resource="aws-sdk:bedrock:listTagsForResource",
        arguments={"ResourceARN": f"{{% {arn} %}}"},
    )
