"""Removes each statement, action and condition of each policy in turn, and tells which removals no rehearsal notices.

`python -m tests.mutation.permissions` prints a line for each; it takes some minutes. `statements`, `actions` or
`conditions` as argument tries these only.
"""

from __future__ import annotations

import copy
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bedrock_customization.rehearsal import Rehearsal
from bedrock_customization.rehearsal.permissions.statements import Grant
from tests.workflows import complete_runs
from tests.workflows.permission_cases import CASES, FOREIGN_CASES

Case = Callable[[Path], Rehearsal]

JUSTIFIED = {
    ("EvaluationDistributedMapPolicy", "states:DescribeExecution"): "Step Functions follows a Map Run's children",
    ("EvaluationDistributedMapPolicy", "states:StopExecution"): "Step Functions stops a Map Run's children",
    ("EvaluationDistributedMapPolicy", "states:DescribeExecution, states:StopExecution"): "as these two",
    ("EvaluationMachineRoleDefaultPolicy", "s3:AbortMultipartUpload"): "Step Functions writes large files in parts",
    ("EvaluationMachineRoleDefaultPolicy", "s3:ListMultipartUploadParts"): "Step Functions writes large files in parts",
    ("", "aws:SourceAccount beside aws:SourceArn"): "the source's ARN names the account, too; AWS recommends both",
}
"""What no rehearsal can notice: the beginning of the policy's logical id, what is removed, and what it is for."""


@dataclass(frozen=True)
class Removal:
    """Something of a policy that is removed.

    Args:
        logical_id: The resource with the policy.
        path: Where it is in the resource's properties.
        kind: `statement`, `action` or `condition`.
        what: The statement's actions, the action, or the condition's key.
    """

    logical_id: str
    path: tuple[str | int, ...]
    kind: str
    what: str

    def __str__(self) -> str:
        """The resource, the place and what is removed."""
        return f"{self.logical_id}.{'.'.join(map(str, self.path))} {self.what}"

    def apply(self, template: dict[str, Any]) -> dict[str, Any]:
        """The template without it; a policy without statements stays, and so does an operator without keys."""
        mutated = copy.deepcopy(template)
        holder = mutated["Resources"][self.logical_id]["Properties"]
        for step in self.path[:-1]:
            holder = holder[step]
        del holder[self.path[-1]]
        return mutated

    @property
    def reason(self) -> str | None:
        """Why no rehearsal can notice it; None if one must."""
        for (beginning, what), reason in JUSTIFIED.items():
            if self.logical_id.startswith(beginning) and self.what == what:
                return reason
        return None


def removals(template: dict[str, Any]) -> list[Removal]:
    """Everything that can be removed from the policies of a template."""
    return [
        removal
        for logical_id, resource in template["Resources"].items()
        for path, statements in _policies(resource.get("Properties", {}), ())
        for index, statement in enumerate(statements)
        for removal in _parts(logical_id, (*path, index), statement)
    ]


def _parts(logical_id: str, path: tuple[str | int, ...], statement: dict[str, Any]) -> Iterator[Removal]:
    actions = _list(statement["Action"])
    yield Removal(logical_id, path, "statement", ", ".join(actions))
    if len(actions) > 1:
        for index, action in enumerate(actions):
            yield Removal(logical_id, (*path, "Action", index), "action", action)
    conditions = statement.get("Condition", {})
    beside = " beside aws:SourceArn" if any("aws:SourceArn" in keys for keys in conditions.values()) else ""
    for operator, keys in conditions.items():
        for key in keys:
            what = key + beside if key == "aws:SourceAccount" else key
            yield Removal(logical_id, (*path, "Condition", operator, key), "condition", what)


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
        complete_runs.synthesize(directory)
        self.directory = directory
        self._file = directory / f"{complete_runs.STACK}.template.json"
        self.template: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
        self._rehearsals: list[Rehearsal] = []
        self._seconds: dict[Case, float] = {}

    @property
    def rehearsals(self) -> list[Rehearsal]:
        """Every case, rehearsed once without a removal."""
        for case in CASES[len(self._rehearsals) :]:
            began = time.process_time()
            self._rehearsals.append(case(self.directory))
            self._seconds[case] = time.process_time() - began
        return self._rehearsals

    def noticed_by(self, removal: Removal) -> str | None:
        """What fails, or sees a call denied, without something: the deployment or a case; None if nothing does."""
        rehearsals = self.rehearsals
        self._file.write_text(json.dumps(removal.apply(self.template)), encoding="utf-8")
        try:
            try:
                permissions = complete_runs.deploy(self.directory).permissions
            except Exception:
                return "deployment"
            if permissions.denied:
                return "deployment"
            lost = rehearsals[0].permissions.granted - permissions.granted
            for case in self._likely_first(removal, lost):
                if not _passes(case, self.directory):
                    return case.__name__
            return None
        finally:
            self._file.write_text(json.dumps(self.template), encoding="utf-8")

    def _likely_first(self, removal: Removal, lost: set[Grant]) -> Sequence[Case]:
        """The cases: those first that use what was granted or try what must be denied, and the quick ones."""

        def rank(case: Case) -> tuple[bool, float]:
            if removal.kind == "condition" or not lost:
                return case not in FOREIGN_CASES, self._seconds[case]
            return not lost & set(self._rehearsals[CASES.index(case)].permissions.used), self._seconds[case]

        return sorted(CASES, key=rank)


def _passes(case: Case, directory: Path) -> bool:
    try:
        return not case(directory).permissions.denied
    except Exception:
        return False


def main(kinds: Sequence[str]) -> int:
    """Try every removal; 1 if one goes unnoticed."""
    with tempfile.TemporaryDirectory() as folder:
        assembly = Assembly(Path(folder))
        unnoticed = []
        listed = [removal for removal in removals(assembly.template) if not kinds or f"{removal.kind}s" in kinds]
        for removal in listed:
            reason = removal.reason
            case = None if reason else assembly.noticed_by(removal)
            print(f"{case or (f'justified: {reason}' if reason else 'UNNOTICED'):60} {removal}", flush=True)
            if case is None and reason is None:
                unnoticed.append(removal)
        named = ("statement", "action", "condition")
        counts = ", ".join(f"{sum(removal.kind == kind for removal in listed)} {kind}s" for kind in named)
        print(f"removed {counts}; {len(unnoticed)} removals unnoticed")
        return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
