"""Removes each statement of each policy in turn, and tells which removals no rehearsal notices.

`python -m tests.mutation.permissions` prints a line for each; it takes some minutes.
"""

from __future__ import annotations

import copy
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bedrock_customization.rehearsal import Rehearsal
from tests.workflows import permission_cases

Case = Callable[[Path], Rehearsal]

JUSTIFIED = {
    "states:RedriveExecution": "Step Functions redrives a Map Run with it when somebody redrives the execution",
    "states:DescribeExecution, states:StopExecution": "Step Functions follows and stops a Map Run's children with it",
}
"""Statements by their actions whose removal no rehearsal can notice, and what they are for."""


@dataclass(frozen=True)
class Removal:
    """A statement that is removed.

    Args:
        logical_id: The resource with the policy.
        path: Where the policy's statements are in the resource's properties.
        index: The statement's place.
        actions: The statement's actions.
    """

    logical_id: str
    path: tuple[str | int, ...]
    index: int
    actions: str

    def __str__(self) -> str:
        """The resource, the place and the actions."""
        return f"{self.logical_id}.{'.'.join(map(str, self.path))}[{self.index}] {self.actions}"

    def apply(self, template: dict[str, Any]) -> dict[str, Any]:
        """The template without the statement; a policy without statements stays."""
        mutated = copy.deepcopy(template)
        statements = mutated["Resources"][self.logical_id]["Properties"]
        for step in self.path:
            statements = statements[step]
        del statements[self.index]
        return mutated


def removals(template: dict[str, Any]) -> list[Removal]:
    """Every statement of every policy in a template."""
    return [
        Removal(logical_id, path, index, ", ".join(_list(statement["Action"])))
        for logical_id, resource in template["Resources"].items()
        for path, statements in _policies(resource.get("Properties", {}), ())
        for index, statement in enumerate(statements)
    ]


def _policies(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], list[dict[str, Any]]]]:
    if isinstance(value, dict):
        statements = value.get("Statement")
        if isinstance(statements, list):
            yield (*path, "Statement"), statements
        for key, item in value.items():
            yield from _policies(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _policies(item, (*path, index))


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


class Assembly:
    """A cloud assembly whose template can be changed.

    Args:
        directory: Where it is written.
    """

    def __init__(self, directory: Path) -> None:
        permission_cases.synthesize(directory)
        self.directory = directory
        self._file = directory / f"{permission_cases.STACK}.template.json"
        self.template: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))

    def noticed_by(self, removal: Removal, cases: tuple[Case, ...] = permission_cases.CASES) -> str | None:
        """The first case that fails, or sees a call denied, without a statement; None if none does."""
        self._file.write_text(json.dumps(removal.apply(self.template)), encoding="utf-8")
        try:
            for case in cases:
                if not _passes(case, self.directory):
                    return case.__name__
            return None
        finally:
            self._file.write_text(json.dumps(self.template), encoding="utf-8")


def _passes(case: Case, directory: Path) -> bool:
    try:
        return not case(directory).permissions.denied
    except Exception:
        return False


def main() -> int:
    """Try every removal; 1 if one goes unnoticed."""
    with tempfile.TemporaryDirectory() as folder:
        assembly = Assembly(Path(folder))
        unnoticed = []
        listed = removals(assembly.template)
        for removal in listed:
            case = assembly.noticed_by(removal)
            reason = JUSTIFIED.get(removal.actions)
            print(f"{case or (f'justified: {reason}' if reason else 'UNNOTICED'):60} {removal}", flush=True)
            if case is None and reason is None:
                unnoticed.append(removal)
        print(f"{len(listed)} statements removed, {len(unnoticed)} removals unnoticed")
        return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
