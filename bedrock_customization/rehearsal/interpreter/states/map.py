"""Map: runs its processor on many items, in the execution itself or as a Map Run."""

from __future__ import annotations

from bedrock_customization.rehearsal.interpreter.states.distributed_map import run_distributed_map
from bedrock_customization.rehearsal.interpreter.states.inline_map import run_inline_map
from bedrock_customization.rehearsal.interpreter.visit import Outcome, Visit


async def run_map(visit: Visit) -> Outcome:
    """Run the Map in its mode, INLINE or DISTRIBUTED."""
    return await (run_distributed_map if visit.state.distributed else run_inline_map)(visit)
