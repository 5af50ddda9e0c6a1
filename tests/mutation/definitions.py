"""Removes each safeguard of the state machines and of what starts them in turn, and tells what notices.

A safeguard is a catcher, a guard (a rule of a Choice), a time-out, an idempotency token, a tag, a precondition, an
EventBridge rule or a dead-letter queue. `python -m tests.mutation.definitions` prints a line for each, in half an hour.
`python -m tests.mutation.definitions <text>` tries those whose line has the text.
"""

from __future__ import annotations

import copy
import io
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.account import Account, assembly
from tests.faults.cases import machine_of, visits
from tests.faults.matrix import Case, check, covering, everything
from tests.faults.outcome import problems
from tests.faults.scenarios import SCENARIOS, Scenario

# Arguments whose loss costs money or a message, as they stand in a state's arguments or in a JSONata expression.
_ARGUMENTS = ("ClientRequestToken", "Tags", "JobTags", "CustomModelTags", "IfNoneMatch")
_PLACEHOLDER = "\u0001{}\u0001"

_REFUSAL = "says a refusal in words; the run ends all the same, and tests/workflows/test_preflight.py notices"
_QUOTA = "asks before training; tests/workflows/test_preflight.py notices"
_PAGES = "tests/workflows/test_large_accounts.py notices"
_SLOWER = "only slower: the time-out of the machine ends it, and the next sweep does its work"
_WORDS = "tests/workflows/test_messages.py notices"
_REDRIVE = "tests/workflows/test_redrive.py notices"
_STUCK = "tests/workflows/test_stuck_resources.py notices"
_WATCH = "tests/workflows/test_preflight.py notices"

JUSTIFIED = {
    "dead letters of": "tests/constructs/test_customization_workflow.py notices",
    "guard of Main/IsNameAllowed": "tests/workflows/test_execution_names.py notices",
    "catcher of Main/GetFoundationModel": _REFUSAL,
    "catcher of Main/Promote": _WORDS,
    "catcher of Main/ReleaseAfterFailure": _WORDS,
    "catcher of Main/WriteNotification": _WORDS,
    "catcher of Main/CheckData": _WORDS,
    "catcher of Main/TrainUnlessStalled": "tests/workflows/test_candidates.py notices",
    "catcher of Main/Train": _WORDS,
    "catcher of Main/Evaluate": _WORDS,
    "catcher of Main/FindFailedShards": _WORDS,
    "catcher of Main/ReadFailedShard": _WORDS,
    "catcher of Release/RewriteNotification": _WORDS,
    "catcher of Main/ReadTagsOfWinner": _STUCK,
    "catcher of Main/NotifyOfWhatIsLeft": _STUCK,
    "catcher of Release/DescribeItsWriter [": _STUCK,
    "catcher of Release/FindModels [": _STUCK,
    "catcher of Release/FindRunAgain": _STUCK,
    "catcher of Release/ListRuns": _STUCK,
    "catcher of Release/ReadTags [0]": "tests/workflows/test_unreleased.py notices",
    "catcher of Release/ReadTags [1]": _STUCK,
    "catcher of Release/StartRelease": _STUCK,
    "catcher of Release/SweepJobs": _STUCK,
    "catcher of Release/SweepDeployments": _STUCK,
    "catcher of Release/SweepProvisionedModels": _STUCK,
    "guard of Release/IsSweepComplete": _STUCK,
    "catcher of Release/ReadFailure [0]": "recorded executions show that States.ALL catches it, whatever the docs say",
    "guard of Release/IsFailureKnown": "only slower: it asks what the run told",
    "catcher of Main/GetCustomModel": _REFUSAL,
    "catcher of Main/AskBaseModel": _REFUSAL,
    "catcher of Main/GetTrainingQuota": _QUOTA,
    "catcher of Main/GetModelUnitsQuota": _QUOTA,
    "guard of Main/IsTrainingQuotaEnough": _QUOTA,
    "guard of Main/IsModelUnitsQuotaEnough": _QUOTA,
    "guard of Main/HasTrainingBegun": _WATCH,
    "catcher of Main/StopStalledTraining": "Step Functions stops the job, too, when the other branch fails",
    "time-out of Main/StopStalledTraining": _SLOWER,
    "time-out of Release/DescribeRun": _SLOWER,
    "guard of Release/IsTheRunStillAsking": "only slower: it asks for a run that asked for its own release",
    "guard of Release/IsTheRunRedriven": _REDRIVE,
    "time-out of Release/StopJob": _SLOWER,
    "guard of Release/FindJobsHasNextPage": _PAGES,
    "guard of Release/FindDeploymentsHasNextPage": _PAGES,
    "guard of Release/FindProvisionedModelsHasNextPage": _PAGES,
    "guard of Release/FindModelsHasNextPage": _PAGES,
    "guard of Release/LookForModelsHasNextPage": _PAGES,
    "guard of Release/SweepJobsHasNextPage": _PAGES,
    "guard of Release/SweepDeploymentsHasNextPage": _PAGES,
    "guard of Release/SweepProvisionedModelsHasNextPage": _PAGES,
    "guard of Release/IsProvisionedModelKept": "tests/workflows/test_permissions.py notices",
    "guard of Release/IsEverythingReleased": "only slower: it looks until it may look no more",
    "guard of Release/IsModelKept": "tests/workflows/test_on_success.py notices",
}
"""What a removal is that no fault notices, by the beginning of its line, and why it may be so."""


