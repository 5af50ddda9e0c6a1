"""What calls of Bedrock and Bedrock Runtime need.

Sources: the service authorisation reference of Amazon Bedrock, and the Bedrock user guide on customization jobs,
encryption of custom models and inference profiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from bedrock_customization.rehearsal.permissions.calls.need import Need, use_of_key
from bedrock_customization.rehearsal.permissions.context import tag_keys
from bedrock_customization.rehearsal.permissions.resources import Resources
from bedrock_customization.rehearsal.permissions.statements import ANY_RESOURCE
from bedrock_customization.rehearsal.services.bedrock.resources import Resource

_IDENTIFIERS = {
    "GetModelCustomizationJob": ("jobIdentifier", "model-customization-job"),
    "StopModelCustomizationJob": ("jobIdentifier", "model-customization-job"),
    "GetCustomModel": ("modelIdentifier", "custom-model"),
    "DeleteCustomModel": ("modelIdentifier", "custom-model"),
    "GetProvisionedModelThroughput": ("provisionedModelId", "provisioned-model"),
    "UpdateProvisionedModelThroughput": ("provisionedModelId", "provisioned-model"),
    "DeleteProvisionedModelThroughput": ("provisionedModelId", "provisioned-model"),
    "GetCustomModelDeployment": ("customModelDeploymentIdentifier", "custom-model-deployment"),
    "UpdateCustomModelDeployment": ("customModelDeploymentIdentifier", "custom-model-deployment"),
    "DeleteCustomModelDeployment": ("customModelDeploymentIdentifier", "custom-model-deployment"),
}
_SERVES = {"UpdateProvisionedModelThroughput": "desiredModelId", "UpdateCustomModelDeployment": "modelArn"}
"""The field that names the model which is to be served."""
_INVOKE = {
    "Converse": "InvokeModel",
    "ConverseStream": "InvokeModelWithResponseStream",
    "InvokeModel": "InvokeModel",
    "InvokeModelWithResponseStream": "InvokeModelWithResponseStream",
}
# The Regions that an inference profile of a geography routes to.
_GEOGRAPHIES = {
    "us": ("us-east-1", "us-east-2", "us-west-2"),
    "eu": ("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3"),
    "apac": ("ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    "jp": ("ap-northeast-1", "ap-northeast-3"),
    "au": ("ap-southeast-2", "ap-southeast-4"),
    "ca": ("ca-central-1", "us-east-1", "us-east-2", "us-west-2"),
    "us-gov": ("us-gov-east-1", "us-gov-west-1"),
    "global": (),
}
R = TypeVar("R", bound=Resource)
KEY_ACTIONS = ("kms:CreateGrant", "kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt")
"""What Bedrock does with a custom model's key in the name of whoever makes the model."""


def needs(operation: str, request: dict[str, Any], account: Resources) -> list[Need]:
    """What a call needs.

    Args:
        operation: The operation.
        request: Its parameters.
        account: The account's resources.
    """
    if operation in _INVOKE:
        return _guarded(invoke(f"bedrock:{_INVOKE[operation]}", request["modelId"], account), request, account)
    if operation == "CreateModelCustomizationJob":
        return _create_job(request, account)
    if operation == "CreateProvisionedModelThroughput":
        return _serve(operation, request["modelId"], "provisioned-model", request, account)
    if operation == "CreateCustomModelDeployment":
        return _serve(operation, request["modelArn"], "custom-model-deployment", request, account)
    if operation in _IDENTIFIERS:
        field, kind = _IDENTIFIERS[operation]
        needed = [Need(f"bedrock:{operation}", _found(request[field], kind, account))]
        model = request.get(_SERVES.get(operation, ""))
        return needed if model is None else [*needed, Need(f"bedrock:{operation}", _model(model, account))]
    if operation == "TagResource":
        return [Need("bedrock:TagResource", request["resourceARN"], tag_keys(_tags(request["tags"])))]
    if operation == "UntagResource":
        return [Need("bedrock:UntagResource", request["resourceARN"], {"aws:tagkeys": request["tagKeys"]})]
    if operation == "ListTagsForResource":
        return [Need("bedrock:ListTagsForResource", request["resourceARN"])]
    if operation == "GetFoundationModel":
        return [Need("bedrock:GetFoundationModel", _foundation(request["modelIdentifier"], account))]
    if operation.startswith("List"):
        return [Need(f"bedrock:{operation}", "*")]
    return [Need(f"bedrock:{operation}", ANY_RESOURCE)]


