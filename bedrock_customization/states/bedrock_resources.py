"""What Bedrock calls the things that a run pays for: operations and fields."""

from __future__ import annotations

from dataclasses import dataclass, field

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
        sweep_filters: Arguments of `list`, as JSONata expressions, that leave out what never has to be released.
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
    sweep_filters: dict[str, str] = field(default_factory=dict)


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
    # The list has every job there ever was. One that is stopping needs nobody to stop it.
    sweep_filters={"StatusEquals": "'InProgress'"},
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
# As many as certainly fit into a task's result of 256 KiB, however long their names and failure messages are.
PAGE_SIZE = 20
# What is paid for while it exists; a model's storage is cheap and its training was not.
PAID_KINDS = (JOB, DEPLOYMENT, PROVISIONED_MODEL)


def list_resources(
    scope: Construct,
    construct_id: str,
    *,
    kind: ResourceKind,
    wanted: str,
    taken: str,
    filters: dict[str, str],
    assign_to: str,
    append: bool = False,
    done: sfn.IChainable,
) -> sfn.CustomState:
    """Lists resources of a kind, page by page, and assigns what is taken of them as a list.

    Reads and assigns the variable `<assign_to>Token`, which is null before the first page and after the last one.

    Args:
        scope: The construct that holds the states.
        construct_id: The name of the state that lists.
        kind: What to list.
        wanted: A JSONata condition on a summary's fields: which resources are taken.
        taken: A JSONata expression of a summary's fields: what is taken of a resource.
        filters: Arguments of the List operation, as JSONata expressions.
        assign_to: The variable to assign.
        append: Whether the variable's present value is kept in front.
        done: What follows the last page.
    """
    token = f"${assign_to}Token"
    before = f"${assign_to}" if append else f"({token} = null ? [] : ${assign_to})"
    arguments = ", ".join(f"'{name}': {value}" for name, value in {"MaxResults": PAGE_SIZE, **filters}.items())
    find = task(
        scope,
        construct_id,
        resource=f"aws-sdk:bedrock:{kind.list}",
        arguments=expression(f"$merge([{{{arguments}}}, {token} = null ? {{}} : {{'NextToken': {token}}}])"),
        output={},
        assign={
            assign_to: f"{{% [{before}, $states.result.{kind.summaries}[{wanted}].{taken}] %}}",
            f"{assign_to}Token": "{% $exists($states.result.NextToken) ? $states.result.NextToken : null %}",
        },
    )
    find.next(
        sfn.Choice.jsonata(scope, f"{construct_id}HasNextPage")
        .when(sfn.Condition.jsonata(f"{{% {token} != null %}}"), find)
        .otherwise(done)
    )
    return find


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
