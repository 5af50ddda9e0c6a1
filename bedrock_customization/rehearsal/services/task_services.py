"""What Task states, item readers and result writers call: the service integrations of Step Functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import trio
from botocore.exceptions import ParamValidationError

from bedrock_customization.rehearsal.faults import Faults, api_names
from bedrock_customization.rehearsal.interpreter.services import Caller, StatesError, UnsupportedDefinitionError
from bedrock_customization.rehearsal.permissions.calls.need import Need
from bedrock_customization.rehearsal.permissions.enforcement import Permissions
from bedrock_customization.rehearsal.run import Run
from bedrock_customization.rehearsal.services import sdk
from bedrock_customization.rehearsal.services.api import Api, Principal
from bedrock_customization.rehearsal.services.api_error import ApiError
from bedrock_customization.rehearsal.services.bedrock.service import Bedrock
from bedrock_customization.rehearsal.services.executions import Executions, describe
from bedrock_customization.rehearsal.services.lambda_functions import FunctionError, LambdaFunctions
from bedrock_customization.rehearsal.services.resource import Integration, parse
from bedrock_customization.rehearsal.services.stand_ins import StandIns

_POLL_SECONDS = 60
_REMEDY = "pass handlers={{{0!r}: ...}} with a Python function that stands for it"
_LAMBDA_FIELDS = {"FunctionName", "Payload", "InvocationType", "ClientContext", "Qualifier"}
_OPTIMIZED_PREFIX = {"states": "StepFunctions", "sns": "SNS", "sqs": "SQS", "dynamodb": "DynamoDB"}
# The first optimised integrations use the AWS SDK for Java 1, as the causes in recordings show.
_OLD_SDK_NAMES = {
    "dynamodb": ("AmazonDynamoDBv2", "AmazonDynamoDB"),
    "lambda": ("AWSLambda", "AWSLambda"),
    "sns": ("AmazonSNS", "AmazonSNS"),
    "sqs": ("AmazonSQS", "AmazonSQS"),
    "states": ("AWSStepFunctions", "AWSStepFunctions"),
}
"""A service's name in causes, and the beginning of the name of an error that its API does not declare."""


