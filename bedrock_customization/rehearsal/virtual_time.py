"""Performs actions of the simulated account, with all that they start, in virtual time."""

from __future__ import annotations

from collections.abc import Callable

import trio

from bedrock_customization.rehearsal.garbage import searched_rarely
from bedrock_customization.rehearsal.interpreter.scheduling import in_order
from bedrock_customization.rehearsal.services.world import World


def perform(world: World, action: Callable[[], None]) -> None:
    """Perform an action, and return when everything that it started has ended; the world's clock goes on meanwhile.

    Args:
        world: The simulated account.
        action: What to do; executions that it starts run beside each other.
    """

    async def main() -> None:
        try:
            async with trio.open_nursery() as nursery:
                world.executions.nursery = nursery
                action()
        finally:
            world.executions.nursery = None
            world.clock.advance(trio.current_time())

    with world.aws.active(), in_order(), searched_rarely():
        try:
            trio.run(main, clock=world.clock.for_run())
        except BaseExceptionGroup as group:
            raise _only_one(group) from None


def _only_one(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
