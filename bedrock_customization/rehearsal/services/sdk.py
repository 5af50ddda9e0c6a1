"""AWS APIs as Step Functions spells them: services, operations, fields and errors of the `aws-sdk` integrations.

Step Functions names things as the AWS SDK for Java 2 does, each with a capital first letter.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.utils import CLIENT_NAME_TO_HYPHENIZED_SERVICE_ID_OVERRIDES

# Amazon SQS still answers with the names of its older protocol.
_QUERY_CODES = {
    "AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist",
    "AWS.SimpleQueueService.PurgeQueueInProgress": "PurgeQueueInProgress",
    "AWS.SimpleQueueService.QueueDeletedRecently": "QueueDeletedRecently",
}
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


class FieldError(Exception):
    """Arguments that Step Functions refuses before it calls the service.

    Args:
        problems: One sentence for each problem, in the wording of Step Functions.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@lru_cache
def _loader() -> botocore.session.Session:
    return botocore.session.Session()


@lru_cache
def _client_names() -> dict[str, str]:
    names = {name.replace("-", ""): name for name in _loader().get_available_services()}
    overrides = {
        service_id.replace("-", ""): name for name, service_id in CLIENT_NAME_TO_HYPHENIZED_SERVICE_ID_OVERRIDES.items()
    }
    return names | overrides


@lru_cache
def service_model(client_name: str) -> ServiceModel:
    """Botocore's model of a service, by its boto3 name."""
    return _loader().get_service_model(client_name)


@lru_cache
def service_of(name: str) -> ServiceModel | None:
    """The service that `aws-sdk:<name>:...` means; None if there is none."""
    client_name = _client_names().get(name)
    if client_name is None:
        return None
    try:
        return service_model(client_name)
    except UnknownServiceError:
        return None


def operation_of(model: ServiceModel, name: str) -> OperationModel | None:
    """The operation that `...:<name>` means, with its small first letter; None if there is none."""
    if not name[:1].islower():
        return None
    for operation in model.operation_names:
        if _small_first(operation) == name or operation[:1].lower() + operation[1:] == name:
            return model.operation_model(operation)
    return None


def to_request(arguments: Any, shape: Shape | None) -> dict[str, Any]:
    """Arguments of a state as a request in the API's own spelling.

    Raises:
        FieldError: A field is unknown (or not in PascalCase), missing, or of the wrong type.
    """
    problems: list[str] = []
    if not isinstance(arguments, dict):
        raise FieldError(["The arguments must be a JSON object"])
    if shape is None:
        problems += [f'The field "{name}" is not supported by Step Functions' for name in arguments]
        request: Any = {}
    else:
        request = _to_api(arguments, shape, "", problems)
    if problems:
        raise FieldError(problems)
    return request  # type: ignore[no-any-return]


def _to_api(value: Any, shape: Shape, name: str, problems: list[str]) -> Any:
    if isinstance(shape, StructureShape) and not getattr(shape, "is_document_type", False):
        return _to_structure(value, shape, name, problems)
    if isinstance(shape, ListShape):
        if not isinstance(value, list):
            problems.append(f"The value for the field '{name}' must be an ARRAY")
            return value
        return [_to_api(item, shape.member, name, problems) for item in value]
    if isinstance(shape, MapShape):
        if not isinstance(value, dict):
            problems.append(f"The value for the field '{name}' must be a MAP")
            return value
        return {key: _to_api(item, shape.value, key, problems) for key, item in value.items()}
    return _to_scalar(value, shape, name, problems)


def _to_structure(value: Any, shape: StructureShape, name: str, problems: list[str]) -> Any:
    if not isinstance(value, dict):
        problems.append(f"The value for the field '{name}' must be an OBJECT")
        return value
    members = _members(shape)
    request = {}
    for key, item in value.items():
        if key not in members:
            problems.append(f'The field "{key}" is not supported by Step Functions')
        elif item is not None:
            member, inner = members[key]
            request[member] = _to_api(item, inner, key, problems)
    for required in shape.required_members:
        if value.get(pascal_case(required)) is None and not shape.members[required].metadata.get("idempotencyToken"):
            problems.append(f"The field '{pascal_case(required)}' is required but was missing")
    return request


