"""Inference profiles: ids that route requests to a foundation model, of AWS's own or of the account."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bedrock_customization.rehearsal.services.api_error import ApiError
from bedrock_customization.rehearsal.services.bedrock.registry import Operations, Registry
from bedrock_customization.rehearsal.services.bedrock.resources import InferenceProfile

_CROSS_REGION = re.compile(r"(?:.*inference-profile/)?(?:us|eu|apac|jp|au|ca|global|us-gov)\.(.+)")


@dataclass
class InferenceProfiles:
    """The inference profiles that the account can use.

    Args:
        registry: What the account has.
    """

    registry: Registry

    def operations(self) -> Operations:
        """The API operations."""
        return {"CreateInferenceProfile": self._create}

    def model_behind(self, model_id: str) -> str:
        """The id or ARN of the foundation model behind a profile; what is no profile stays as it is."""
        own = next((profile for profile in self.registry.profiles if profile.arn == model_id), None)
        source = model_id if own is None else own.source
        cross_region = _CROSS_REGION.fullmatch(source)
        return cross_region[1] if cross_region else source

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        name, source = request["inferenceProfileName"], request["modelSource"]["copyFrom"]
        if any(profile.name == name for profile in self.registry.profiles):
            raise ApiError("ConflictException", f"An inference profile with the name {name} exists already.", 409)
        if self.registry.foundation_model(self.model_behind(source)) is None:
            raise ApiError("ValidationException", f"{source} is no foundation model or inference profile.")
        arn = self.registry.arn("application-inference-profile", name)
        tags = self.registry.tags_of(request.get("tags", []))
        profile = InferenceProfile(
            name=name,
            arn=arn,
            created=self.registry.now(),
            token=request.get("clientRequestToken"),
            request=request,
            tags=tags,
            source=source,
        )
        self.registry.profiles.append(profile)
        return {"inferenceProfileArn": arn, "status": "ACTIVE"}
