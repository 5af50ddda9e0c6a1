"""ModelRegistry: which custom model is the current one, with its history, and an event when that changes."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from bedrock_customization import permissions
from bedrock_customization.states.promotion import EVENT_SOURCE, PROMOTED


class ModelRegistry(Construct):
    """A parameter that holds the promoted model as JSON; its versions are the history of promotions.

    The value is `{"customModelArn", "modelId", "previousModelId", "customModelName", "baseModelIdentifier", "metric",
    "scores", "data", "signatures", "results", "execution", "promotedAt"}`, and `{}` before the first promotion. The
    same is the detail of an event with the source `bedrock-customization` and the type `Custom Model Promoted`. What
    would be longer than the 8 KB of an advanced parameter has the scores of the deciding metric only, and no
    signatures; `results` has all.

    `modelId` is null where a workflow releases what serves its winner (`on_success`).

    Systems Manager keeps the last 100 versions of a parameter, and the parameter stays when the stack is deleted. A
    model that was promoted before stays served, so that one can go back to it: ask the `modelId` of the version before.
    It goes on to be billed until it is deleted, and the message about the promotion names it.

    Attributes:
        parameter: The parameter of the current model.
        event_bus: Where the event goes.
    """

    def __init__(self, scope: Construct, construct_id: str, *, event_bus: events.IEventBus | None) -> None:
        """Creates the parameter.

        Args:
            scope: The construct that holds this one.
            construct_id: Its id.
            event_bus: Where the event goes; by default the account's default bus.
        """
        super().__init__(scope, construct_id)
        self.parameter = ssm.StringParameter(
            self,
            "CurrentModel",
            description="The custom model that was promoted last, as JSON; a run writes it",
            string_value="{}",
        )
        # Models and buckets outlive the stack, and the history tells which model is which.
        self.parameter.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        self.event_bus = event_bus or events.EventBus.from_event_bus_name(self, "DefaultBus", "default")

    def statements(self) -> Sequence[iam.PolicyStatement]:
        """What a machine needs to register a model."""
        return permissions.register_models(self.parameter, self.event_bus, EVENT_SOURCE)

    def on_promoted(self, construct_id: str, target: events.IRuleTarget) -> events.Rule:
        """Starts something whenever this workflow promotes a model.

        Args:
            construct_id: The rule's id.
            target: What to start.
        """
        return events.Rule(
            self,
            construct_id,
            event_bus=self.event_bus,
            event_pattern=events.EventPattern(
                source=[EVENT_SOURCE],
                detail_type=[PROMOTED],
                detail={"parameter": [self.parameter.parameter_name]},
            ),
            targets=[target],
        )
