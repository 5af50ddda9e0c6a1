"""Finds what a user names: a construct, a logical id, a construct path, a physical name or an ARN."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from bedrock_customization.rehearsal.deployment import DeployedStack
from bedrock_customization.rehearsal.interpreter.services import StateMachine
from bedrock_customization.rehearsal.services.alarms import Alarm
from bedrock_customization.rehearsal.services.event_bus import Rule
from bedrock_customization.rehearsal.services.world import World

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class Names:
    """What can be named in a rehearsal.

    Args:
        world: The simulated account.

    Attributes:
        stack: The stack that is rehearsed; None for hand-written state machines.
        stacks: Every stack that is deployed, by its name.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.stack: DeployedStack | None = None
        self.stacks: dict[str, DeployedStack] = {}

    def machine(self, key: Any) -> StateMachine:
        """A state machine.

        Raises:
            KeyError: There is none; names those that there are.
        """
        machines = self._world.executions.machines
        name = self._physical("state_machine", key, ["state_machine_arn"], "AWS::StepFunctions::StateMachine")
        for arn in (*machines, *self._world.executions.refusals):
            if name in (arn, arn.rsplit(":", 1)[-1]):
                return self._world.executions.machine(arn)
        known = ", ".join(machine.name for machine in machines.values()) or "none"
        raise KeyError(f"state_machine: there is no state machine {name!r}; there are {known}")

    def states(self, *types: str) -> set[str]:
        """The names of the states of all state machines, with those inside of others.

        Args:
            *types: The types that are meant; by default all.
        """
        found: set[str] = set()
        inside: list[Any] = [machine.definition for machine in self._world.executions.machines.values()]
        while inside:
            value = inside.pop()
            if isinstance(value, list):
                inside += value
            if isinstance(value, dict):
                inside += value.values()
                states = value.get("States")
                for name, state in states.items() if isinstance(states, dict) else ():
                    if isinstance(state, dict) and (not types or state.get("Type") in types):
                        found.add(name)
        return found

    def bucket(self, key: Any) -> str:
        """A bucket's name.

        Raises:
            KeyError: It cannot be a bucket; names those that there are.
        """
        name = self._physical("bucket", key, ["bucket_name"], "AWS::S3::Bucket")
        if not _BUCKET_NAME.fullmatch(name):
            known = ", ".join(self._logical_ids("AWS::S3::Bucket")) or "none"
            raise KeyError(f"bucket: there is no bucket {name!r}; the stack has {known}")
        return name

    def function(self, key: Any) -> str:
        """A Lambda function's name.

        Raises:
            KeyError: A stack is rehearsed, it has no such function, and none of its resources names it.
        """
        name = self._physical("handlers", key, ["function_name"], "AWS::Lambda::Function")
        bare = name.split(":function:", 1)[-1]
        if name == key == bare and self.stacks and not self._is_named(bare):
            known = ", ".join(self._logical_ids("AWS::Lambda::Function")) or "none"
            raise KeyError(
                f"handlers: there is no function {name!r}; the stack has {known}; pass the ARN of a function that the "
                "stack does not name"
            )
        return bare

    def rule(self, key: Any) -> Rule:
        """A schedule.

        Raises:
            KeyError: There is none; names those that there are.
        """
        kinds = ("AWS::Events::Rule", "AWS::Scheduler::Schedule")
        name = self._physical("schedule", key, ["rule_name", "schedule_name"], *kinds)
        for rule in self._world.bus.rules:
            if name == rule.name and rule.schedule is not None:
                return rule
        known = ", ".join(rule.name for rule in self._world.bus.rules if rule.schedule) or "none"
        raise KeyError(f"schedule: there is no schedule {name!r}; there are {known}")

    def alarm(self, key: Any) -> Alarm:
        """An alarm.

        Raises:
            KeyError: There is none; names those that there are.
        """
        name = self._physical("alarm", key, ["alarm_name"], "AWS::CloudWatch::Alarm")
        for alarm in self._world.alarms:
            if name == alarm.name:
                return alarm
        known = ", ".join(alarm.name for alarm in self._world.alarms) or "none"
        raise KeyError(f"alarm: there is no alarm {name!r}; there are {known}")

    def _logical_ids(self, *kinds: str) -> list[str]:
        return [] if self.stack is None else [logical_id for _, logical_id in self.stack.resources(*kinds)]

    def _is_named(self, function: str) -> bool:
        """Whether a function has the name, or any resource of the stacks has it in a text."""
        return function in self._world.functions or any(
            function in json.dumps(stack.template.body) for whole in self.stacks.values() for stack in whole.all()
        )

    def _physical(self, argument: str, key: Any, attributes: Sequence[str], *kinds: str) -> str:
        """The physical id of what a construct, logical id, construct path or name means."""
        if not isinstance(key, str):
            attributes = ["ref"] if hasattr(key, "cfn_resource_type") else attributes
            token = next((getattr(key, name) for name in attributes if hasattr(key, name)), None)
            if token is None:
                known = " or ".join(kinds)
                raise TypeError(
                    f"{argument}: got {key!r}; it must be the construct, logical id, construct path or name of an "
                    f"{known}"
                )
            return self._resolve(key, token)
        for stack in self.stack.all() if self.stack is not None else ():
            for logical_id, _ in stack.template.resources(*kinds):
                paths = [path.removesuffix("/Resource") for path, known in stack.paths.items() if known == logical_id]
                if key == logical_id or any(path == key or path.endswith(f"/{key}") for path in paths):
                    return stack.template.reference(logical_id)
        return key

    def _resolve(self, construct: Any, token: str) -> str:
        from aws_cdk import Stack

        own = stack = Stack.of(construct)
        path: list[str] = []
        while stack.nested_stack_parent is not None:
            resource: Any = stack.nested_stack_resource
            stack = stack.nested_stack_parent
            path.insert(0, stack.resolve(resource.logical_id))
        if stack.stack_name not in self.stacks:
            raise KeyError(f"{construct.node.path}: its stack {stack.stack_name} is not part of this rehearsal")
        deployed = self.stacks[stack.stack_name]
        for logical_id in path:
            deployed = deployed.nested[logical_id]
        with self._world.aws.active():
            return str(deployed.template.resolve(own.resolve(token), construct.node.path))