@dataclass(frozen=True)
class Removal:
    """A safeguard that is removed.

    Args:
        kind: What it is.
        logical_id: The resource that has it.
        path: Where it is: in a state machine's definition, or in the resource's properties.
        state: The state that has it, if one does.
    """

    kind: str
    logical_id: str
    path: tuple[str | int, ...]
    state: str = ""

    def __str__(self) -> str:
        """What is removed of which state or resource."""
        where = f"{self.machine}/{self.state}" if self.state else self.logical_id
        return f"{self.kind} of {where} [{self.path[-1] if self.path else ''}]"

    @property
    def machine(self) -> str:
        """The state's machine."""
        return machine_of(self.logical_id)

    def apply(self, template: dict[str, Any]) -> dict[str, Any]:
        """The template without it."""
        mutated = copy.deepcopy(template)
        if not self.path:
            del mutated["Resources"][self.logical_id]
            return mutated
        properties = mutated["Resources"][self.logical_id]["Properties"]
        if not self.state:
            _remove(properties, self.path)
            return mutated
        definition = Definition(properties["DefinitionString"])
        _remove(definition.content, self.path)
        _drop_unreachable(definition.content)
        properties["DefinitionString"] = definition.as_property()
        return mutated


def _remove(content: Any, path: tuple[str | int, ...]) -> None:
    *before, last = path
    holders = [content]
    for step in before:
        holders.append(holders[-1][step])
    holder = holders[-1]
    if isinstance(holder, str):
        # Arguments that are one JSONata expression.
        without = re.sub(rf"'{last}': (\[.*?\}}\]|[^,]+?)(, |(?=\}}\]))", "", holder, count=1)
        holders[-2][before[-1]] = without.replace(", }", "}")
    elif before[-1:] == ["Choices"] and len(holder) == 1:
        # A Choice needs a rule; without its only one it always goes on with its default.
        choice = holders[-2]
        del choice["Choices"]
        choice |= {"Type": "Pass", "Next": choice.pop("Default")}
    else:
        del holder[last]
        if not holder:
            del holders[-2][before[-1]]


def _drop_unreachable(content: dict[str, Any]) -> None:
    states = content["States"]
    reached: set[str] = set()
    ahead = {content["StartAt"]}
    while ahead:
        reached |= ahead
        ahead = {target for name in ahead for target in _targets(states[name])} - reached
    content["States"] = {name: state for name, state in states.items() if name in reached}
    for state in content["States"].values():
        for inner in [state["ItemProcessor"]] if "ItemProcessor" in state else state.get("Branches", []):
            _drop_unreachable(inner)


def _targets(state: dict[str, Any]) -> set[str]:
    ways = [state, *state.get("Catch", []), *state.get("Choices", [])]
    return {way[field] for way in ways for field in ("Next", "Default") if field in way}


class Definition:
    """A definition as the template has it, opened.

    Args:
        text: The property `DefinitionString`.
    """

    def __init__(self, text: Any) -> None:
        parts = text["Fn::Join"][1]
        self._others = [part for part in parts if not isinstance(part, str)]
        numbers = iter(range(len(parts)))
        joined = "".join(part if isinstance(part, str) else _PLACEHOLDER.format(next(numbers)) for part in parts)
        self.content: dict[str, Any] = json.loads(joined, strict=False)

    def as_property(self) -> dict[str, Any]:
        """The property for the content as it is now."""
        text = json.dumps(self.content, ensure_ascii=False)
        pieces = re.split("\\\\u0001([0-9]+)\\\\u0001|\u0001([0-9]+)\u0001", text)
        parts: list[Any] = []
        for index in range(0, len(pieces), 3):
            parts.append(pieces[index])
            if index + 1 < len(pieces):
                parts.append(self._others[int(pieces[index + 1] or pieces[index + 2])])
        return {"Fn::Join": ["", parts]}


def removals(template: dict[str, Any]) -> list[Removal]:
    """Every safeguard of a template."""
    found: list[Removal] = []
    for logical_id, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            content = Definition(properties["DefinitionString"]).content
            for path, name, state in _states(content, ()):
                found += _removals_of_state(logical_id, path, name, state)
        if resource["Type"] == "AWS::Events::Rule":
            found.append(Removal("rule", logical_id, ()))
            found += [
                Removal("dead letters", logical_id, ("Targets", index, "DeadLetterConfig"))
                for index in range(len(properties["Targets"]))
            ]
    return found


