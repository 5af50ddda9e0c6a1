"""Brings the deployed stacks of a cloud assembly into a world, so that they can run there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bedrock_customization.rehearsal.assembly import (
    Assets,
    CloudAssembly,
    SynthesizedStack,
    UnsupportedTemplateError,
)
from bedrock_customization.rehearsal.definitions import definition_of
from bedrock_customization.rehearsal.deployment import DeployedStack, Deployer
from bedrock_customization.rehearsal.interpreter.services import StateMachine, UnsupportedDefinitionError
from bedrock_customization.rehearsal.permissions.creation import check_creation, read_policies
from bedrock_customization.rehearsal.services.alarms import alarms_of
from bedrock_customization.rehearsal.services.bucket_events import notifying_buckets
from bedrock_customization.rehearsal.services.event_bus import rules_of
from bedrock_customization.rehearsal.services.function_code import functions_of
from bedrock_customization.rehearsal.services.notifications import subscriptions_of
from bedrock_customization.rehearsal.services.world import World


def install(
    world: World,
    assembly: CloudAssembly,
    stack: SynthesizedStack,
    parameters: Mapping[str, Any],
    *,
    enforce_permissions: bool,
) -> dict[str, DeployedStack]:
    """Deploy a stack and every stack that it needs.

    Args:
        world: The simulated account.
        assembly: The assembly.
        stack: One of its stacks.
        parameters: Values of the template's parameters.
        enforce_permissions: Whether every call is checked against the stacks' IAM policies.

    Returns:
        What is deployed, by the stacks' names.

    Raises:
        DeploymentDeniedError: A resource could not be created, because a role or a key does not allow enough.
        KeyError: There is no such parameter.
        UnsupportedTemplateError: Running needs something that the rehearsal does not know; names it.
    """
    with world.aws.active():
        deployer = Deployer(assembly, world.aws, world.place, parameters)
        deployer.deploy(stack)
        taken: list[DeployedStack] = []
        while len(taken) < len(deployer.stacks):
            # What one stack needs of another deploys the other, and so do its policies.
            for deployed in list(deployer.stacks.values())[len(taken) :]:
                _take(world, deployed, assembly.assets)
                taken.append(deployed)
            if enforce_permissions:
                read_policies(taken, world.permissions)
        _check_parameters(parameters, taken)
        if enforce_permissions:
            for deployed in taken:
                check_creation(deployed, world.executions.machines, world.permissions)
    return deployer.stacks


def _take(world: World, stack: DeployedStack, assets: Assets) -> None:
    for template, logical_id in stack.resources("AWS::StepFunctions::StateMachine"):
        arn = template.reference(logical_id)
        try:
            properties = template.properties(logical_id)
            definition = definition_of(properties, assets, f"{template.path}: {logical_id}")
        except (UnsupportedTemplateError, UnsupportedDefinitionError) as error:
            world.executions.refusals[arn] = error
            continue
        kind = properties.get("StateMachineType", "STANDARD")
        world.executions.machines[arn] = StateMachine(arn, definition, properties.get("RoleArn"), kind)
    for function in functions_of(stack, assets):
        world.functions.add(function)
    world.notifications.subscriptions += subscriptions_of(stack)
    world.bus.rules += rules_of(stack)
    world.bucket_events.buckets |= set(notifying_buckets(stack))
    world.alarms += alarms_of(stack)


def _check_parameters(given: Mapping[str, Any], stacks: Sequence[DeployedStack]) -> None:
    known = {name: None for stack in stacks for name in stack.template.body.get("Parameters", {})}
    for name in given:
        if name not in known:
            raise KeyError(f"parameters: there is no parameter {name!r}; there are {', '.join(known) or 'none'}")