@cache
def _members(shape: StructureShape) -> dict[str, tuple[str, Shape]]:
    return {pascal_case(member): (member, inner) for member, inner in shape.members.items()}


def _to_scalar(value: Any, shape: Shape, name: str, problems: list[str]) -> Any:
    kind = shape.type_name
    if kind == "blob":
        if isinstance(value, bytes):
            return value
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    if kind == "string":
        if isinstance(value, dict | list):
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        return _expect(value, isinstance(value, str), name, "a STRING", problems)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in ("integer", "long"):
        whole = _expect(value, number and float(value).is_integer(), name, "an INTEGER", problems)
        return int(whole) if number else whole
    if kind in ("float", "double"):
        return _expect(value, number, name, "a NUMBER", problems)
    if kind == "boolean":
        return _expect(value, isinstance(value, bool), name, "a BOOLEAN", problems)
    if kind == "timestamp" and isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return _expect(value, False, name, "a TIMESTAMP", problems)
    return value


def _expect(value: Any, right: bool, name: str, what: str, problems: list[str]) -> Any:
    if not right:
        problems.append(f"The value for the field '{name}' must be {what}")
    return value


def to_result(value: Any, shape: Shape | None) -> Any:
    """An API's result as Step Functions hands it to the state: PascalCase, JSON values only."""
    if hasattr(value, "read"):
        value = value.read()
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode(errors="replace")
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(shape, StructureShape) and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        return {
            pascal_case(name): to_result(item, shape.members.get(name))
            for name, item in value.items()
            if item is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [to_result(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: to_result(item, shape.value) for key, item in value.items()}
    return value


@cache
def pascal_case(member: str) -> str:
    """A field of an API as Step Functions spells it: `jobName` is `JobName`, `DBClusterId` is `DbClusterId`."""
    small = _small_first(member)
    return small[:1].upper() + small[1:]


def _small_first(name: str) -> str:
    """A name with its leading capitals made small, up to the last one before a small letter."""
    end = 1
    while end < len(name) and name[end].isupper() and not (end + 1 < len(name) and name[end + 1].islower()):
        end += 1
    return name[:end].lower() + name[end:]


def error_prefix(model: ServiceModel) -> str:
    """What a service's errors begin with, for example `BedrockRuntime`, `Sfn` or `DynamoDb`."""
    return _joined_words(model.service_id)


def error_name(model: ServiceModel, code: str) -> str:
    """An API's error as Step Functions names it, for example `S3.NoSuchKeyException`.

    An error that the API model does not declare has the service's own name, for example `S3.S3Exception`.
    """
    prefix = error_prefix(model)
    return f"{prefix}.{error_code(model, code) or f'{prefix}Exception'}"


def error_code(model: ServiceModel, code: str) -> str | None:
    """The part of the name after the service; None for an error that the API model does not declare."""
    declared = {shape.error_code or shape.name: shape.name for shape in model.error_shapes}
    declared |= {shape.name: shape.name for shape in model.error_shapes}
    if code == "SdkClientException":
        return code
    code = _QUERY_CODES.get(code, code)
    if code not in declared or (code.startswith("AccessDenied") and not _declares_denials(model.service_name)):
        return None
    base = declared[code].removesuffix("Fault")
    return f"{_joined_words(base.removesuffix('Exception'))}Exception"


@lru_cache
def _declares_denials(service: str) -> bool:
    """Whether a service's operations declare a denied access as their error; one or two new ones do not count."""
    model = service_model(service)
    declared = [
        any(shape.name.startswith("AccessDenied") for shape in model.operation_model(name).error_shapes)
        for name in model.operation_names
    ]
    return sum(declared) * 2 > len(declared)


def _joined_words(name: str) -> str:
    return "".join(word[:1].upper() + word[1:].lower() for word in _WORDS.findall(name))
