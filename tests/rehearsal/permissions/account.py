"""An account with a few resources, and what calls in it need."""

from typing import Any

from bedrock_customization.rehearsal.clock import VirtualClock
from bedrock_customization.rehearsal.permissions.calls.need import Need
from bedrock_customization.rehearsal.permissions.calls.services import needs_of
from bedrock_customization.rehearsal.permissions.resources import Resources
from bedrock_customization.rehearsal.physical_names import Place
from bedrock_customization.rehearsal.services.api import ApiCall, Principal
from bedrock_customization.rehearsal.services.bedrock.registry import Registry

PLACE = Place("", "123456789012", "us-east-1", "aws", "amazonaws.com")
HERE = "us-east-1:123456789012"
KEY = f"arn:aws:kms:{HERE}:key/1"
ACCOUNT = Resources(
    PLACE,
    Registry(VirtualClock(), PLACE.region, PLACE.account, PLACE.partition),
    keys={
        "arn:aws:s3:::sealed": KEY,
        f"arn:aws:sqs:{HERE}:sealed": KEY,
        f"arn:aws:dynamodb:{HERE}:table/sealed": KEY,
        f"arn:aws:secretsmanager:{HERE}:secret:sealed-AbCdEf": KEY,
    },
    secrets=[f"arn:aws:secretsmanager:{HERE}:secret:{name}-AbCdEf" for name in ("team-prod", "team", "sealed")],
)
ROLE = "arn:aws:iam::123456789012:role/Other"


def needs(service: str, operation: str, request: dict[str, Any], account: Resources = ACCOUNT) -> list[Need]:
    """What a call needs."""
    return needs_of(ApiCall(service, operation, request, Principal(), PLACE.region), account)


def needed(service: str, operation: str, request: dict[str, Any]) -> list[tuple[str, str]]:
    """The actions and resources that a call needs; `HERE` stands for the Region and account."""
    return [(need.action, need.resource.replace(HERE, "HERE")) for need in needs(service, operation, request)]
