"""Checks a definition before anything runs, as CreateStateMachine does, and parses it.

What Step Functions would refuse is refused, and so is what it accepts but the rehearsal does not know: by the name of
the field, the path of the state and what is allowed instead. Every problem of a definition is reported at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bedrock_customization.rehearsal.interpreter import limits
from bedrock_customization.rehearsal.interpreter.checks import fields
from bedrock_customization.rehearsal.interpreter.checks.handlers import check_catch, check_retry
from bedrock_customization.rehearsal.interpreter.checks.map_fields import check_map_fields
from bedrock_customization.rehearsal.interpreter.checks.path_values import PathValues
from bedrock_customization.rehearsal.interpreter.checks.simple_states import (
    check_choice,
    check_fail,
    check_task,
    check_wait,
    has_token,
)
from bedrock_customization.rehearsal.interpreter.checks.values import Values, listed
from bedrock_customization.rehearsal.interpreter.definition import Block, Definition, State
from bedrock_customization.rehearsal.interpreter.jsonata import Expression
from bedrock_customization.rehearsal.interpreter.services import Services, StateMachine, UnsupportedDefinitionError


def check(machine: StateMachine, services: Services, expression: Callable[[str], Expression]) -> Definition:
    """Check and parse the definition of a state machine.

    Args:
        machine: The state machine.
        services: Know which resources can be called.
        expression: Parses a JSONata expression.

    Raises:
        UnsupportedDefinitionError: Step Functions would refuse the definition, or the rehearsal does not know something
            in it. The message lists every problem.
    """
    problems: list[str] = []
    values = Values(services, expression, problems), PathValues(services, expression, problems)
    checker = _Checker(machine, *values)
    definition = checker.machine()
    if problems:
        listed = "\n".join(f"- {problem}" for problem in dict.fromkeys(problems))
        raise UnsupportedDefinitionError(f"{machine.name}: this definition cannot be rehearsed:\n{listed}")
    return definition


_TYPES = ("Choice", "Fail", "Map", "Parallel", "Pass", "Succeed", "Task", "Wait")
_SIMPLE: dict[str, Callable[[Values, State, dict[str, Any]], None]] = {
    "Choice": check_choice,
    "Fail": check_fail,
    "Wait": check_wait,
}


class _Checker:
    def __init__(self, machine: StateMachine, values: Values, path_values: PathValues) -> None:
        self.source = machine
        self.values = values
        self.path_values = path_values
        self.names: set[str] = set()
        self.language = "JSONPath"

    def machine(self) -> Definition:
        definition = self.source.definition
        if not isinstance(definition, dict):
            self.values.problem("", "definition", f"got {type(definition).__name__}; a JSON object is needed")
            return Definition(Block("", {}), None)
        size = limits.size(limits.dump(definition))
        if size > limits.MAX_DEFINITION_BYTES:
            self.values.problem("", "definition", f"got {size} bytes of JSON; allowed: {limits.MAX_DEFINITION_BYTES}")
        self.values.known(definition, fields.MACHINE, "")
        self.language = definition.get("QueryLanguage", "JSONPath")
        if self.language not in ("JSONata", "JSONPath"):
            self.values.problem("", "QueryLanguage", f"got {self.language!r}; allowed: JSONata, JSONPath")
        if self.source.type not in ("STANDARD", "EXPRESS"):
            self.values.problem("", "type", f"got {self.source.type!r}; allowed: STANDARD, EXPRESS")
        if definition.get("Version", "1.0") != "1.0":
            self.values.problem("", "Version", f"got {definition['Version']!r}; allowed: '1.0'")
        timeout = definition.get("TimeoutSeconds")
        if timeout is not None:
            self.values.integer(timeout, "", "TimeoutSeconds", 1, limits.MAX_SECONDS)
        block = self.block(definition, "", self.source.type == "EXPRESS", frozenset())
        return Definition(block, timeout)

    def block(self, definition: dict[str, Any], path: str, express: bool, outer: frozenset[str]) -> Block:
        raw = definition.get("States")
        if not isinstance(raw, dict) or not raw:
            self.values.problem(path, "States", "missing or empty; at least one state is needed")
            return Block("", {})
        own = outer | self.assigned(raw, path, outer)
        states = {name: self.state(name, value, f"{path}/States/{name}", express, own) for name, value in raw.items()}
        start = definition.get("StartAt")
        if start is None:
            self.values.problem(path, "StartAt", f"missing; allowed: {listed(raw)}")
        elif not isinstance(start, str) or start not in raw:
            self.values.problem(path, "StartAt", f"got {start!r}, which is not a state here; allowed: {listed(raw)}")
        self.transitions(states, start, path)
        return Block(str(start), states)

    def assigned(self, raw: dict[str, Any], path: str, outer: frozenset[str]) -> frozenset[str]:
        names: set[str] = set()
        for state_name, state in raw.items():
            if not isinstance(state, dict):
                continue
            parts = [state, *_dicts(state.get("Catch")), *_dicts(state.get("Choices"))]
            for part in parts:
                assign = part.get("Assign")
                for field in assign if isinstance(assign, dict) else ():
                    name = field.removesuffix(".$")
                    if name in outer:
                        at = f"{path}/States/{state_name}"
                        what = "is assigned in an outer scope, and an inner scope cannot assign it; use another name"
                        self.values.problem(at, f"Assign/{field}", what)
                    names.add(name)
        return frozenset(names)

    def transitions(self, states: dict[str, State], start: Any, path: str) -> None:
        targets: dict[str, set[str]] = {}
        for state in states.values():
            goes = [(state.next, "Next"), (state.default, "Default")]
            goes += [(catcher.next, f"Catch[{i}]/Next") for i, catcher in enumerate(state.catch)]
            goes += [(rule.next, f"Choices[{i}]/Next") for i, rule in enumerate(state.choices)]
            for target, field in goes:
                if target is not None and target not in states:
                    self.values.problem(
                        state.path, field, f"got {target!r}, which is not a state here; allowed: {listed(states)}"
                    )
            targets[state.name] = {target for target, _ in goes if target in states}
        reached: set[str] = set()
        waiting = [start] if isinstance(start, str) and start in states else []
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting.extend(targets[name])
        if not reached:
            return
        for name in states.keys() - reached:
            self.values.problem(states[name].path, "state", "no state leads to it; remove it or point a Next at it")
        if not any(states[name].type != "Choice" and states[name].next is None for name in reached):
            self.values.problem(
                path, "States", "no terminal state; give a state End: true, or add a Succeed or Fail state"
            )

    def state(self, name: str, raw: Any, path: str, express: bool, outer: frozenset[str]) -> State:
        if name in self.names:
            self.values.problem(
                path, "state", "this name is used twice in the state machine; state names must be unique"
            )
        self.names.add(name)
        if not name or len(name) > limits.MAX_NAME_CHARACTERS:
            self.values.problem(
                path, "state", f"its name has {len(name)} characters; allowed: 1 to {limits.MAX_NAME_CHARACTERS}"
            )
        if not isinstance(raw, dict):
            self.values.problem(path, "state", f"got {type(raw).__name__}; a JSON object is needed")
            return State(name, "", path, {})
        kind = raw.get("Type")
        state = State(name, str(kind), path, raw)
        if not isinstance(kind, str) or kind not in _TYPES:
            self.values.problem(path, "Type", f"got {kind!r}; allowed: {listed(_TYPES)}")
            return state
        language = raw.get("QueryLanguage", self.language)
        if language not in ("JSONata", "JSONPath"):
            self.values.problem(path, "QueryLanguage", f"got {language!r}; allowed: JSONata, JSONPath")
            return state
        if (language, self.language) == ("JSONPath", "JSONata"):
            what = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
            self.values.problem(path, "QueryLanguage", what)
            return state
        state.json_path = language == "JSONPath"
        values = self.path_values if state.json_path else self.values
        values.known(raw, values.allowed[kind], path)
        if "Comment" in raw and not isinstance(raw["Comment"], str):
            self.values.problem(path, "Comment", f"got {raw['Comment']!r}; a string is needed")
        self.flow(state, raw)
        values.has_token = kind == "Task" and has_token(raw.get("Resource"))
        values.data_flow(state)
        values.assign(state.templates, raw, "Assign", path)
        check_retry(values, state, raw)
        check_catch(values, state, raw)
        if kind == "Parallel":
            values.template(state, "Arguments")
            self.parallel(state, raw, express, outer)
        elif kind == "Map":
            self.map(state, raw, express, outer)
            check_map_fields(values, state, raw)
        elif kind == "Task":
            check_task(values, state, raw, express)
            values.has_token = False
        elif kind in _SIMPLE:
            _SIMPLE[kind](values, state, raw)
        return state

    def flow(self, state: State, raw: dict[str, Any]) -> None:
        if "Next" not in fields.JSONATA[state.type]:
            return
        following, end = raw.get("Next"), raw.get("End")
        if end not in (None, True, False):
            self.values.problem(state.path, "End", f"got {end!r}; allowed: true")
        if (following is None) == (end is not True):
            self.values.problem(state.path, "Next", "exactly one of Next and End: true is needed")
        elif following is not None and not isinstance(following, str):
            self.values.problem(state.path, "Next", f"got {following!r}; the name of a state is needed")
        else:
            state.next = following

    def parallel(self, state: State, raw: dict[str, Any], express: bool, outer: frozenset[str]) -> None:
        branches = raw.get("Branches")
        if not isinstance(branches, list) or not branches:
            self.values.problem(state.path, "Branches", "missing or empty; at least one branch is needed")
            return
        for index, branch in enumerate(branches):
            path = f"{state.path}/Branches[{index}]"
            if not isinstance(branch, dict):
                self.values.problem(path, "branch", f"got {branch!r}; a JSON object is needed")
                continue
            self.values.known(branch, fields.BRANCH, path)
            state.branches.append(self.block(branch, path, express, outer))

    def map(self, state: State, raw: dict[str, Any], express: bool, outer: frozenset[str]) -> None:
        field = "Iterator" if "Iterator" in raw else "ItemProcessor"
        processor = raw.get(field)
        path = f"{state.path}/{field}"
        if not isinstance(processor, dict):
            self.values.problem(state.path, "ItemProcessor", f"got {processor!r}; a JSON object is needed")
            return
        self.values.known(processor, fields.PROCESSOR, path)
        config = self.values.config(processor, "ProcessorConfig", fields.PROCESSOR_CONFIG, path)
        self.values.one_of(config, "Mode", ("INLINE", "DISTRIBUTED"), path, "ProcessorConfig")
        state.distributed = config.get("Mode") == "DISTRIBUTED"
        state.express_children = config.get("ExecutionType") == "EXPRESS"
        if state.distributed:
            self.values.one_of(config, "ExecutionType", ("STANDARD", "EXPRESS"), path, "ProcessorConfig", needed=True)
            if express:
                self.values.problem(
                    path, "ProcessorConfig/Mode", "EXPRESS executions cannot run a Map in DISTRIBUTED mode"
                )
        elif "ExecutionType" in config:
            self.values.problem(path, "ProcessorConfig/ExecutionType", "is allowed in DISTRIBUTED mode only")
        if state.distributed:
            state.processor = self.block(processor, path, state.express_children, frozenset())
        else:
            state.processor = self.block(processor, path, express, outer)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