def invoke(action: str, model_id: str, account: Resources) -> list[Need]:
    """What it takes to ask a model.

    Args:
        action: `bedrock:InvokeModel` or its streaming form.
        model_id: The model's id or ARN, or that of an inference profile.
        account: The account's resources.
    """
    served = _named(model_id, (*account.registry.provisioned, *account.registry.deployments))
    if served is not None:
        needed = [Need(action, served.arn)]
        job = served.model.job.request if served.model is not None else {}
        if "customModelKmsKeyId" in job:
            needed += use_of_model_key(["kms:Decrypt"], job["customModelKmsKeyId"], account)
        return needed
    own = _named(model_id, account.registry.profiles)
    if own is not None:
        through = {"bedrock:inferenceprofilearn": [own.arn]}
        behind = [need for need in invoke(action, own.source, account) if ":foundation-model/" in need.resource]
        return [Need(action, own.arn), *(Need(action, need.resource, {**need.keys, **through}) for need in behind)]
    if model_id.startswith("arn:") and "inference-profile/" not in model_id:
        return [Need(action, model_id)]
    name = model_id.rsplit("inference-profile/", 1)[-1]
    geography, dot, foundation = name.partition(".")
    if not dot or geography not in _GEOGRAPHIES:
        return [Need(action, model_id if model_id.startswith("arn:") else _foundation(model_id, account))]
    # A profile also needs the model in each Region that it may route to, which then is the Region that is asked; a
    # global one has a model without a Region.
    profile = account.arn("bedrock", f"inference-profile/{name}")
    regions = _GEOGRAPHIES[geography] or (account.place.region, "")
    needed = [Need(action, profile)]
    for region in regions:
        model = f"arn:{account.place.partition}:bedrock:{region}::foundation-model/{foundation}"
        routed = {"bedrock:inferenceprofilearn": [profile], "aws:requestedregion": [region or "unspecified"]}
        needed.append(Need(action, model, routed))
    return needed


def _guarded(needed: list[Need], request: dict[str, Any], account: Resources) -> list[Need]:
    """What it takes to ask a model, with the guardrail that the request names."""
    config = request.get("guardrailConfig", request)
    guardrail = config.get("guardrailIdentifier")
    if guardrail is None:
        return needed
    arn = guardrail if guardrail.startswith("arn:") else account.arn("bedrock", f"guardrail/{guardrail}")
    version = config.get("guardrailVersion", "DRAFT")
    shown = {"bedrock:guardrailidentifier": [arn if version == "DRAFT" else f"{arn}:{version}"]}
    asking = [
        replace(need, keys={**need.keys, **shown}) if need.action.startswith("bedrock:") else need for need in needed
    ]
    return [*asking, Need("bedrock:ApplyGuardrail", arn)]


def _create_job(request: dict[str, Any], account: Resources) -> list[Need]:
    model_tags, job_tags = _tags(request.get("customModelTags", [])), _tags(request.get("jobTags", []))
    keys = tag_keys({**model_tags, **job_tags})
    base = request["baseModelIdentifier"]
    create = "bedrock:CreateModelCustomizationJob"
    needed = [
        Need(create, _model(base, account), keys),
        Need(create, account.arn("bedrock", "custom-model/*"), keys),
        Need(create, account.arn("bedrock", "model-customization-job/*"), keys),
        *_tagging("custom-model", model_tags, account),
        *_tagging("model-customization-job", job_tags, account),
    ]
    if "customModelKmsKeyId" in request:
        needed += use_of_model_key(KEY_ACTIONS, request["customModelKmsKeyId"], account)
    return needed


def _serve(operation: str, model: str, kind: str, request: dict[str, Any], account: Resources) -> list[Need]:
    tags = _tags(request.get("tags", []))
    needed = [
        Need(f"bedrock:{operation}", _model(model, account), tag_keys(tags)),
        *_tagging(kind, tags, account),
    ]
    own = _named(model, account.registry.models)
    if own is not None and "customModelKmsKeyId" in own.job.request:
        needed += use_of_model_key(["kms:Decrypt"], own.job.request["customModelKmsKeyId"], account)
    return needed


def _tagging(kind: str, tags: dict[str, str], account: Resources) -> list[Need]:
    """Tags in a create call need TagResource on what does not have an id yet."""
    return [Need("bedrock:TagResource", account.arn("bedrock", f"{kind}/*"), tag_keys(tags))] if tags else []


def use_of_model_key(actions: Sequence[str], key: str, account: Resources) -> list[Need]:
    """What it takes to use the key of a custom model by way of Bedrock.

    Args:
        actions: The actions.
        key: The key's id, ARN or alias.
        account: The account's resources.
    """
    arn = account.key_arn(key)
    service = f"bedrock.{account.place.region}.{account.place.url_suffix}"
    return [use_of_key(action, arn, service, {}, account.place.account) for action in actions]


def _found(identifier: str, kind: str, account: Resources) -> str:
    """The ARN of what an identifier, a name or an ARN, means."""
    registry = account.registry
    resources: dict[str, Iterable[Resource]] = {
        "model-customization-job": registry.jobs,
        "custom-model": registry.models,
        "provisioned-model": registry.provisioned,
        "custom-model-deployment": registry.deployments,
    }
    found = _named(identifier, resources[kind])
    if found is not None:
        return found.arn
    return identifier if identifier.startswith("arn:") else account.arn("bedrock", f"{kind}/{identifier}")


def _named(identifier: str, resources: Iterable[R]) -> R | None:
    return next((resource for resource in resources if identifier in (resource.arn, resource.name)), None)


def _model(identifier: str, account: Resources) -> str:
    """The ARN of a custom or a foundation model."""
    own = _named(identifier, account.registry.models)
    if own is not None:
        return own.arn
    return identifier if identifier.startswith("arn:") else _foundation(identifier, account)


def _foundation(identifier: str, account: Resources) -> str:
    name = identifier.rsplit("foundation-model/", 1)[-1]
    return f"arn:{account.place.partition}:bedrock:{account.place.region}::foundation-model/{name}"


def _tags(pairs: list[dict[str, str]]) -> dict[str, str]:
    return {pair["key"]: pair["value"] for pair in pairs}
