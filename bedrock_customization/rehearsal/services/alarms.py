"""The CloudWatch alarms of a template: what they tell, and whom."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import botocore.session

from bedrock_customization.rehearsal.deployment import DeployedStack


@dataclass(frozen=True)
class Alarm:
    """An alarm; metrics are not simulated, so that it is raised by hand.

    Args:
        name: Its name.
        arn: Its ARN.
        description: Its description.
        actions: The ARNs of what it tells; none if its actions are switched off.
    """

    name: str
    arn: str
    description: str
    actions: Sequence[str]

    def event(self, time: str, account: str) -> dict[str, Any]:
        """What it tells; a real one also says which datapoints are to blame.

        Args:
            time: The time, as ISO 8601.
            account: The account.
        """
        return {
            "AlarmName": self.name,
            "AlarmDescription": self.description,
            "AWSAccountId": account,
            "NewStateValue": "ALARM",
            "OldStateValue": "OK",
            "StateChangeTime": time,
            "AlarmArn": self.arn,
        }


def subject_of(message: str, region: str) -> str:
    """The subject of the mail that an alarm's event becomes, such as `ALARM: "Team-Alarm" in US East (N. Virginia)`.

    Args:
        message: The event, as JSON.
        region: The alarm's Region.
    """
    partitions = botocore.session.Session().get_data("partitions")["partitions"]
    names = {name: about["description"] for partition in partitions for name, about in partition["regions"].items()}
    return f'ALARM: "{json.loads(message)["AlarmName"]}" in {names.get(region, region)}'[:100]


def alarms_of(stack: DeployedStack) -> list[Alarm]:
    """The alarms of a deployed stack."""
    alarms = []
    for template, logical_id in stack.resources("AWS::CloudWatch::Alarm"):
        properties = template.properties(logical_id, "AlarmActions", "AlarmDescription", "ActionsEnabled")
        enabled = properties.get("ActionsEnabled", True) in (True, "true")
        alarms.append(
            Alarm(
                name=template.reference(logical_id),
                arn=template.arn(logical_id),
                description=str(properties.get("AlarmDescription", "")),
                actions=properties.get("AlarmActions", []) if enabled else [],
            )
        )
    return alarms
