"""Prints a rehearsed execution as it goes."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import Any

from bedrock_customization.rehearsal import Run

# States that only prepare and branch would hide the ones that do something; the gates are where it is decided.
SHOWN = ("TaskStateEntered", "WaitStateEntered", "MapStateEntered")
GATE = "QualityGate"


class Progress:
    """An observer that prints each state that does something once, with its virtual time, and counts of records."""

    def __init__(self) -> None:
        self._begin: datetime | None = None
        self._entered: set[tuple[str, str]] = set()
        self._children: Counter[str] = Counter()
        self._depth: dict[str, int] = {}

    def __call__(self, execution: Run, event: dict[str, Any]) -> None:
        """Takes one history event.

        Args:
            execution: The execution that it happened in.
            event: The event, shaped as GetExecutionHistory gives it.
        """
        self._begin = self._begin or event["timestamp"]
        machine = execution.arn.split(":")[6]
        if "/" in machine:
            self._children[f"{machine.split('/')[1]} {event['type']}"] += 1
            return
        if event["type"] == "ExecutionStarted":
            self._depth[execution.arn] = len(self._depth) and 1
        elif event["type"].endswith("StateEntered"):
            name = event["stateEnteredEventDetails"]["name"]
            shown = event["type"] in SHOWN or name == GATE
            if shown and (execution.arn, name) not in self._entered:
                self._entered.add((execution.arn, name))
                self._print(event, self._depth[execution.arn], name)
        elif event["type"] == "MapStateExited":
            self._print_children(event, self._depth[execution.arn])
        elif event["type"] == "TaskSucceeded":
            self._print_counts(event, self._depth[execution.arn])

    def _print(self, event: dict[str, Any], depth: int, text: str) -> None:
        assert self._begin is not None
        seconds = int((event["timestamp"] - self._begin).total_seconds())
        time = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        print(f"  {time}  {'    ' * depth}{text}", flush=True)

    def _print_children(self, event: dict[str, Any], depth: int) -> None:
        name = event["stateExitedEventDetails"]["name"]
        succeeded, failed = (self._children[f"{name} Execution{status}"] for status in ("Succeeded", "Failed"))
        if succeeded or failed:
            noun, done = ("record", "asked") if name == "GenerateResponses" else ("shard", "scored")
            what = f"{succeeded} {noun if succeeded == 1 else f'{noun}s'} {done}"
            self._print(event, depth, f"  {what}" + (f", {failed} failed" if failed else ""))

    def _print_counts(self, event: dict[str, Any], depth: int) -> None:
        output = json.loads(event["taskSucceededEventDetails"].get("output") or "null")
        counts = output.get("Payload") if isinstance(output, dict) else None
        if not isinstance(counts, dict):
            return
        if "trainingRecords" in counts:
            kinds = ("training", "validation", "evaluation")
            text = ", ".join(f"{counts[f'{kind}Records'] or 0} {kind}" for kind in kinds)
            self._print(event, depth, f"  records: {text}; warnings: {counts['warnings']}")
        elif "usable" in counts:
            self._print(event, depth, f"  {counts['usable']} of {counts['records']} records usable")
        elif "counted" in counts:
            self._print(event, depth, f"  {counts['counted']} of {counts['records']} records counted")