def _states(
    content: dict[str, Any], path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str, dict[str, Any]]]:
    for name, state in content["States"].items():
        here = (*path, "States", name)
        yield here, name, state
        if "ItemProcessor" in state:
            yield from _states(state["ItemProcessor"], (*here, "ItemProcessor"))
        for index, branch in enumerate(state.get("Branches", [])):
            yield from _states(branch, (*here, "Branches", index))


def _removals_of_state(
    logical_id: str, path: tuple[str | int, ...], name: str, state: dict[str, Any]
) -> Iterator[Removal]:
    # An evaluation makes nothing that is paid for while it exists; tests/workflows have its routes.
    for kind, field in (("catcher", "Catch"), ("guard", "Choices")):
        for index in range(len(state.get(field, [])) if machine_of(logical_id) != "Evaluation" else 0):
            yield Removal(kind, logical_id, (*path, field, index), name)
    if state["Type"] == "Task":
        yield Removal("time-out", logical_id, (*path, "TimeoutSeconds"), name)
    arguments = state.get("Arguments", {})
    for argument in _ARGUMENTS:
        if argument in arguments if isinstance(arguments, dict) else f"'{argument}':" in arguments:
            yield Removal("argument", logical_id, (*path, "Arguments", argument), name)


def relevant(removal: Removal, cases: list[Case]) -> list[Case]:
    """The cases whose fault strikes the state itself, a kind of each scenario, those that many have in common first.

    What a guard asks for can come from a state before it, by a call that was repeated.
    """
    mine = [case for case in cases if (case[1].machine, case[1].at) == (removal.machine, removal.state)]
    if removal.kind == "guard":
        mine += [case for case in cases if (case[1].machine, case[1].kind) == (removal.machine, "lost response")]
    if removal.kind == "time-out":
        mine = [case for case in mine if case[1].kind in ("hang", "endless")]
    first = covering(mine, rotate=False)
    others = [case for scenario in SCENARIOS for case in covering([case for case in mine if case[0] is scenario])]
    return list(dict.fromkeys([*first, *others]))


class Assemblies:
    """The templates that the scenarios run, which can be changed."""

    def __init__(self) -> None:
        assemblies = dict.fromkeys(assembly(scenario.workflow) for scenario in SCENARIOS)
        self._files = [Path(directory) / f"{name}.template.json" for directory, name in assemblies]
        self._texts = [file.read_text(encoding="utf-8") for file in self._files]
        self.template: dict[str, Any] = json.loads(self._texts[0])

    @contextmanager
    def without(self, removal: Removal) -> Iterator[None]:
        """Lets the scenarios run without a safeguard."""
        try:
            for file, text in zip(self._files, self._texts, strict=True):
                file.write_text(json.dumps(removal.apply(json.loads(text))), encoding="utf-8")
            yield
        finally:
            for file, text in zip(self._files, self._texts, strict=True):
                file.write_text(text, encoding="utf-8")


def noticed_by(removal: Removal, cases: list[Case]) -> str | None:
    """What goes wrong without a safeguard; None if nothing does."""
    with redirect_stdout(io.StringIO()):
        try:
            for scenario in _scenarios_with(removal):
                account = Account(scenario)
                for problem in problems(account, account.run()):
                    return f"{scenario.name}: {problem}"
            for problem in check(relevant(removal, cases)):
                return problem
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return None


def _scenarios_with(removal: Removal) -> list[Scenario]:
    """The scenarios that come along at the state, before anything is removed."""
    return [
        scenario
        for scenario in SCENARIOS
        if not removal.state or any(place.state == removal.state for place in visits(scenario).places)
    ]


def main() -> int:
    """Try every removal; 1 if one goes unnoticed without a reason."""
    text = sys.argv[1] if len(sys.argv) > 1 else ""
    assemblies = Assemblies()
    listed = [removal for removal in removals(assemblies.template) if text in str(removal)]
    with redirect_stdout(io.StringIO()):
        # Also fills what `visits` knows, which it would else find out from a template that lacks something.
        cases = everything()
    unnoticed = justified = 0
    for removal in listed:
        with assemblies.without(removal):
            problem = noticed_by(removal, cases)
        reason = next((reason for begin, reason in JUSTIFIED.items() if str(removal).startswith(begin)), None)
        justified += problem is None and reason is not None
        unnoticed += problem is None and reason is None
        print(f"{removal}: {problem or (f'justified: {reason}' if reason else 'UNNOTICED')}"[:300], flush=True)
    print(f"{len(listed)} safeguards removed, {justified} unnoticed with a reason, {unnoticed} without")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
