"""Runs the state machines of a synthesised stack offline, in virtual time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from bedrock_customization.rehearsal import buckets
from bedrock_customization.rehearsal.assembly import CloudAssembly
from bedrock_customization.rehearsal.faults import Faults
from bedrock_customization.rehearsal.installation import install
from bedrock_customization.rehearsal.interpreter.execution import Execution
from bedrock_customization.rehearsal.interpreter.services import StateMachine
from bedrock_customization.rehearsal.names import Names
from bedrock_customization.rehearsal.permissions.enforcement import Permissions
from bedrock_customization.rehearsal.run import Run
from bedrock_customization.rehearsal.services.api_error import ApiError
from bedrock_customization.rehearsal.services.bedrock.service import Bedrock
from bedrock_customization.rehearsal.services.lambda_functions import Handler, LogLine
from bedrock_customization.rehearsal.services.notifications import Message
from bedrock_customization.rehearsal.services.stand_ins import StandIns
from bedrock_customization.rehearsal.services.world import World, place_of
from bedrock_customization.rehearsal.virtual_time import perform

if TYPE_CHECKING:
    from aws_cdk import Stack

Observer = Callable[[Run, dict[str, Any]], None]
"""Is told every history event, with the execution that it belongs to, as it happens."""

_DEFAULT_ACCOUNT = "123456789012"
_DEFAULT_REGION = "us-east-1"


class Rehearsal:
    """A stack, or hand-written state machines, deployed into a simulated AWS account of its own.

    Definitions run unmodified. Lambda functions run in this process, S3 and other services are moto's, Bedrock is
    simulated: its models are small stand-ins. Nothing reaches the network. Virtual time goes on from run to run.

    ```python
    rehearsal = Rehearsal.from_stack(stack)
    rehearsal.upload(workflow.training_bucket, "train.jsonl", Path("samples/train.jsonl"))
    run = rehearsal.run(workflow.state_machine, {"...": "..."})
    ```

    Make one with `from_stack`, `from_assembly` or `from_definitions`.

    Attributes:
        left_out: The stack's resources that running does not need: only their names exist.
    """

    def __init__(self, account: str, region: str, seed: int, observer: Observer | None) -> None:
        self._observer = observer
        self._world = World(place_of(account, region), seed, self._observe)
        self._names = Names(self._world)
        self._world.faults.tasks = lambda: self._names.states("Task")
        self._stops: set[str] = set()
        self._current: list[Run] = []
        self.left_out: list[str] = []

    @classmethod
    def from_stack(
        cls,
        stack: Stack,
        *,
        handlers: Mapping[Any, Handler] | None = None,
        parameters: Mapping[str, Any] | None = None,
        account: str | None = None,
        region: str | None = None,
        seed: int = 0,
        observer: Observer | None = None,
        enforce_permissions: bool = True,
    ) -> Self:
        """Rehearse a stack of a CDK app; the app is synthesised.

        Args:
            stack: The stack.
            handlers: Functions that stand for Lambda functions, by their construct, logical id, construct path or name,
                and get their event and context; or for service integrations and activities, by the `Resource` of a
                state, for example `arn:aws:states:::glue:startJobRun.sync`, and get the state's arguments and who
                calls. What such a function returns is the state's result; a `StatesError` that it raises is its error.
            parameters: Values of the template's parameters.
            account: The account; default: the stack's, or 123456789012.
            region: The Region; default: the stack's, or us-east-1.
            seed: Seeds everything that is made up.
            observer: Is told every history event as it happens.
            enforce_permissions: Whether every call is checked against the stack's IAM policies.

        Raises:
            DeploymentDeniedError: A resource could not be created, because a role or a key does not allow enough.
            KeyError: `handlers` or `parameters` names what there is not; names what there is.
            TypeError: It is no stack.
            UnsupportedTemplateError: Running needs something that the rehearsal does not know; names it.
        """
        from aws_cdk import Stack, Stage

        if not isinstance(stack, Stack):
            raise TypeError(f"stack: got {stack!r}; it must be a Stack: pass one of the app's stacks")
        while stack.nested_stack_parent is not None:
            stack = stack.nested_stack_parent
        stage = Stage.of(stack)
        if stage is None:
            raise ValueError(f"stack: {stack.node.path} is in no App or Stage; give it one as its scope")
        return cls.from_assembly(
            stage.synth().directory,
            stack.artifact_id,
            handlers=handlers,
            parameters=parameters,
            account=account,
            region=region,
            seed=seed,
            observer=observer,
            enforce_permissions=enforce_permissions,
        )

    @classmethod
    def from_assembly(
        cls,
        directory: str | Path,
        stack_name: str,
        *,
        handlers: Mapping[Any, Handler] | None = None,
        parameters: Mapping[str, Any] | None = None,
        account: str | None = None,
        region: str | None = None,
        seed: int = 0,
        observer: Observer | None = None,
        enforce_permissions: bool = True,
    ) -> Self:
        """Rehearse a stack of a cloud assembly.

        Args:
            directory: The assembly's folder, for example `cdk.out`.
            stack_name: The stack's name or artifact id.
            handlers: As in `from_stack`.
            parameters: As in `from_stack`.
            account: As in `from_stack`.
            region: As in `from_stack`.
            seed: As in `from_stack`.
            observer: As in `from_stack`.
            enforce_permissions: As in `from_stack`.

        Raises:
            DeploymentDeniedError: A resource could not be created, because a role or a key does not allow enough.
            UnsupportedTemplateError: Running needs something that the rehearsal does not know; names it.
        """
        assembly = CloudAssembly(Path(directory))
        stack = assembly.stack(stack_name)
        rehearsal = cls(
            stack.account or account or _DEFAULT_ACCOUNT, stack.region or region or _DEFAULT_REGION, seed, observer
        )
        names = rehearsal._names
        names.stacks = install(
            rehearsal._world, assembly, stack, parameters or {}, enforce_permissions=enforce_permissions
        )
        names.stack = names.stacks[stack.name]
        rehearsal.left_out = [resource for deployed in names.stacks.values() for resource in deployed.left_out()]
        rehearsal._replace(handlers or {})
        return rehearsal

    @classmethod
    def from_definitions(
        cls,
        definitions: Mapping[str, Any],
        *,
        handlers: Mapping[Any, Handler] | None = None,
        account: str = _DEFAULT_ACCOUNT,
        region: str = _DEFAULT_REGION,
        seed: int = 0,
        observer: Observer | None = None,
    ) -> Self:
        """Rehearse hand-written state machines.

        Args:
            definitions: Definitions by the names of their state machines: a dict, JSON text, or a JSON file's path.
            handlers: As in `from_stack`.
            account: The account.
            region: The Region.
            seed: As in `from_stack`.
            observer: As in `from_stack`.
        """
        rehearsal = cls(account, region, seed, observer)
        for name, definition in definitions.items():
            if isinstance(definition, Path):
                definition = definition.read_text(encoding="utf-8")
            parsed = json.loads(definition) if isinstance(definition, str) else definition
            arn = rehearsal._world.place.arn("states", f"stateMachine:{name}")
            rehearsal._world.executions.machines[arn] = StateMachine(arn, parsed)
        rehearsal._replace(handlers or {})
        return rehearsal

    @property
    def bedrock(self) -> Bedrock:
        """The simulated Bedrock; `bedrock.billed` is what still costs money."""
        return self._world.bedrock

    @property
    def faults(self) -> Faults:
        """Injects faults into what states and functions call."""
        return self._world.faults

    @property
    def permissions(self) -> Permissions:
        """The stack's permissions: what was denied, what was used and what never was."""
        return self._world.permissions

    @property
    def executions(self) -> list[Run]:
        """Every execution so far, nested ones and those that events started included."""
        return self._world.executions.runs

    @property
    def inbox(self) -> list[Message]:
        """What subscribers of the topics got, in that order; each subscription counts as confirmed."""
        return self._world.notifications.inbox

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event that was put on an event bus."""
        return self._world.bus.events

    @property
    def logs(self) -> list[LogLine]:
        """What the stack's own Lambda functions printed: function and text; not what `handlers` print."""
        return self._world.functions.logs

    @property
    def undelivered(self) -> list[str]:
        """Event targets that could not be started, and why."""
        return self._world.bus.failures

    @property
    def seconds(self) -> float:
        """The virtual time, in seconds since the rehearsal began."""
        return self._world.clock.seconds()

    def bucket_name(self, bucket: Any) -> str:
        """The name of a bucket, given as in `upload`."""
        return self._names.bucket(bucket)

    def upload(self, bucket: Any, key: str, content: Path | bytes | str) -> None:
        """Put an object into a bucket, and run to its end what the bucket's event starts.

        Args:
            bucket: The bucket's construct, logical id, construct path or name; a bucket that only has a name is made.
            key: The object's key.
            content: A file, bytes, or text.
        """
        buckets.upload(self._world, self.bucket_name(bucket), key, content)

    def download(self, bucket: Any, key: str) -> bytes:
        """An object of a bucket.

        Args:
            bucket: As in `upload`.
            key: The object's key.

        Raises:
            KeyError: There is no such object.
        """
        return buckets.download(self._world, self.bucket_name(bucket), key)

    def keys(self, bucket: Any, prefix: str = "") -> list[str]:
        """The keys of a bucket's objects, in their order.

        Args:
            bucket: As in `upload`.
            prefix: What the keys begin with.
        """
        return list(buckets.keys(self._world, self.bucket_name(bucket), prefix))

    def run(self, state_machine: Any, input: Any, name: str | None = None) -> Run:
        """Run a state machine to its end, and everything that its end starts.

        Args:
            state_machine: The state machine's construct, name, logical id, construct path or ARN.
            input: The input, as JSON values.
            name: The execution's name; one is made up if it is left out.

        Returns:
            The execution, whatever came of it.

        Raises:
            UnsupportedDefinitionError: The definition uses something that the rehearsal does not know; names it.
            ValueError: The input is not JSON or too large, or the name is taken.
        """
        return self._run(state_machine, [(name, input)])[0]

    def run_all(self, state_machine: Any, inputs: Mapping[str, Any]) -> list[Run]:
        """Run several executions of a state machine at the same time, and everything that their ends start.

        Args:
            state_machine: As in `run`.
            inputs: The inputs by the names of the executions.

        Returns:
            The executions in the order of the inputs, whatever came of them.

        Raises:
            UnsupportedDefinitionError: As in `run`.
            ValueError: As in `run`.
        """
        return self._run(state_machine, list(inputs.items()))

    def redrive(self, run: Run) -> Run:
        """Take up an execution where it failed, as RedriveExecution does, and run what its new end starts.

        States that were entered and not left run again: tasks are called and waits wait anew, with their retries and
        time-outs counted from the start. Branches, iterations and child executions that succeeded keep their results.

        Args:
            run: The execution: it failed, timed out or was aborted at most 14 days of virtual time ago.

        Returns:
            The same execution, whatever came of it now.

        Raises:
            ValueError: The execution cannot be redriven.
        """
        self._current = [run]

        def redrive() -> None:
            try:
                self._world.executions.redrive(run)
            except ApiError as error:
                raise ValueError(
                    f"run: got {run!r}; {error.code}: {error.message}; allowed: a STANDARD execution that is FAILED, "
                    "TIMED_OUT or ABORTED, at most 14 days after its end; start a new execution instead"
                ) from error

        perform(self._world, redrive)
        return run

    def fire(self, schedule: Any) -> list[Run]:
        """Let a schedule fire now, and run what it starts to its end.

        Args:
            schedule: The construct, name or logical id of a scheduled EventBridge rule or of a schedule.

        Returns:
            The executions that it started.
        """
        rule = self._names.rule(schedule)
        world = self._world
        event = {
            "version": "0",
            "id": f"00000000-0000-0000-0000-{len(world.bus.events):012d}",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": world.place.account,
            "time": world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": world.place.region,
            "resources": [rule.arn],
            "detail": {},
        }
        before = len(self.executions)
        perform(self._world, lambda: world.bus.fire(rule, event))
        return self.executions[before:]

    def raise_alarm(self, alarm: Any) -> None:
        """Let a CloudWatch alarm go off now; what it tells a topic is in the inbox. Metrics are not simulated.

        Args:
            alarm: The alarm's construct, name, logical id or construct path.
        """
        found = self._names.alarm(alarm)
        perform(self._world, lambda: self._world.raise_alarm(found))

    def wait(self, seconds: float) -> None:
        """Let virtual time pass between runs."""
        self._world.clock.advance(self.seconds + seconds)

    def stop(self, *, at: str) -> None:
        """Abort the next run, as StopExecution does, that enters a state.

        Args:
            at: The state's name; a state of a child or of a nested execution counts too.

        Raises:
            ValueError: There is no such state; names those that there are.
        """
        states = self._names.states()
        if at not in states:
            raise ValueError(f"at: got {at!r}; it must be one of the states {', '.join(sorted(states)) or 'none'}")
        self._stops.add(at)

    def close(self) -> None:
        """Nothing outlives a rehearsal; this is here so that it can be used in a `with` statement."""

    def __enter__(self) -> Self:
        """The rehearsal itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _replace(self, handlers: Mapping[Any, Handler]) -> None:
        for key, handler in handlers.items():
            if StandIns.is_resource(key):
                self._world.tasks.stand_ins.add(key, handler)
            else:
                self._world.functions.add_handler(self._names.function(key), handler)

    def _run(self, state_machine: Any, inputs: list[tuple[str | None, Any]]) -> list[Run]:
        machine = self._names.machine(state_machine)
        self._current = []

        def start() -> None:
            try:
                for name, input in inputs:
                    self._current.append(self._world.executions.start(machine, input, name))
            except ApiError as error:
                raise ValueError(f"{error.code}: {error.message}") from error

        perform(self._world, start)
        return self._current

    def _observe(self, execution: Execution, event: dict[str, Any]) -> None:
        if self._observer is not None:
            self._observer(Run(execution), event)
        name = event.get("stateEnteredEventDetails", {}).get("name")
        outermost = execution.outermost
        if name in self._stops and any(run.execution is outermost for run in self._current if run.status == "RUNNING"):
            self._stops.discard(name)
            outermost.stop()
