"""The one door to every simulated AWS API: state machines and Lambda handlers both call through it."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Protocol

import botocore.client
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.validate import validate_parameters
from moto import backend_index

from bedrock_customization.rehearsal.aws import SimulatedAccount
from bedrock_customization.rehearsal.services import constraints, sdk
from bedrock_customization.rehearsal.services.api_error import ApiError

_MOTO_SERVICES = {name for name, _ in backend_index.backend_url_patterns}
_MOTO_NAMES = {"lambda": "awslambda", "stepfunctions": "stepfunctions"}


@dataclass(frozen=True)
class Principal:
    """Who calls an API: the role that acts, and, for a state machine, in which state and execution.

    A service that acts in the name of a resource has its service principal and that resource's ARN; it assumes the role
    first, if there is one. Whoever assumed the role by AssumeRole has the session's name.
    """

    role_arn: str | None = None
    state_machine_arn: str | None = None
    execution_arn: str | None = None
    state: str | None = None
    function: str | None = None
    service: str | None = None
    source_arn: str | None = None
    session: str | None = None


_NOBODY = Principal()


@dataclass(frozen=True)
class ApiCall:
    """One call: what is asked of which service, by whom, and whether over TLS.

    `refused` has the objects that DeleteObjects does not delete, as its answer lists them.
    """

    service: str
    operation: str
    parameters: dict[str, Any]
    principal: Principal
    region: str
    secure: bool = True
    refused: list[dict[str, str]] = field(default_factory=list)


class SimulatedService(Protocol):
    """A service that the rehearsal answers itself instead of moto."""

    def answer(self, call: ApiCall) -> dict[str, Any] | None:
        """The API's result, or None if moto is to answer.

        Raises:
            ApiError: The service refuses.
            NotImplementedError: The operation is not simulated.
        """

    def knows(self, operation: str) -> bool:
        """Whether the operation is simulated, here or by moto."""


class Interceptor(Protocol):
    """Looks at every call: permissions before it, faults before and after it."""

    def before(self, call: ApiCall) -> None:
        """Raise ApiError to refuse the call before it has an effect."""

    def after(self, call: ApiCall, result: Any) -> None:
        """Raise ApiError to lose the response of a call that took effect."""


class Api:
    """Answers API calls: the rehearsal's own services first, moto for the rest.

    Args:
        account: The simulated account.
        services: The rehearsal's own services by their boto3 name.
        random: Makes up request ids.
    """

    def __init__(self, account: SimulatedAccount, services: Mapping[str, SimulatedService], random: Random) -> None:
        self._account = account
        self._services = services
        self._random = random
        self.interceptors: list[Interceptor] = []
        self._acting = ContextVar("acting", default=_NOBODY)
        self._sessions: dict[str, Principal] = {}
        account.answer = self._answer_client

    def knows(self, service: str, operation: str) -> bool:
        """Whether the call can be answered at all."""
        if service in self._services:
            return self._services[service].knows(operation)
        return _MOTO_NAMES.get(service, service) in _MOTO_SERVICES

    def call(
        self, service: str, operation: str, parameters: dict[str, Any], principal: Principal, region: str | None = None
    ) -> dict[str, Any]:
        """Make a call.

        Args:
            service: The service's name in boto3.
            operation: The operation's name in the API model.
            parameters: The request, in the API's own spelling.
            principal: Who calls.
            region: The Region called; default: the account's.

        Returns:
            The result as boto3 gives it, without its metadata.

        Raises:
            ApiError: The call failed.
        """
        call = ApiCall(service, operation, parameters, principal, region or self._account.region)
        for interceptor in self.interceptors:
            interceptor.before(call)
        result = self._perform(call)
        for interceptor in reversed(self.interceptors):
            interceptor.after(call, result)
        return result

    @contextmanager
    def acting_as(self, principal: Principal) -> Iterator[None]:
        """Whoever uses boto3 inside, also in a thread that is started inside, is this principal."""
        token = self._acting.set(principal)
        try:
            yield
        finally:
            self._acting.reset(token)

    def request_id(self) -> str:
        """A made-up request id."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def _perform(self, call: ApiCall, client: botocore.client.BaseClient | None = None) -> dict[str, Any]:
        if call.refused:
            return self._perform_rest(call, client)
        service = self._services.get(call.service)
        if service is not None:
            shape = sdk.service_model(call.service).operation_model(call.operation).input_shape
            if shape is not None and service.knows(call.operation):
                constraints.check(call.parameters, shape)
            answer = service.answer(call)
            if answer is not None:
                return answer
        client = client or self._account.client(call.service, call.region)
        try:
            result: dict[str, Any] = self._account.forward(client, call.operation, call.parameters)
        except ClientError as error:
            raise _explained(ApiError.from_client(error), call) from error
        if (call.service, call.operation) == ("sts", "AssumeRole"):
            session = Principal(call.parameters["RoleArn"], session=call.parameters["RoleSessionName"])
            self._sessions[result["Credentials"]["AccessKeyId"]] = session
        return {name: value for name, value in result.items() if name != "ResponseMetadata"}

    def _perform_rest(self, call: ApiCall, client: botocore.client.BaseClient | None) -> dict[str, Any]:
        """Delete the objects of DeleteObjects that are not refused."""
        refused = [(entry["Key"], entry.get("VersionId")) for entry in call.refused]
        delete = call.parameters["Delete"]
        rest = [entry for entry in delete["Objects"] if (entry["Key"], entry.get("VersionId")) not in refused]
        if not rest:
            return {"Errors": call.refused}
        parameters = {**call.parameters, "Delete": {**delete, "Objects": rest}}
        result = self._perform(replace(call, parameters=parameters, refused=[]), client)
        return {**result, "Errors": [*result.get("Errors", ()), *call.refused]}

    def _answer_client(self, client: botocore.client.BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        service = client.meta.service_model.service_name
        if not self.knows(service, operation):
            raise NotImplementedError(
                f"{service}:{operation} is not simulated; pass the function in `handlers` to replace it"
            )
        model = client.meta.service_model.operation_model(operation)
        if service in self._services and model.input_shape is not None:
            validate_parameters(parameters, model.input_shape)
        principal = self._sessions.get(_access_key(client), self._acting.get())
        secure = not client.meta.endpoint_url.startswith("http:")
        call = ApiCall(service, operation, parameters, principal, client.meta.region_name, secure)
        metadata = {"RequestId": self.request_id(), "HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}
        try:
            for interceptor in self.interceptors:
                interceptor.before(call)
            result = self._perform(call, client)
            for interceptor in reversed(self.interceptors):
                interceptor.after(call, result)
        except ApiError as error:
            metadata["HTTPStatusCode"] = error.status
            response: Any = {"Error": {"Code": error.code, "Message": error.message}, "ResponseMetadata": metadata}
            raise client.exceptions.from_code(error.code)(response, operation) from None
        if service in self._services and model.has_streaming_output:
            result = {
                name: StreamingBody(io.BytesIO(value), len(value)) if isinstance(value, bytes) else value
                for name, value in result.items()
            }
        return {**result, "ResponseMetadata": metadata}


def _access_key(client: botocore.client.BaseClient) -> str:
    credentials = client._get_credentials()
    return str(credentials.access_key) if credentials is not None else ""


def _explained(error: ApiError, call: ApiCall) -> ApiError:
    if error.code != "NoSuchBucket":
        return error
    remedy = "a bucket that the stack does not create is there once rehearsal.upload() has put an object into it"
    return ApiError(error.code, f"{error.message}: {call.parameters.get('Bucket')}; {remedy}", error.status)