class TaskServices:
    """Calls services as Step Functions does: its spelling of fields, its results, its errors.

    Args:
        api: Answers API calls.
        executions: The account's state machines.
        functions: The account's Lambda functions.
        bedrock: The simulated Bedrock.
        faults: The faults that are injected.
        permissions: The permissions of the state machines' roles.

    Attributes:
        stand_ins: The functions that stand for integrations; their calls are not checked against permissions.
    """

    def __init__(
        self,
        api: Api,
        executions: Executions,
        functions: LambdaFunctions,
        bedrock: Bedrock,
        faults: Faults,
        permissions: Permissions,
    ) -> None:
        self._api = api
        self._executions = executions
        self._functions = functions
        self._bedrock = bedrock
        self._faults = faults
        self._permissions = permissions
        self.stand_ins = StandIns()

    def check(self, resource: str) -> None:
        """Refuse a resource that is not known, by name.

        Raises:
            UnsupportedDefinitionError: The resource is unknown.
        """
        if resource in self.stand_ins:
            return
        try:
            integration = parse(resource)
        except UnsupportedDefinitionError as error:
            raise UnsupportedDefinitionError(f"{error}; {_REMEDY.format(resource)}") from error
        if integration.kind == "function":
            self._check_function(resource)
        elif not self._api.knows(integration.model.service_name, integration.operation.name):  # type: ignore[union-attr]
            what = f"Resource: {resource!r}: the rehearsal does not simulate this call"
            raise UnsupportedDefinitionError(f"{what}; {_REMEDY.format(resource)}")

    def _check_function(self, arn: str) -> None:
        try:
            function = self._functions.find(arn)
        except ApiError as error:
            raise UnsupportedDefinitionError(f"{error.message}; pass it in `handlers`") from error
        if function.refusal:
            raise UnsupportedDefinitionError(function.refusal)

    def start_map_run(self, caller: Caller) -> None:
        """Refuse a Map Run whose state machine may not start the child executions.

        Raises:
            StatesError: `States.Permissions`.
        """
        self._require(caller, [Need("states:StartExecution", caller.state_machine.arn)])

    def redrive_map_run(self, caller: Caller, children: Sequence[str]) -> None:
        """Refuse to redrive a Map Run whose state machine may not redrive its child executions.

        Raises:
            StatesError: `States.Permissions`.
        """
        self._require(caller, [Need("states:RedriveExecution", child) for child in children])

    def _require(self, caller: Caller, needs: Sequence[Need]) -> None:
        try:
            self._permissions.require(_principal(caller), needs, "stepfunctions")
        except ApiError as error:
            raise StatesError("States.Permissions", error.message) from error

    async def call(self, resource: str, arguments: Any, caller: Caller) -> Any:
        """Call a service and wait, in virtual time, for its result.

        Raises:
            StatesError: The call failed, with the name that Step Functions gives to the error.
            UnsupportedDefinitionError: The call needs something that is not simulated.
        """
        if resource in self.stand_ins:
            prefix = resource.split(":")[-2].capitalize()
            perform = partial(self._stood_in, resource, arguments, caller)
            return await self._faults.around(caller.state, set(), perform, prefix)
        integration = parse(resource)
        principal = _principal(caller)
        client_name = "lambda" if integration.model is None else integration.model.service_name
        operation = "Invoke" if integration.operation is None else integration.operation.name
        perform = partial(self._call, integration, arguments, principal, caller.submitted)
        try:
            return await self._faults.around(caller.state, api_names(client_name, operation), perform)
        except sdk.FieldError as error:
            problems = ", ".join(error.problems)
            text = _json(arguments)
            raise StatesError(
                "States.Runtime", f"The Parameters '{text}' could not be used to start the Task: [{problems}]"
            ) from error
        except ApiError as error:
            raise self._states_error(integration, error) from error
        except FunctionError as error:
            raise StatesError(error.name, error.document) from error
        except ParamValidationError as error:
            raise StatesError("States.Runtime", str(error)) from error
        except NotImplementedError as error:
            raise UnsupportedDefinitionError(f"{resource} in state {caller.state}: {error}") from error

    async def _stood_in(self, resource: str, arguments: Any, caller: Caller) -> Any:
        if "." in resource.rsplit(":", 1)[-1] or resource.endswith(".sync:2"):
            caller.submitted({})
        return self.stand_ins.call(resource, arguments, caller)

    async def _call(
        self, integration: Integration, arguments: Any, principal: Principal, submitted: Callable[[Any], None]
    ) -> Any:
        if integration.kind == "function":
            return self._invoked(self._invoke(integration.resource, arguments, principal))
        if integration.kind == "aws-sdk":
            return await self._plain(integration, arguments, principal)
        special: Any = getattr(self, f"_{integration.service}_{integration.action}", self._plain)
        if integration.pattern:
            return await special(integration, arguments, principal, submitted)
        return await special(integration, arguments, principal)

    async def _request(self, integration: Integration, request: dict[str, Any], principal: Principal) -> dict[str, Any]:
        assert integration.model is not None
        assert integration.operation is not None
        service = integration.model.service_name
        await trio.sleep(self._bedrock.latency(integration.operation.name) if service == "bedrock-runtime" else 0)
        return self._api.call(service, integration.operation.name, request, principal)

    async def _plain(self, integration: Integration, arguments: Any, principal: Principal) -> Any:
        assert integration.operation is not None
        request = sdk.to_request(arguments, integration.operation.input_shape)
        result = await self._request(integration, request, principal)
        return sdk.to_result(result, integration.operation.output_shape)

    async def _lambda_invoke(self, integration: Integration, arguments: Any, principal: Principal) -> Any:
        _only(arguments, _LAMBDA_FIELDS, "FunctionName")
        name = str(arguments["FunctionName"])
        if arguments.get("Qualifier"):
            name = f"{name}:{arguments['Qualifier']}"
        result = self._invoke(name, arguments.get("Payload", {}), principal)
        if arguments.get("InvocationType") == "Event":
            return {**self._metadata(202), "StatusCode": 202}
        payload = self._invoked(result)
        qualifier = name.split(":function:", 1)[-1].partition(":")[2]
        # An alias points to the version that its template publishes, which is the first one.
        version = "$LATEST" if qualifier in ("", "$LATEST") else qualifier if qualifier.isdigit() else "1"
        return {"ExecutedVersion": version, "Payload": payload, **self._metadata(), "StatusCode": 200}

    def _invoke(self, name: str, payload: Any, principal: Principal) -> dict[str, Any]:
        request = {"FunctionName": name, "Payload": json.dumps(payload).encode()}
        return self._api.call("lambda", "Invoke", request, principal)

    def _invoked(self, result: dict[str, Any]) -> Any:
        document = json.loads(result["Payload"])
        if "FunctionError" in result:
            raise FunctionError(document["errorType"], result["Payload"].decode())
        return document

    async def _sns_publish(self, integration: Integration, arguments: Any, principal: Principal) -> Any:
        return await self._plain(integration, arguments, principal) | self._metadata()

    async def _sqs_sendMessage(self, integration: Integration, arguments: Any, principal: Principal) -> Any:
        result = await self._plain(integration, arguments, principal)
        return {name.replace("Md5", "MD5"): value for name, value in result.items()} | self._metadata()

    async def _events_putEvents(self, integration: Integration, arguments: Any, principal: Principal) -> Any:
        own = [arn for arn in (principal.state_machine_arn, principal.execution_arn) if arn]
        entries = arguments.get("Entries") if isinstance(arguments, dict) else None
        if isinstance(entries, list):
            entries = [{**entry, "Resources": [*entry.get("Resources", []), *own]} for entry in entries]
            arguments = {**arguments, "Entries": entries}
        result = await self._plain(integration, arguments, principal)
        if result.get("FailedEntryCount"):
            raise StatesError("EventBridge.FailedEntry", _json(result))
        return result | self._metadata()

    async def _states_startExecution(
        self,
        integration: Integration,
        arguments: Any,
        principal: Principal,
        submitted: Callable[[Any], None] | None = None,
    ) -> Any:
        _only(arguments, {"StateMachineArn", "Input", "Name", "TraceHeader"}, "StateMachineArn")
        given = {"Input": {}, **arguments}
        if not isinstance(given["Input"], str):
            given["Input"] = json.dumps(given["Input"], ensure_ascii=False)
        assert integration.operation is not None
        request = sdk.to_request(given, integration.operation.input_shape)
        started = await self._request(integration, request, principal)
        run = next(run for run in self._executions.runs if run.arn == started["executionArn"])
        start_date = round(started["startDate"].timestamp() * 1000)
        response = {"ExecutionArn": run.arn, "StartDate": start_date, **self._metadata()}
        if submitted is None:
            return response
        submitted(response)
        try:
            await self._executions.wait(run)
        except trio.Cancelled:
            # AWS stops the execution of a cancelled state on a best-effort basis.
            with suppress(ApiError):
                self._api.call("stepfunctions", "StopExecution", {"executionArn": run.arn}, principal)
            raise
        # Step Functions polls beside waiting for the event, and gets along without.
        self._permissions.note(principal, [Need("states:DescribeExecution", run.arn)])
        description = self._nested_result(run, as_json=integration.pattern == ".sync:2")
        if run.status != "SUCCEEDED":
            raise StatesError("States.TaskFailed", _json(description))
        return description

    def _nested_result(self, run: Run, *, as_json: bool) -> dict[str, Any]:
        described = describe(run)
        for date in ("startDate", "stopDate"):
            described[date] = round(described[date].timestamp() * 1000)
        if as_json:
            for name in ("input", "output"):
                if name in described:
                    described[name] = json.loads(described[name])
        for details in ("inputDetails", "outputDetails"):
            if details in described:
                described[details] = {"Included": True}
        return {sdk.pascal_case(name): value for name, value in described.items()}

    async def _bedrock_createModelCustomizationJob(
        self,
        integration: Integration,
        arguments: Any,
        principal: Principal,
        submitted: Callable[[Any], None] | None = None,
    ) -> Any:
        created = await self._plain(integration, arguments, principal)
        if submitted is None:
            return created
        submitted(created)
        return await self._finished_job(created["JobArn"], principal)

    async def _finished_job(self, arn: str, principal: Principal) -> Any:
        identifier = {"jobIdentifier": arn}
        shape = sdk.service_model("bedrock").operation_model("GetModelCustomizationJob").output_shape
        try:
            while True:
                job = self._api.call("bedrock", "GetModelCustomizationJob", identifier, principal)
                if job["status"] not in ("InProgress", "Stopping"):
                    break
                await trio.sleep(_POLL_SECONDS)
        except trio.Cancelled:
            # AWS stops the job of a cancelled state on a best-effort basis.
            with suppress(ApiError):
                self._api.call("bedrock", "StopModelCustomizationJob", identifier, principal)
            raise
        result = sdk.to_result(job, shape)
        if job["status"] != "Completed":
            raise StatesError("States.TaskFailed", _json(result))
        return result

    async def _bedrock_invokeModel(self, integration: Integration, arguments: Any, principal: Principal) -> Any:
        given = dict(arguments) if isinstance(arguments, dict) else {}
        source, target = given.pop("Input", None), given.pop("Output", None)
        if (source is None) == ("Body" not in given):
            raise sdk.FieldError(["Exactly one of the fields 'Body' and 'Input' is required"])
        if source is not None:
            bucket, key = _s3_location(source["S3Uri"])
            stored = self._api.call("s3", "GetObject", {"Bucket": bucket, "Key": key}, principal)
            given["Body"] = stored["Body"].read()
        elif isinstance(given["Body"], str):
            given["Body"] = given["Body"].encode()
        assert integration.operation is not None
        result = await self._request(integration, sdk.to_request(given, integration.operation.input_shape), principal)
        content_type = result.get("contentType", "application/json")
        body = result["body"]
        if target is not None:
            bucket, key = _s3_location(target["S3Uri"])
            self._api.call("s3", "PutObject", {"Bucket": bucket, "Key": key, "Body": body}, principal)
            return {"Body": target["S3Uri"], "ContentType": content_type}
        return {"Body": json.loads(body), "ContentType": content_type}

    async def _s3_getObject(self, integration: Integration, arguments: Any, principal: Principal) -> Any:
        assert integration.operation is not None
        request = sdk.to_request(arguments, integration.operation.input_shape)
        result = await self._request(integration, request, principal)
        body = result.pop("Body").read()
        return {**sdk.to_result(result, integration.operation.output_shape), "Body": body}

    async def _s3_listObjectsV2(self, integration: Integration, arguments: Any, principal: Principal) -> Any:
        assert integration.operation is not None
        request = sdk.to_request(arguments, integration.operation.input_shape)
        contents: list[dict[str, Any]] = []
        while True:
            page = await self._request(integration, request, principal)
            contents += page.get("Contents", [])
            if not page.get("IsTruncated"):
                break
            request["ContinuationToken"] = page["NextContinuationToken"]
        listed = [
            {
                "Etag": item["ETag"],
                "Key": item["Key"],
                "LastModified": round(item["LastModified"].timestamp()),
                "Size": item["Size"],
                "StorageClass": item.get("StorageClass", "STANDARD"),
            }
            for item in contents
        ]
        return {"Contents": listed, "IsTruncated": False, "KeyCount": len(listed), "Name": request["Bucket"]}

    def _metadata(self, status: int = 200) -> dict[str, Any]:
        request_id = self._api.request_id()
        return {
            "SdkHttpMetadata": {"AllHttpHeaders": {}, "HttpHeaders": {}, "HttpStatusCode": status},
            "SdkResponseMetadata": {"RequestId": request_id},
        }

    def _states_error(self, integration: Integration, error: ApiError) -> StatesError:
        request_id = self._api.request_id()
        service = "lambda" if integration.kind == "function" else integration.service
        if integration.kind != "aws-sdk" and service in _OLD_SDK_NAMES:
            details = f"Status Code: {error.status}; Error Code: {error.code}; Request ID: {request_id}; Proxy: null"
            cause = f"{error.message} (Service: {_OLD_SDK_NAMES[service][0]}; {details})"
            if service == "lambda":
                known = {shape.name for shape in sdk.service_model("lambda").error_shapes} | {"SdkClientException"}
                code = f"{error.code.removesuffix('Exception')}Exception"
                return StatesError(f"Lambda.{code if code in known else 'AWSLambdaException'}", cause)
            assert integration.model is not None
            code = sdk.error_code(integration.model, error.code) or f"{_OLD_SDK_NAMES[service][1]}Exception"
            return StatesError(f"{_OPTIMIZED_PREFIX[service]}.{code}", cause)
        assert integration.model is not None
        prefix = sdk.error_prefix(integration.model)
        name = sdk.error_name(integration.model, error.code)
        if integration.kind == "optimized" and service == "bedrock":
            name = f"Bedrock.{name.partition('.')[2]}"
        details = f"Service: {prefix}, Status Code: {error.status}, Request ID: {request_id}"
        return StatesError(name, f"{error.message} ({details})")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=repr)


def _principal(caller: Caller) -> Principal:
    machine = caller.state_machine
    return Principal(machine.role_arn, machine.arn, caller.execution_arn, caller.state)


def _only(arguments: Any, known: set[str], required: str) -> None:
    if not isinstance(arguments, dict):
        raise sdk.FieldError(["The arguments must be a JSON object"])
    problems = [f'The field "{name}" is not supported by Step Functions' for name in arguments if name not in known]
    if required not in arguments:
        problems.append(f"The field '{required}' is required but was missing")
    if problems:
        raise sdk.FieldError(problems)


def _s3_location(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
