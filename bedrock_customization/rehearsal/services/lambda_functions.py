"""Runs Lambda functions in this process, from the code that the assembly has for them."""

from __future__ import annotations

import io
import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.interpreter.services import UnsupportedDefinitionError
from bedrock_customization.rehearsal.services.api import Api, ApiCall, Principal
from bedrock_customization.rehearsal.services.api_error import ApiError
from bedrock_customization.rehearsal.services.encoder import stand_in_encoder
from bedrock_customization.rehearsal.services.invocation import own_output, own_turn
from bedrock_customization.rehearsal.services.task_root import HandlerNotFoundError, TaskRoot

Handler = Callable[[Any, Any], Any]
_PAYLOAD_LIMIT = 6 * 1024 * 1024


@dataclass
class LambdaFunction:
    """A function that can be invoked.

    Args:
        name: Its physical name.
        arn: Its ARN, without a qualifier.
        handler: What it runs; None until its code is loaded.
        code: Where its code is, or None.
        command: The handler's name in its code.
        refusal: Why it cannot run, or None.
        image: Whether its code is a container image.
        role_arn: The role that it acts as.
        environment: Its environment variables.
        memory: Its memory in MiB.
        timeout: Its timeout in seconds.
        printed: What it printed and is not in the logs yet.
    """

    name: str
    arn: str
    handler: Handler | None = None
    code: TaskRoot | None = None
    command: str = ""
    refusal: str | None = None
    image: bool = False
    role_arn: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    memory: int = 128
    timeout: int = 3
    printed: io.StringIO = field(default_factory=io.StringIO)


@dataclass
class LambdaContext:
    """What a handler gets as its second argument."""

    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    aws_request_id: str
    timeout: int
    function_version: str = "$LATEST"
    client_context: None = None
    identity: None = None

    @property
    def log_group_name(self) -> str:
        """The function's log group."""
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        """The log stream of this invocation."""
        return f"2026/01/01/[{self.function_version}]{self.aws_request_id.replace('-', '')}"

    def get_remaining_time_in_millis(self) -> int:
        """The whole timeout: virtual time stands still while a handler runs."""
        return self.timeout * 1000


@dataclass(frozen=True)
class LogLine:
    """A line that a function printed: what its log group would have."""

    function: str
    text: str


class FunctionError(Exception):
    """A handler raised: the error's name and Lambda's JSON about it."""

    def __init__(self, name: str, document: str) -> None:
        super().__init__(document)
        self.name = name
        self.document = document


class LambdaFunctions:
    """The account's functions; answers the Lambda API's Invoke.

    Args:
        region: The account's Region.
        account: The account's 12 digits.
        partition: The partition, for example `aws`.
    """

    def __init__(self, region: str, account: str, partition: str) -> None:
        self._functions: dict[str, LambdaFunction] = {}
        self.logs: list[LogLine] = []
        self._prefix = f"arn:{partition}:lambda:{region}:{account}:function:"
        self._region = region
        self.api: Api

    def add(self, function: LambdaFunction) -> None:
        """Make a function known."""
        self._functions[function.name] = function

    def add_handler(self, name: str, handler: Handler) -> None:
        """Let a handler stand for a function; an existing function keeps its role and environment."""
        if name not in self._functions:
            self._functions[name] = LambdaFunction(name, self._prefix + name)
        function = self._functions[name]
        function.handler, function.refusal = handler, None

    def __contains__(self, name: str) -> bool:
        """Whether there is a function of this name."""
        return name in self._functions

    def find(self, name: str) -> LambdaFunction:
        """A function by its name, ARN or partial ARN, with or without a qualifier.

        Raises:
            ApiError: There is none.
        """
        bare = name.split(":function:", 1)[-1].split(":", 1)[0]
        if bare not in self._functions:
            arn = name if name.startswith("arn:") else self._prefix + bare
            raise ApiError("ResourceNotFoundException", f"Function not found: {arn}", 404)
        return self._functions[bare]

    def invoke(self, name: str, payload: Any) -> Any:
        """Run a function.

        Args:
            name: Its name or ARN.
            payload: The event, as JSON values.

        Returns:
            What the handler returned, as JSON values.

        Raises:
            ApiError: There is no such function, or the payload is too large.
            FunctionError: The handler raised.
            UnsupportedDefinitionError: The function cannot run here; says why and what to do.
        """
        function = self.find(name)
        if function.refusal:
            raise UnsupportedDefinitionError(function.refusal)
        event = json.dumps(payload)
        if len(event.encode()) > _PAYLOAD_LIMIT:
            raise ApiError(
                "RequestEntityTooLargeException",
                f"{len(event)} byte payload is too large (limit {_PAYLOAD_LIMIT} bytes)",
                413,
            )
        request_id = self.api.request_id()
        context = LambdaContext(function.name, function.arn, str(function.memory), request_id, function.timeout)
        with own_turn(), self.api.acting_as(Principal(function.role_arn, function=function.name)):
            if function.code is None or function.handler is not None:
                return self._run(function, function.handler, json.loads(event), context)
            try:
                with function.code.entered(self._environment(function)), own_output(function.printed):
                    return self._run(function, None, json.loads(event), context)
            finally:
                function.printed.seek(0)
                self.logs += [LogLine(function.name, line.removesuffix("\n")) for line in function.printed]
                function.printed.seek(0)
                function.printed.truncate()

    def _run(self, function: LambdaFunction, handler: Handler | None, event: Any, context: LambdaContext) -> Any:
        try:
            if handler is None:
                assert function.code is not None
                handler = function.code.load(function.command)
            returned = handler(event, context)
        except (UnsupportedDefinitionError, UnsupportedTemplateError):
            raise
        except HandlerNotFoundError as error:
            raise _function_error("Runtime.ImportModuleError", str(error), context, []) from error
        except Exception as error:
            trace = traceback.format_tb(error.__traceback__)[1:]
            raise _function_error(type(error).__name__, str(error), context, trace) from error
        try:
            result = json.dumps(returned, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise _function_error("Runtime.MarshalError", str(error), context, []) from error
        if len(result.encode()) > _PAYLOAD_LIMIT:
            message = f"Response payload size exceeded maximum allowed payload size ({_PAYLOAD_LIMIT} bytes)."
            raise _function_error("Function.ResponseSizeTooLarge", message, context, [])
        return json.loads(result)

    def _environment(self, function: LambdaFunction) -> dict[str, str]:
        environment = {
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
            **function.environment,
        }
        return environment | stand_in_encoder(function.name, function.environment, image=function.image)

    def knows(self, operation: str) -> bool:
        """Only Invoke is simulated."""
        return operation == "Invoke"

    def answer(self, call: ApiCall) -> dict[str, Any] | None:
        """Answer the Lambda API's Invoke."""
        if call.operation != "Invoke":
            raise NotImplementedError(f"lambda:{call.operation} is not simulated")
        payload = json.loads(call.parameters.get("Payload") or b"{}")
        try:
            result = self.invoke(call.parameters["FunctionName"], payload)
        except FunctionError as error:
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": error.document.encode()}
        return {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": json.dumps(result).encode()}


def _function_error(name: str, message: str, context: LambdaContext, trace: list[str]) -> FunctionError:
    document = {"errorMessage": message, "errorType": name, "requestId": context.aws_request_id, "stackTrace": trace}
    return FunctionError(name, json.dumps(document, ensure_ascii=False, separators=(",", ":")))
