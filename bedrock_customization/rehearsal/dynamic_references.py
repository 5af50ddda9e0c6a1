"""Dynamic references of CloudFormation: `{{resolve:ssm:/team/limit}}` and `{{resolve:secretsmanager:...}}`."""

from __future__ import annotations

import json
import re
from typing import Any

from botocore.exceptions import ClientError

from bedrock_customization.rehearsal.aws import SimulatedAccount

_REFERENCE = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}")
_SECRET = re.compile(
    r"(arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:[^:]+|[^:]+)(?::SecretString(?::([^:]*))?(?::.*)?)?"
)


def resolve(value: Any, account: SimulatedAccount) -> Any:
    """Replace the dynamic references in a value by what the account's parameters and secrets hold.

    Args:
        value: A property of a resource.
        account: The simulated account.

    Raises:
        KeyError: There is no such parameter or secret; names the reference.
    """
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: _value(found, account), value)
    if isinstance(value, list):
        return [resolve(item, account) for item in value]
    if isinstance(value, dict):
        return {key: resolve(item, account) for key, item in value.items()}
    return value


def _value(found: re.Match[str], account: SimulatedAccount) -> str:
    service, rest = found.groups()
    try:
        if service != "secretsmanager":
            name = rest if rest.startswith("arn:") else rest.partition(":")[0]
            request = {"Name": name, "WithDecryption": True}
            return str(account.forward(account.client("ssm"), "GetParameter", request)["Parameter"]["Value"])
        secret = _SECRET.fullmatch(rest)
        if secret is None:
            raise KeyError(found[0])
        request = {"SecretId": secret[1]}
        text = str(account.forward(account.client("secretsmanager"), "GetSecretValue", request)["SecretString"])
        return str(json.loads(text)[secret[2]]) if secret[2] else text
    except (ClientError, KeyError, ValueError) as error:
        raise KeyError(found[0]) from error
