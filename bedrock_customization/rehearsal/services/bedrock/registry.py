"""What all of Bedrock's resources share: time, names, ARNs, tokens and tags."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bedrock_customization.rehearsal.clock import BEGINNING, VirtualClock
from bedrock_customization.rehearsal.services.api_error import ApiError
from bedrock_customization.rehearsal.services.bedrock.foundation_models import FoundationModel, known_models
from bedrock_customization.rehearsal.services.bedrock.resources import (
    CustomizationJob,
    CustomModel,
    InferenceProfile,
    Resource,
    ServedModel,
)

_MOST_TAGS = 50
_TAG = re.compile(r"[a-zA-Z0-9\s._:/=+@-]*")
R = TypeVar("R", bound=Resource)


@dataclass
class Registry:
    """Everything that an account has in Bedrock in one Region.

    Args:
        clock: The virtual time.
        region: The Region.
        account: The account's 12 digits.
        partition: The partition.
    """

    clock: VirtualClock
    region: str
    account: str
    partition: str
    foundation_models: dict[str, FoundationModel] = field(default_factory=known_models)
    jobs: list[CustomizationJob] = field(default_factory=list)
    models: list[CustomModel] = field(default_factory=list)
    provisioned: list[ServedModel] = field(default_factory=list)
    deployments: list[ServedModel] = field(default_factory=list)
    profiles: list[InferenceProfile] = field(default_factory=list)

    def now(self) -> float:
        """The virtual time in seconds."""
        return self.clock.seconds()

    def date(self, seconds: float) -> datetime:
        """A virtual time as a date."""
        return BEGINNING + timedelta(seconds=seconds)

    def arn(self, kind: str, name: str, *, base: FoundationModel | None = None) -> str:
        """A new ARN; its id is derived from the kind, the name and the number of resources."""
        count = len(self.everything())
        unique = hashlib.sha256(f"{kind}/{name}/{count}/{self.now()}".encode()).hexdigest()[:12]
        path = f"{kind}/{base.id}/{unique}" if base is not None else f"{kind}/{unique}"
        return f"arn:{self.partition}:bedrock:{self.region}:{self.account}:{path}"

    def foundation_arn(self, model: FoundationModel) -> str:
        """A foundation model's ARN."""
        return f"arn:{self.partition}:bedrock:{self.region}::foundation-model/{model.id}"

    def foundation_model(self, identifier: str) -> FoundationModel | None:
        """A foundation model by its id for customization or inference, or its ARN."""
        name = identifier.rsplit("foundation-model/", 1)[-1]
        for model in self.foundation_models.values():
            if name in (model.id, model.inference_id):
                return model
        return None

    def custom_model(self, identifier: str) -> CustomModel:
        """A custom model by its ARN or name.

        Raises:
            ApiError: There is none.
        """
        return find(self.models, identifier, "The specified custom model")

    def repeated(self, resources: Iterable[R], request: dict[str, Any]) -> R | None:
        """The resource that the same request, by its client token, made before.

        Raises:
            ApiError: The token was used for another request.
        """
        token = request.get("clientRequestToken")
        for resource in resources:
            if token is not None and resource.token == token:
                if resource.request != request:
                    raise ApiError(
                        "ValidationException", "The client request token was used with different parameters."
                    )
                return resource
        return None

    def tags_of(self, pairs: list[dict[str, str]]) -> dict[str, str]:
        """Tags of a request.

        Raises:
            ApiError: A tag is not allowed, or there are too many.
        """
        tags = {pair["key"]: pair["value"] for pair in pairs}
        for key, value in tags.items():
            if not _TAG.fullmatch(key) or not _TAG.fullmatch(value) or len(key) > 128 or len(value) > 256:
                raise ApiError(
                    "ValidationException", f"The tag {key}={value} has characters or a length that are not allowed."
                )
        if len(tags) > _MOST_TAGS:
            raise ApiError("TooManyTagsException", f"A resource can have {_MOST_TAGS} tags.")
        return tags

    def tagged(self, arn: str) -> Resource:
        """A resource that has tags, by its ARN.

        Raises:
            ApiError: There is none.
        """
        return find([resource for resource in self.everything() if resource.arn == arn], arn, "The specified resource")

    def everything(self) -> list[Resource]:
        """Everything that has tags."""
        return [*self.jobs, *self.models, *self.provisioned, *self.deployments, *self.profiles]


def find(resources: Iterable[R], identifier: str, what: str) -> R:
    """A resource by its ARN or name.

    Raises:
        ApiError: ResourceNotFoundException.
    """
    for resource in resources:
        if identifier in (resource.arn, resource.name):
            return resource
    raise ApiError("ResourceNotFoundException", f"{what} {identifier} could not be found.", 404)


Operations = dict[str, Callable[[dict[str, Any]], dict[str, Any]]]
"""API operations by their name."""
