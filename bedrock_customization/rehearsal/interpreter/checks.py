"""Checks a definition before anything runs, as CreateStateMachine does, and parses it.

What Step Functions would refuse is refused, and so is what it accepts but the rehearsal does not know: by the name of
the field, the path of the state and what is allowed instead. Every problem of a definition is reported at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any

from bedrock_customization.rehearsal.interpreter import errors, fields, limits
from bedrock_customization.rehearsal.interpreter.definition import (
    Block,
    Catcher,
    ChoiceRule,
    Definition,
    Retrier,
    State,
)
from bedrock_customization.rehearsal.interpreter.execution import parse_timestamp
from bedrock_customization.rehearsal.interpreter.jsonata import Expression, is_expression
from bedrock_customization.rehearsal.interpreter.jsonata_references import FUNCTIONS
from bedrock_customization.rehearsal.interpreter.services import (
    Services,
    StateMachine,
    UnsupportedDefinitionError,
)
from bedrock_customization.rehearsal.interpreter.template import Template

_VARIABLE_NAME = re.compile(r"[^\W\d]\w*")
_LABEL = re.compile(r"[\x21-\x7e]{1,40}")
_LABEL_FORBIDDEN = set('?*<>{}[]:;,\\|^~$#%&`"/ ')
_LAMBDA = re.compile(r"arn:[\w-]+:lambda:")
_INTEGRATION = re.compile(r"arn:[\w-]+:states:[\w-]*:\d*:[\w:-]+?(\.[\w.:]+)?")
_READERS = re.compile(r"arn:[\w-]+:states:::(aws-sdk:)?s3:(getObject|listObjectsV2)")
_WRITER = re.compile(r"arn:[\w-]+:states:::(aws-sdk:)?s3:putObject")


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
    checker = _Checker(machine, services, expression)
    definition = checker.machine()
    if checker.problems:
        listed = "\n".join(f"- {problem}" for problem in dict.fromkeys(checker.problems))
        raise UnsupportedDefinitionError(f"{machine.name}: this definition cannot be rehearsed:\n{listed}")
    return definition


class _Checker:
    def __init__(self, machine: StateMachine, services: Services, expression: Callable[[str], Expression]) -> None:
        self.source = machine
        self.services = services
        self.expression = expression
        self.problems: list[str] = []
        self.names: set[str] = set()
        self.language = "JSONPath"

    def problem(self, path: str, field: str, what: str) -> None:
        self.problems.append(f"{field} at {path or '/'}: {what}")

    # --- the machine and its blocks -------------------------------------------------------------------------------

    def machine(self) -> Definition:
        definition = self.source.definition
        if not isinstance(definition, dict):
            self.problem("", "definition", f"got {type(definition).__name__}; a JSON object is needed")
            return Definition(Block("", {}), None)
        size = limits.size(limits.dump(definition))
        if size > limits.MAX_DEFINITION_BYTES:
            self.problem("", "definition", f"got {size} bytes of JSON; allowed: {limits.MAX_DEFINITION_BYTES}")
        self.known(definition, fields.MACHINE, "")
        self.language = definition.get("QueryLanguage", "JSONPath")
        if self.language not in ("JSONata", "JSONPath"):
            self.problem("", "QueryLanguage", f"got {self.language!r}; allowed: JSONata")
        if self.source.type not in ("STANDARD", "EXPRESS"):
            self.problem("", "type", f"got {self.source.type!r}; allowed: STANDARD, EXPRESS")
        if definition.get("Version", "1.0") != "1.0":
            self.problem("", "Version", f"got {definition['Version']!r}; allowed: '1.0'")
        timeout = definition.get("TimeoutSeconds")
        if timeout is not None:
            self.integer(timeout, "", "TimeoutSeconds", 1, limits.MAX_SECONDS)
        block = self.block(definition, "", self.source.type == "EXPRESS", frozenset())
        return Definition(block, timeout)

    def block(self, definition: dict[str, Any], path: str, express: bool, outer: frozenset[str]) -> Block:
        raw = definition.get("States")
        if not isinstance(raw, dict) or not raw:
            self.problem(path, "States", "missing or empty; at least one state is needed")
            return Block("", {})
        own = outer | self.assigned(raw, path, outer)
        states = {name: self.state(name, value, f"{path}/States/{name}", express, own) for name, value in raw.items()}
        start = definition.get("StartAt")
        if start is None:
            self.problem(path, "StartAt", f"missing; allowed: {_listed(raw)}")
        elif start not in raw:
            self.problem(path, "StartAt", f"got {start!r}, which is not a state here; allowed: {_listed(raw)}")
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
                for name in assign if isinstance(assign, dict) else ():
                    if name in outer:
                        at = f"{path}/States/{state_name}"
                        what = "is assigned in an outer scope, and an inner scope cannot assign it; use another name"
                        self.problem(at, f"Assign/{name}", what)
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
                    self.problem(
                        state.path, field, f"got {target!r}, which is not a state here; allowed: {_listed(states)}"
                    )
            targets[state.name] = {target for target, _ in goes if target in states}
        reached: set[str] = set()
        waiting = [start] if start in states else []
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting.extend(targets[name])
        if not reached:
            return
        for name in states.keys() - reached:
            self.problem(states[name].path, "state", "no state leads to it; remove it or point a Next at it")
        if not any(states[name].type != "Choice" and states[name].next is None for name in reached):
            self.problem(path, "States", "no terminal state; give a state End: true, or add a Succeed or Fail state")

    # --- states ---------------------------------------------------------------------------------------------------

    def state(self, name: str, raw: Any, path: str, express: bool, outer: frozenset[str]) -> State:
        if name in self.names:
            self.problem(path, "state", "this name is used twice in the state machine; state names must be unique")
        self.names.add(name)
        if not name or len(name) > limits.MAX_NAME_CHARACTERS:
            self.problem(
                path, "state", f"its name has {len(name)} characters; allowed: 1 to {limits.MAX_NAME_CHARACTERS}"
            )
        if not isinstance(raw, dict):
            self.problem(path, "state", f"got {type(raw).__name__}; a JSON object is needed")
            return State(name, "", path, {})
        kind = raw.get("Type")
        state = State(name, str(kind), path, raw)
        if kind not in fields.STATES:
            self.problem(path, "Type", f"got {kind!r}; allowed: {_listed(fields.STATES)}")
            return state
        language = raw.get("QueryLanguage", self.language)
        if language != "JSONata":
            remedy = "only JSONata states can be rehearsed; write QueryLanguage: JSONata and JSONata fields"
            self.problem(path, "QueryLanguage", f"is {language!r} here; {remedy}")
            return state
        self.known(raw, fields.STATES[kind], path)
        if "Comment" in raw and not isinstance(raw["Comment"], str):
            self.problem(path, "Comment", f"got {raw['Comment']!r}; a string is needed")
        self.flow(state, raw)
        self.template(state, "Output")
        self.assign(state.templates, raw, "Assign", path)
        self.retry(state, raw)
        self.catch(state, raw)
        checks: dict[str, Callable[[State, dict[str, Any]], None]] = {
            "Choice": self.choice,
            "Fail": self.fail,
            "Parallel": partial(self.parallel, express=express, outer=outer),
            "Map": partial(self.map, express=express, outer=outer),
            "Task": partial(self.task, express=express),
            "Wait": self.wait,
        }
        if kind in checks:
            checks[kind](state, raw)
        return state

    def flow(self, state: State, raw: dict[str, Any]) -> None:
        if "Next" not in fields.STATES[state.type]:
            return
        following, end = raw.get("Next"), raw.get("End")
        if end not in (None, True, False):
            self.problem(state.path, "End", f"got {end!r}; allowed: true")
        if (following is None) == (end is not True):
            self.problem(state.path, "Next", "exactly one of Next and End: true is needed")
        elif following is not None and not isinstance(following, str):
            self.problem(state.path, "Next", f"got {following!r}; the name of a state is needed")
        else:
            state.next = following

    def task(self, state: State, raw: dict[str, Any], express: bool) -> None:
        self.template(state, "Arguments")
        self.number(state, "TimeoutSeconds", 1, limits.MAX_SECONDS)
        self.number(state, "HeartbeatSeconds", 1, limits.MAX_SECONDS)
        timeout, heartbeat = raw.get("TimeoutSeconds"), raw.get("HeartbeatSeconds")
        if isinstance(heartbeat, int) and heartbeat >= (timeout if isinstance(timeout, int) else limits.MAX_SECONDS):
            self.problem(state.path, "HeartbeatSeconds", f"got {heartbeat}; it must be smaller than TimeoutSeconds")
        resource = raw.get("Resource")
        if not isinstance(resource, str):
            self.problem(state.path, "Resource", f"got {resource!r}; an ARN is needed")
            return
        pattern = "" if _LAMBDA.match(resource) else (m[1] or "" if (m := _INTEGRATION.fullmatch(resource)) else "")
        if ".waitForTaskToken" in resource:
            self.problem(
                state.path, "Resource", f"got {resource!r}; tasks that wait for a task token cannot be rehearsed"
            )
        elif ":activity:" in resource:
            self.problem(state.path, "Resource", f"got {resource!r}; activities cannot be rehearsed")
        elif express and pattern.startswith(".sync"):
            self.problem(state.path, "Resource", f"got {resource!r}; EXPRESS executions cannot wait for a job (.sync)")
        else:
            self.resource(resource, state.path, "Resource")

    def resource(self, resource: str, path: str, field: str) -> None:
        try:
            self.services.check(resource)
        except UnsupportedDefinitionError as error:
            self.problem(path, field, str(error))

    def wait(self, state: State, raw: dict[str, Any]) -> None:
        if ("Seconds" in raw) == ("Timestamp" in raw):
            self.problem(state.path, "Seconds", "exactly one of Seconds and Timestamp is needed")
        self.number(state, "Seconds", 0, limits.MAX_SECONDS)
        self.template(state, "Timestamp", str)
        moment = raw.get("Timestamp")
        if isinstance(moment, str) and not is_expression(moment) and parse_timestamp(moment) is None:
            self.problem(state.path, "Timestamp", f"got {moment!r}; allowed: RFC 3339, such as 2026-01-31T12:00:00Z")

    def fail(self, state: State, raw: dict[str, Any]) -> None:
        self.template(state, "Error", str)
        self.template(state, "Cause", str)

    def choice(self, state: State, raw: dict[str, Any]) -> None:
        state.default = raw.get("Default")
        rules = raw.get("Choices")
        if not isinstance(rules, list) or not rules:
            self.problem(state.path, "Choices", "missing or empty; at least one rule is needed")
            return
        for index, rule in enumerate(rules):
            location = f"Choices[{index}]"
            if not isinstance(rule, dict):
                self.problem(state.path, location, f"got {rule!r}; a JSON object is needed")
                continue
            self.known(rule, fields.CHOICE_RULE, state.path, location)
            templates: dict[str, Template] = {}
            self.part(templates, rule, "Condition", state.path, location)
            self.part(templates, rule, "Output", state.path, location)
            self.assign(templates, rule, "Assign", state.path, location)
            condition = rule.get("Condition")
            if not isinstance(condition, bool) and not is_expression(condition):
                self.problem(
                    state.path, f"{location}/Condition", f"got {condition!r}; a boolean or {{% ... %}} is needed"
                )
            if not isinstance(rule.get("Next"), str):
                self.problem(state.path, f"{location}/Next", f"got {rule.get('Next')!r}; the name of a state is needed")
            elif "Condition" in templates:
                parsed = ChoiceRule(
                    templates["Condition"], rule["Next"], templates.get("Assign"), templates.get("Output")
                )
                state.choices.append(parsed)

    def parallel(self, state: State, raw: dict[str, Any], express: bool, outer: frozenset[str]) -> None:
        self.template(state, "Arguments")
        branches = raw.get("Branches")
        if not isinstance(branches, list) or not branches:
            self.problem(state.path, "Branches", "missing or empty; at least one branch is needed")
            return
        for index, branch in enumerate(branches):
            path = f"{state.path}/Branches[{index}]"
            if not isinstance(branch, dict):
                self.problem(path, "branch", f"got {branch!r}; a JSON object is needed")
                continue
            self.known(branch, fields.BRANCH, path)
            state.branches.append(self.block(branch, path, express, outer))

    # --- Map ------------------------------------------------------------------------------------------------------

    def map(self, state: State, raw: dict[str, Any], express: bool, outer: frozenset[str]) -> None:
        field = "Iterator" if "Iterator" in raw else "ItemProcessor"
        processor = raw.get(field)
        path = f"{state.path}/{field}"
        if not isinstance(processor, dict):
            self.problem(state.path, "ItemProcessor", f"got {processor!r}; a JSON object is needed")
            return
        self.known(processor, fields.PROCESSOR, path)
        config = processor.get("ProcessorConfig", {})
        self.known(config, fields.PROCESSOR_CONFIG, path, "ProcessorConfig")
        self.one_of(config, "Mode", ("INLINE", "DISTRIBUTED"), path, "ProcessorConfig")
        state.distributed = config.get("Mode") == "DISTRIBUTED"
        state.express_children = config.get("ExecutionType") == "EXPRESS"
        if state.distributed:
            self.one_of(config, "ExecutionType", ("STANDARD", "EXPRESS"), path, "ProcessorConfig", needed=True)
            if express:
                self.problem(path, "ProcessorConfig/Mode", "EXPRESS executions cannot run a Map in DISTRIBUTED mode")
        else:
            if "ExecutionType" in config:
                self.problem(path, "ProcessorConfig/ExecutionType", "is allowed in DISTRIBUTED mode only")
            for name in fields.DISTRIBUTED_ONLY:
                if name in raw:
                    self.problem(state.path, name, "is allowed in DISTRIBUTED mode only; set ProcessorConfig/Mode")
        if state.distributed:
            state.processor = self.block(processor, path, state.express_children, frozenset())
        else:
            state.processor = self.block(processor, path, express, outer)
        self.items(state, raw)
        self.number(state, "MaxConcurrency", 0, None)
        self.number(state, "ToleratedFailureCount", 0, None)
        self.number(state, "ToleratedFailurePercentage", 0, 100, whole=False)
        label = raw.get("Label")
        if label is not None and not (
            isinstance(label, str) and _LABEL.fullmatch(label) and not set(label) & _LABEL_FORBIDDEN
        ):
            self.problem(
                state.path, "Label", f"got {label!r}; allowed: 1 to {limits.MAX_LABEL_CHARACTERS} ASCII characters"
            )

    def items(self, state: State, raw: dict[str, Any]) -> None:
        if "Items" in raw and "ItemReader" in raw:
            self.problem(state.path, "Items", "only one of Items and ItemReader is allowed")
        items = raw.get("Items")
        kinds = ", an object" if state.distributed else ""
        if (
            "Items" in raw
            and not isinstance(items, list | dict if state.distributed else list)
            and not is_expression(items)
        ):
            self.problem(state.path, "Items", f"got {items!r}; an array{kinds} or {{% ... %}} is needed")
        self.template(state, "Items")
        self.template(state, "ItemSelector")
        self.item_reader(state, raw)
        self.item_batcher(state, raw)
        self.result_writer(state, raw)

    def item_reader(self, state: State, raw: dict[str, Any]) -> None:
        reader = self.object(state, raw, "ItemReader", fields.ITEM_READER)
        if reader is None:
            return
        resource = reader.get("Resource")
        if not isinstance(resource, str) or not _READERS.fullmatch(resource):
            allowed = "arn:<partition>:states:::s3:getObject, arn:<partition>:states:::s3:listObjectsV2"
            self.problem(state.path, "ItemReader/Resource", f"got {resource!r}; allowed: {allowed}")
            return
        self.resource(resource, state.path, "ItemReader/Resource")
        self.part(state.templates, reader, "Arguments", state.path, "ItemReader")
        if "Arguments" not in reader:
            self.problem(state.path, "ItemReader/Arguments", "missing; Bucket is needed")
        config = reader.get("ReaderConfig", {})
        self.known(config, fields.READER_CONFIG, state.path, "ItemReader/ReaderConfig")
        location = "ItemReader/ReaderConfig"
        self.one_of(config, "Transformation", ("NONE",), state.path, location)
        self.one_of(config, "CSVDelimiter", tuple(fields.CSV_DELIMITERS), state.path, location)
        if resource.endswith("getObject"):
            self.one_of(config, "InputType", ("CSV", "JSON", "JSONL"), state.path, location, needed=True)
        if config.get("InputType") == "CSV":
            self.one_of(config, "CSVHeaderLocation", ("FIRST_ROW", "GIVEN"), state.path, location, needed=True)
            if config.get("CSVHeaderLocation") == "GIVEN" and not config.get("CSVHeaders"):
                self.problem(state.path, f"{location}/CSVHeaders", "missing; needed when CSVHeaderLocation is GIVEN")
        self.number(state, "ItemReader/ReaderConfig/MaxItems", 0, limits.MAX_ITEMS, value=config.get("MaxItems"))

    def item_batcher(self, state: State, raw: dict[str, Any]) -> None:
        batcher = self.object(state, raw, "ItemBatcher", fields.ITEM_BATCHER)
        if batcher is None:
            return
        self.part(state.templates, batcher, "BatchInput", state.path, "ItemBatcher")
        maximum = limits.MAX_PAYLOAD_BYTES
        for name, most in (("MaxItemsPerBatch", None), ("MaxInputBytesPerBatch", maximum)):
            self.number(state, f"ItemBatcher/{name}", 1, most, value=batcher.get(name))
        if not batcher.keys() & {"MaxItemsPerBatch", "MaxInputBytesPerBatch"}:
            self.problem(state.path, "ItemBatcher", "MaxItemsPerBatch, MaxInputBytesPerBatch or both are needed")

    def result_writer(self, state: State, raw: dict[str, Any]) -> None:
        writer = self.object(state, raw, "ResultWriter", fields.RESULT_WRITER)
        if writer is None:
            return
        if not writer or ("Resource" in writer) != ("Arguments" in writer):
            self.problem(state.path, "ResultWriter", "Resource and Arguments, WriterConfig, or all three are needed")
        if "Resource" in writer:
            resource = writer["Resource"]
            if not isinstance(resource, str) or not _WRITER.fullmatch(resource):
                allowed = "arn:<partition>:states:::s3:putObject"
                self.problem(state.path, "ResultWriter/Resource", f"got {resource!r}; allowed: {allowed}")
            else:
                self.resource(resource, state.path, "ResultWriter/Resource")
        self.part(state.templates, writer, "Arguments", state.path, "ResultWriter")
        config = writer.get("WriterConfig", {})
        location = "ResultWriter/WriterConfig"
        self.known(config, fields.WRITER_CONFIG, state.path, location)
        self.one_of(config, "Transformation", ("NONE", "COMPACT", "FLATTEN"), state.path, location)
        self.one_of(config, "OutputType", ("JSON", "JSONL"), state.path, location)

    # --- Retry and Catch ------------------------------------------------------------------------------------------

    def retry(self, state: State, raw: dict[str, Any]) -> None:
        for location, retrier, names in self.handlers(state, raw, "Retry", fields.RETRIER):
            path = state.path
            interval = retrier.get("IntervalSeconds", 1)
            self.integer(interval, path, f"{location}/IntervalSeconds", 1, limits.MAX_SECONDS)
            attempts = retrier.get("MaxAttempts", 3)
            self.integer(attempts, path, f"{location}/MaxAttempts", 0, limits.MAX_SECONDS)
            longest = retrier.get("MaxDelaySeconds")
            if longest is not None:
                self.integer(longest, path, f"{location}/MaxDelaySeconds", 1, limits.MAX_DELAY_SECONDS)
                if isinstance(interval, int) and isinstance(longest, int) and longest <= interval:
                    self.problem(path, f"{location}/MaxDelaySeconds", f"got {longest}; it must exceed IntervalSeconds")
            rate = retrier.get("BackoffRate", 2.0)
            if isinstance(rate, bool) or not isinstance(rate, int | float) or rate < 1:
                self.problem(path, f"{location}/BackoffRate", f"got {rate!r}; a number of 1.0 or more is needed")
                continue
            self.one_of(retrier, "JitterStrategy", ("NONE", "FULL"), path, location)
            jitter = retrier.get("JitterStrategy") == "FULL"
            state.retry.append(Retrier(names, interval, attempts, float(rate), longest, jitter))

    def catch(self, state: State, raw: dict[str, Any]) -> None:
        for location, catcher, names in self.handlers(state, raw, "Catch", fields.CATCHER):
            templates: dict[str, Template] = {}
            self.part(templates, catcher, "Output", state.path, location, errors_allowed=True)
            self.assign(templates, catcher, "Assign", state.path, location, errors_allowed=True)
            following = catcher.get("Next")
            if not isinstance(following, str):
                self.problem(state.path, f"{location}/Next", f"got {following!r}; the name of a state is needed")
                continue
            state.catch.append(Catcher(names, following, templates.get("Assign"), templates.get("Output")))

    def handlers(
        self, state: State, raw: dict[str, Any], field: str, allowed: Collection[str]
    ) -> Iterable[tuple[str, dict[str, Any], tuple[str, ...]]]:
        entries = raw.get(field, [])
        if not isinstance(entries, list):
            self.problem(state.path, field, f"got {entries!r}; an array is needed")
            return
        for index, entry in enumerate(entries):
            location = f"{field}[{index}]"
            names = entry.get("ErrorEquals") if isinstance(entry, dict) else None
            if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
                self.problem(state.path, f"{location}/ErrorEquals", f"got {names!r}; an array of error names is needed")
                continue
            self.known(entry, allowed, state.path, location)
            if errors.ALL in names and (len(names) > 1 or index < len(entries) - 1):
                self.problem(state.path, f"{location}/ErrorEquals", "States.ALL must stand alone, in the last entry")
            yield location, entry, tuple(names)

    # --- values ---------------------------------------------------------------------------------------------------

    def known(self, value: Any, allowed: Collection[str], path: str, location: str = "") -> None:
        if not isinstance(value, dict):
            self.problem(path, location or "value", f"got {value!r}; a JSON object is needed")
            return
        for name in value.keys() - set(allowed):
            field = f"{location}/{name}" if location else name
            if name in fields.NOT_REHEARSED:
                self.problem(path, field, "is a field of Step Functions that cannot be rehearsed; remove it")
            elif name in fields.JSONPATH:
                self.problem(path, field, f"belongs to JSONPath, not to JSONata; allowed here: {_listed(allowed)}")
            else:
                self.problem(path, field, f"unknown field; allowed here: {_listed(allowed)}")

    def object(self, state: State, raw: dict[str, Any], field: str, allowed: Collection[str]) -> dict[str, Any] | None:
        if field not in raw:
            return None
        value = raw[field]
        self.known(value, allowed, state.path, field)
        return value if isinstance(value, dict) else None

    def one_of(
        self, value: Any, field: str, allowed: tuple[str, ...], path: str, location: str, needed: bool = False
    ) -> None:
        if not isinstance(value, dict) or (field not in value and not needed):
            return
        if value.get(field) not in allowed:
            got = repr(value[field]) if field in value else "nothing"
            self.problem(path, f"{location}/{field}", f"got {got}; allowed: {', '.join(allowed)}")

    def integer(self, value: Any, path: str, field: str, least: int, most: int | None) -> None:
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or value < least
            or (most is not None and value > most)
        ):
            upper = f" to {most}" if most is not None else " or more"
            self.problem(path, field, f"got {value!r}; allowed: whole numbers, {least}{upper}")

    def number(
        self, state: State, field: str, least: int, most: int | None, *, value: Any = None, whole: bool = True
    ) -> None:
        """Check a number that may also be an expression, and keep it as a template."""
        value = state.definition.get(field) if value is None else value
        if value is None:
            return
        if not is_expression(value):
            if not whole and isinstance(value, float) and least <= value <= (most or value):
                pass
            else:
                self.integer(value, state.path, field, least, most)
        state.templates[field] = self.parse(value, state.path, field)

    def template(self, state: State, field: str, kind: type | None = None) -> None:
        if field not in state.definition:
            return
        value = state.definition[field]
        if kind is not None and not isinstance(value, kind):
            self.problem(state.path, field, f"got {value!r}; a string is needed")
        state.templates[field] = self.parse(value, state.path, field)

    def part(
        self,
        templates: dict[str, Template],
        value: dict[str, Any],
        field: str,
        path: str,
        location: str,
        errors_allowed: bool = False,
    ) -> None:
        if field in value:
            key = f"{location}/{field}" if location in ("ItemReader", "ItemBatcher", "ResultWriter") else field
            templates[key] = self.parse(value[field], path, f"{location}/{field}", errors_allowed)

    def assign(
        self,
        templates: dict[str, Template],
        value: dict[str, Any],
        field: str,
        path: str,
        location: str = "",
        errors_allowed: bool = False,
    ) -> None:
        if field not in value:
            return
        at = f"{location}/{field}" if location else field
        if not isinstance(value[field], dict):
            self.problem(path, at, f"got {value[field]!r}; a JSON object of variables is needed")
            return
        for name in value[field]:
            if name == "states" or len(name) > limits.MAX_NAME_CHARACTERS or not _VARIABLE_NAME.fullmatch(name):
                rule = f"a letter or _, then letters, digits and _, at most {limits.MAX_NAME_CHARACTERS}; not 'states'"
                self.problem(path, f"{at}/{name}", f"not a variable's name; allowed: {rule}")
        templates[field] = self.parse(value[field], path, at, errors_allowed)

    def parse(self, value: Any, path: str, location: str, errors_allowed: bool = False) -> Template:
        def expression(text: str, at: str) -> Expression:
            try:
                parsed = self.expression(text)
            except ValueError as error:
                self.problem(path, at, f"not a JSONata expression: {error}; got {{% {text} %}}")
                return self.expression("null")
            self.references(parsed, path, at, errors_allowed)
            return parsed

        return Template(value, location, expression)

    def references(self, parsed: Expression, path: str, location: str, errors_allowed: bool) -> None:
        found = parsed.references
        for name in sorted(found.top_level):
            remedy = "write $states.input... or a variable's $name"
            self.problem(path, location, f"a reference to {name!r} at the top level is not supported; {remedy}")
        for name in sorted(found.functions - FUNCTIONS):
            if name == "eval":
                self.problem(path, location, "the JSONata function $eval is not available; use $parse")
            else:
                self.problem(
                    path, location, f"unknown JSONata function ${name}; allowed: {_listed('$' + f for f in FUNCTIONS)}"
                )
        for names in found.states:
            if names[:1] == ("errorOutput",) and not errors_allowed:
                self.problem(
                    path, location, "$states.errorOutput exists only in the Output and Assign of a Catch entry"
                )
            if names[:2] == ("context", "Task"):
                self.problem(path, location, "$states.context.Task: task tokens cannot be rehearsed")


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
