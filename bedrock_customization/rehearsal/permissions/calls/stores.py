"""What calls of DynamoDB, Secrets Manager and Parameter Store need.

Sources: their service authorisation references, and their guides on encryption at rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.permissions.calls.need import Need, use_of_key
from bedrock_customization.rehearsal.permissions.resources import Resources
from bedrock_customization.rehearsal.permissions.statements import ANY_RESOURCE

_TABLE_ITEMS = {"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
_TABLE_ITEMS |= {"ConditionCheck": "ConditionCheckItem"}
_OF_ITEMS = {*_TABLE_ITEMS.values(), "BatchGetItem", "BatchWriteItem", "Query", "Scan"}
_OF_ITEMS |= {f"PartiQL{verb}" for verb in ("Select", "Insert", "Update", "Delete")}
_PARTIQL = {"BatchExecuteStatement": "Statements", "ExecuteTransaction": "TransactStatements"}
_STATEMENT = re.compile(
    r"""\s*(?:(SELECT|DELETE)\b.*?\bFROM|(INSERT)\s+INTO|(UPDATE)|EXISTS\s*\(\s*(SELECT)\b.*?\bFROM)
    \s*"?([\w.-]+?)"?(?:\."?([\w.-]+)"?)?(?=[\s;)]|$)""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_KEY_OF_A_SECRET = {
    "GetSecretValue": ("kms:Decrypt",),
    "PutSecretValue": ("kms:GenerateDataKey", "kms:Decrypt"),
    "UpdateSecret": ("kms:GenerateDataKey", "kms:Decrypt"),
}


def dynamodb(operation: str, request: dict[str, Any], account: Resources) -> list[Need]:
    """What a call of DynamoDB needs.

    Args:
        operation: The operation.
        request: Its parameters.
        account: The account's resources.

    Raises:
        UnsupportedTemplateError: A PartiQL statement cannot be read.
    """
    needed = list(_of_tables(operation, request, account))
    return [*needed, *(key for need in needed for key in _key_of_table(need, account))]


def _of_tables(operation: str, request: dict[str, Any], account: Resources) -> Iterator[Need]:
    if operation == "ExecuteStatement":
        yield _partiql(request["Statement"], account)
    elif operation in _PARTIQL:
        yield from (_partiql(entry["Statement"], account) for entry in request[_PARTIQL[operation]])
    elif "RequestItems" in request:
        yield from (Need(f"dynamodb:{operation}", _table(name, account)) for name in request["RequestItems"])
    elif "TransactItems" in request:
        for item in request["TransactItems"]:
            for verb, part in item.items():
                yield Need(f"dynamodb:{_TABLE_ITEMS[verb]}", _table(part["TableName"], account))
    elif "TableName" not in request:
        yield Need(f"dynamodb:{operation}", ANY_RESOURCE)
    else:
        index = f"/index/{request['IndexName']}" if "IndexName" in request else ""
        yield Need(f"dynamodb:{operation}", _table(request["TableName"], account) + index)


def _partiql(statement: str, account: Resources) -> Need:
    read = _STATEMENT.match(statement)
    if read is None:
        raise UnsupportedTemplateError(
            f"dynamodb: the rehearsal cannot read which table the PartiQL statement {statement!r} uses; "
            "pass enforce_permissions=False to rehearse without permissions"
        )
    *verbs, table, index = read.groups()
    verb = next(verb for verb in verbs if verb).capitalize()
    return Need(f"dynamodb:PartiQL{verb}", _table(table, account) + (f"/index/{index}" if index else ""))


def _table(name: str, account: Resources) -> str:
    return name if name.startswith("arn:") else account.arn("dynamodb", f"table/{name}")


def _key_of_table(need: Need, account: Resources) -> Iterator[Need]:
    """DynamoDB opens the table's own key, which encrypts the items, in the caller's name."""
    table = need.resource.split("/index/", 1)[0]
    if table in account.keys and need.action.removeprefix("dynamodb:") in _OF_ITEMS:
        context = {
            "aws:dynamodb:tableName": table.rsplit("/", 1)[-1],
            "aws:dynamodb:subscriberId": account.place.account,
        }
        yield _use_of_key("dynamodb", "kms:Decrypt", account.keys[table], context, account)


def secretsmanager(operation: str, request: dict[str, Any], account: Resources) -> list[Need]:
    """What a call of Secrets Manager needs.

    Args:
        operation: The operation.
        request: Its parameters.
        account: The account's resources.
    """
    identifier = str(request.get("SecretId", ""))
    named = (identifier, account.arn("secretsmanager", f"secret:{identifier}"))
    # An ARN ends in a hyphen and six characters that Secrets Manager makes up.
    arn = next((arn for arn in account.secrets if arn == identifier or arn[:-7] in named), None)
    needed = [Need(f"secretsmanager:{operation}", arn or ANY_RESOURCE)]
    if arn is not None and arn in account.keys:
        version = request.get("VersionId") or "00000000-0000-0000-0000-000000000000"
        context = {"SecretARN": arn, "SecretVersionId": version}
        needed += [
            _use_of_key("secretsmanager", action, account.keys[arn], context, account)
            for action in _KEY_OF_A_SECRET.get(operation, ())
        ]
    return needed


def ssm(operation: str, request: dict[str, Any], account: Resources) -> list[Need]:
    """What a call of Parameter Store needs.

    Args:
        operation: The operation.
        request: Its parameters.
        account: The account's resources.
    """
    names = request.get("Names") or [request[name] for name in ("Name", "Path") if name in request]
    if not names:
        return [Need(f"ssm:{operation}", ANY_RESOURCE)]
    arns = [name if name.startswith("arn:") else account.arn("ssm", f"parameter/{name.lstrip('/')}") for name in names]
    return [Need(f"ssm:{operation}", arn) for arn in arns]


def _use_of_key(service: str, action: str, key: str, context: dict[str, str], account: Resources) -> Need:
    host = f"{service}.{account.place.region}.{account.place.url_suffix}"
    return use_of_key(action, key, host, context, account.place.account)
