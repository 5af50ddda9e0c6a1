"""What calls of all services need. Source: the service authorisation reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.permissions.calls import bedrock, kms, s3, stores
from bedrock_customization.rehearsal.permissions.calls.need import Need, use_of_key
from bedrock_customization.rehearsal.permissions.calls.passing import passed_roles
from bedrock_customization.rehearsal.permissions.resources import Resources
from bedrock_customization.rehearsal.permissions.statements import ANY_RESOURCE
from bedrock_customization.rehearsal.services import sdk
from bedrock_customization.rehearsal.services.api import ApiCall

_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}
_ALWAYS_ALLOWED = {"sts:GetCallerIdentity", "sts:GetSessionToken"}
_ON_EVERYTHING = {
    "states:ListStateMachines",
    "states:ListActivities",
    "states:SendTaskSuccess",
    "states:SendTaskFailure",
    "states:SendTaskHeartbeat",
    "cloudwatch:PutMetricData",
    "dynamodb:ListTables",
    "sqs:ListQueues",
    "sns:ListTopics",
    "kms:ListKeys",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
}
_INVOCATIONS = ("Invoke", "InvokeAsync", "InvokeWithResponseStream")
_MACHINES = ("executionArn", "stateMachineArn", "stateMachineAliasArn", "stateMachineVersionArn", "mapRunArn")
_SESSION_KEYS = {"ExternalId": "sts:externalid", "RoleSessionName": "sts:rolesessionname"}
_SESSION_SCOPES = ("Policy", "PolicyArns", "Tags", "TransitiveTagKeys", "SourceIdentity", "ProvidedContexts")

Needs = Callable[[str, dict[str, Any], Resources], list[Need]]


def needs_of(call: ApiCall, account: Resources) -> list[Need]:
    """What a call needs to be allowed, all of it.

    A resource that cannot be told from the request counts as allowed where the action is allowed on any resource.

    Args:
        call: The call.
        account: The account's resources.

    Raises:
        UnsupportedTemplateError: It is not known what the call needs.
    """
    model = sdk.service_model(call.service)
    signing = model.signing_name or model.endpoint_prefix
    action = f"{_PREFIXES.get(signing, signing)}:{call.operation}"
    if action in _ALWAYS_ALLOWED:
        return []
    if call.region != account.place.region:
        account = replace(account, place=replace(account.place, region=call.region))
    if action in _ON_EVERYTHING:
        needed = [Need(action, "*")]
    elif signing == "apigateway":
        method = model.operation_model(call.operation).http["method"]
        needed = [Need(f"apigateway:{method}", ANY_RESOURCE)]
    elif signing == "execute-api":
        needed = [Need("execute-api:ManageConnections", ANY_RESOURCE)]
    else:
        service = _SERVICES.get(model.service_name)
        needed = service(call.operation, call.parameters, account) if service else [Need(action, ANY_RESOURCE)]
    return [*needed, *passed_roles(call.service, call.operation, call.parameters)]


def _lambda(operation: str, request: dict[str, Any], account: Resources) -> list[Need]:
    action = "lambda:InvokeFunction" if operation in _INVOCATIONS else f"lambda:{operation}"
    if "FunctionName" not in request:
        return [Need(action, ANY_RESOURCE)]
    arn = str(request["FunctionName"])
    if not arn.startswith("arn:"):
        owner, _, name = arn.rpartition("function:")
        arn = replace(account.place, account=owner.rstrip(":") or account.place.account).arn(
            "lambda", f"function:{name}"
        )
    return [Need(action, f"{arn}:{request['Qualifier']}" if request.get("Qualifier") else arn)]


def _stepfunctions(operation: str, request: dict[str, Any], account: Resources) -> list[Need]:
    arn = next((str(request[name]) for name in _MACHINES if name in request), ANY_RESOURCE)
    *machine, qualifier = arn.split(":")
    # A version or an alias is authorised as its state machine.
    if ":stateMachine:" in arn and len(machine) == 7:
        return [Need(f"states:{operation}", ":".join(machine), {"states:statemachinequalifier": [qualifier]})]
    return [Need(f"states:{operation}", arn)]


def _sns(operation: str, request: dict[str, Any], account: Resources) -> list[Need]:
    arn = request.get("TopicArn") or request.get("TargetArn")
    if operation not in ("Publish", "PublishBatch"):
        keys = {f"sns:{name.lower()}": [request[name]] for name in ("Protocol", "Endpoint") if name in request}
        return [Need(f"sns:{operation}", arn or ANY_RESOURCE, keys)]
    if arn is None:
        return [Need("sns:Publish", "*")]
    needed = [Need("sns:Publish", arn)]
    if arn in account.keys:
        needed += _message_keys("sns", {"aws:sns:topicArn": arn}, account.keys[arn], account)
    return needed


def _sqs(operation: str, request: dict[str, Any], account: Resources) -> list[Need]:
    if "QueueUrl" in request:
        arn = account.queue_arn(request["QueueUrl"])
    elif "QueueName" in request:
        arn = account.arn("sqs", request["QueueName"])
    else:
        return [Need(f"sqs:{operation}", ANY_RESOURCE)]
    needed = [Need(f"sqs:{operation.removesuffix('Batch')}", arn)]
    if arn in account.keys and operation in ("SendMessage", "SendMessageBatch", "ReceiveMessage"):
        used = _message_keys("sqs", {"aws:sqs:arn": arn}, account.keys[arn], account)
        needed += used if operation.startswith("Send") else used[1:]
    return needed


def _message_keys(service: str, context: dict[str, str], key: str, account: Resources) -> list[Need]:
    host = f"{service}.{account.place.region}.{account.place.url_suffix}"
    return [
        use_of_key(action, key, host, context, account.place.account)
        for action in ("kms:GenerateDataKey", "kms:Decrypt")
    ]


def _events(operation: str, request: dict[str, Any], account: Resources) -> list[Need]:
    if operation != "PutEvents":
        return [Need(f"events:{operation}", ANY_RESOURCE)]
    return [
        Need(
            "events:PutEvents",
            account.arn("events", f"event-bus/{str(entry.get('EventBusName', 'default')).rsplit('/', 1)[-1]}"),
            {"events:source": [entry.get("Source", "")], "events:detail-type": [entry.get("DetailType", "")]},
        )
        for entry in request["Entries"]
    ]


def _sts(operation: str, request: dict[str, Any], account: Resources) -> list[Need]:
    if operation == "AssumeRole":
        scoped = next((name for name in _SESSION_SCOPES if request.get(name)), None)
        if scoped is None:
            keys = {key: [request[name]] for name, key in _SESSION_KEYS.items() if name in request}
            return [Need("sts:AssumeRole", request["RoleArn"], keys)]
        operation = f"AssumeRole with {scoped}"
    if operation.startswith("Assume") or operation == "GetFederationToken":
        raise UnsupportedTemplateError(
            f"sts:{operation}: the rehearsal does not know what a session of this kind may do; "
            "pass enforce_permissions=False to rehearse without permissions"
        )
    return [Need(f"sts:{operation}", ANY_RESOURCE)]


_SERVICES: dict[str, Needs] = {
    "bedrock": bedrock.needs,
    "bedrock-runtime": bedrock.needs,
    "dynamodb": stores.dynamodb,
    "events": _events,
    "kms": kms.needs,
    "lambda": _lambda,
    "s3": s3.needs,
    "secretsmanager": stores.secretsmanager,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": stores.ssm,
    "stepfunctions": _stepfunctions,
    "sts": _sts,
}
