"""EventBridge: matches events against the template's rules and starts their targets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jmespath

from bedrock_customization.rehearsal.clock import VirtualClock
from bedrock_customization.rehearsal.deployment import DeployedStack
from bedrock_customization.rehearsal.run import Run
from bedrock_customization.rehearsal.services import event_pattern
from bedrock_customization.rehearsal.services.api import ApiCall
from bedrock_customization.rehearsal.services.executions import describe

_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.-]+)>")
_SMALL_EVENT = 248 * 1024

StartTarget = Callable[[str, Any, dict[str, Any], str], None]
"""Starts a rule's target: its ARN, what it gets, the target as the rule describes it, and the rule's ARN."""


@dataclass
class Rule:
    """A rule of the template.

    Args:
        name: Its physical name.
        bus: Its event bus.
        pattern: Its event pattern; None for a schedule.
        targets: What it starts.
        enabled: Whether it is enabled.
        schedule: Its schedule expression, if it is one.
        where: What error messages call it.
        arn: Its ARN.
    """

    name: str
    bus: str
    pattern: dict[str, Any] | None
    targets: list[dict[str, Any]]
    enabled: bool
    schedule: str | None
    where: str
    arn: str


@dataclass
class EventBus:
    """All event buses of the account.

    Args:
        clock: The virtual time.
        account: The account's 12 digits.
        region: The Region.
        start: Starts a target.
        rules: The rules.
        events: Every event so far.
        failures: Targets that could not be started, and why.
    """

    clock: VirtualClock
    account: str
    region: str
    start: StartTarget
    rules: list[Rule] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def execution_changed(self, run: Run) -> None:
        """Publish that an execution changed its status; EXPRESS ones do so silently."""
        if run.execution.express:
            return
        description = describe(run)
        detail: dict[str, Any] = {
            "executionArn": run.arn,
            "stateMachineArn": run.state_machine_arn,
            "name": run.name,
            "status": run.status,
            "startDate": _millis(run.started),
            "stopDate": None if run.stopped is None else _millis(run.stopped),
            "input": description["input"],
            "output": description.get("output"),
            "error": run.error,
            "cause": run.cause,
            "inputDetails": {"included": True},
            "outputDetails": {"included": True} if run.status == "SUCCEEDED" else None,
            "redriveCount": description["redriveCount"],
            "redriveDate": None if run.execution.redriven is None else _millis(run.execution.redriven),
            "redriveStatus": description["redriveStatus"],
            "redriveStatusReason": description.get("redriveStatusReason"),
        }
        if len(detail["input"].encode()) + len((detail["output"] or "").encode()) > _SMALL_EVENT:
            detail |= {"input": None, "output": None, "inputDetails": {"included": False}}
            detail["outputDetails"] = {"included": False} if run.status == "SUCCEEDED" else None
        self.put("aws.states", "Step Functions Execution Status Change", detail, [run.arn])

    def put(self, source: str, detail_type: str, detail: Any, resources: list[str], bus: str = "default") -> str:
        """Publish an event and start the targets of the rules that want it.

        Returns:
            The event's id.
        """
        number = len(self.events) + 1
        event = {
            "version": "0",
            "id": f"00000000-0000-0000-0000-{number:012d}",
            "detail-type": detail_type,
            "source": source,
            "account": self.account,
            "time": self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.region,
            "resources": resources,
            "detail": detail,
        }
        self.events.append(event)
        for rule in self.rules:
            if (
                rule.enabled
                and rule.pattern is not None
                and rule.bus == bus
                and event_pattern.matches(rule.pattern, event, f"{rule.where}.EventPattern")
            ):
                self.fire(rule, event)
        return str(event["id"])

    def fire(self, rule: Rule, event: dict[str, Any]) -> None:
        """Start a rule's targets with an event."""
        for target in rule.targets:
            self.start(target["Arn"], _input_of(target, event), target, rule.arn)

    def knows(self, operation: str) -> bool:
        """PutEvents is simulated here; the rest is refused."""
        return operation == "PutEvents"

    def answer(self, call: ApiCall) -> dict[str, Any] | None:
        """Answer the EventBridge API's PutEvents."""
        if call.operation != "PutEvents":
            raise NotImplementedError(f"events:{call.operation} is not simulated")
        entries = [
            self.put(
                entry.get("Source", ""),
                entry.get("DetailType", ""),
                json.loads(entry.get("Detail", "{}")),
                entry.get("Resources", []),
                entry.get("EventBusName", "default").rsplit("/", 1)[-1],
            )
            for entry in call.parameters["Entries"]
        ]
        return {"FailedEntryCount": 0, "Entries": [{"EventId": entry} for entry in entries]}


def rules_of(stack: DeployedStack) -> list[Rule]:
    """The rules and schedules of a deployed stack."""
    rules = []
    for template, logical_id in stack.resources("AWS::Events::Rule"):
        properties = template.properties(logical_id)
        where = f"{template.path}: {logical_id}.Properties (AWS::Events::Rule)"
        rules.append(
            Rule(
                name=template.reference(logical_id),
                bus=str(properties.get("EventBusName", "default")).rsplit("/", 1)[-1],
                pattern=properties.get("EventPattern"),
                targets=properties.get("Targets", []),
                enabled=properties.get("State", "ENABLED") != "DISABLED",
                schedule=properties.get("ScheduleExpression"),
                where=where,
                arn=template.arn(logical_id),
            )
        )
    for template, logical_id in stack.resources("AWS::Scheduler::Schedule"):
        properties = template.properties(logical_id, "Target", "State", "ScheduleExpression")
        rules.append(
            Rule(
                name=template.reference(logical_id),
                bus="default",
                pattern=None,
                targets=[properties["Target"]],
                enabled=properties.get("State", "ENABLED") != "DISABLED",
                schedule=properties["ScheduleExpression"],
                where=f"{template.path}: {logical_id}.Properties (AWS::Scheduler::Schedule)",
                arn=template.arn(logical_id),
            )
        )
    return rules


def _input_of(target: dict[str, Any], event: dict[str, Any]) -> Any:
    if "Input" in target:
        return json.loads(target["Input"])
    if "InputPath" in target:
        return _at(event, target["InputPath"])
    if "InputTransformer" in target:
        return _transformed(target["InputTransformer"], event)
    return event


def _transformed(transformer: dict[str, Any], event: dict[str, Any]) -> Any:
    values = {name: _at(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    values["aws.events.event"] = values["aws.events.event.json"] = event
    values["aws.events.event.ingestion-time"] = event["time"]

    def filled(match: re.Match[str]) -> str:
        value = values.get(match.group(1))
        if not _inside_string(match):
            return json.dumps(value)
        text = value if isinstance(value, str) else json.dumps(value)
        return json.dumps(text)[1:-1]

    text = _PLACEHOLDER.sub(filled, transformer["InputTemplate"])
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _inside_string(match: re.Match[str]) -> bool:
    return match.string[: match.start()].replace('\\"', "").count('"') % 2 == 1


def _at(event: dict[str, Any], path: str) -> Any:
    if path in ("$", "$."):
        return event
    parts = re.findall(r"[^.\[\]]+|\[\d+\]", path.removeprefix("$."))
    expression = ".".join(f'"{part}"' if not part.startswith("[") else part for part in parts).replace(".[", "[")
    return jmespath.search(expression, event)


def _millis(seconds: float) -> int:
    return 1_767_225_600_000 + round(seconds * 1000)
