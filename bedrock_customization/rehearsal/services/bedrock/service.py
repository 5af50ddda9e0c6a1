"""Bedrock and Bedrock Runtime: answers their API calls and says what still costs money."""

from __future__ import annotations

from collections import deque
from typing import Any

from bedrock_customization.rehearsal.clock import VirtualClock
from bedrock_customization.rehearsal.services.api import ApiCall
from bedrock_customization.rehearsal.services.api_error import ApiError
from bedrock_customization.rehearsal.services.bedrock import inference
from bedrock_customization.rehearsal.services.bedrock.foundation_models import FoundationModel
from bedrock_customization.rehearsal.services.bedrock.jobs import Files, Jobs
from bedrock_customization.rehearsal.services.bedrock.profiles import InferenceProfiles
from bedrock_customization.rehearsal.services.bedrock.registry import Operations, Registry
from bedrock_customization.rehearsal.services.bedrock.resources import Billed
from bedrock_customization.rehearsal.services.bedrock.serving import Deployments, ProvisionedModels
from bedrock_customization.rehearsal.services.bedrock.stand_in import Summarizer


class Bedrock:
    """A simulated Amazon Bedrock in one Region.

    Args:
        clock: The virtual time.
        region: The Region.
        account: The account's 12 digits.
        partition: The partition.
        files: The account's S3 objects.

    Attributes:
        registry: What the account has: jobs, custom models, provisioned models, deployments, and the foundation models.
        jobs: Customization jobs, their duration and quotas.
        provisioned_models: Provisioned Throughput, its delay and quota.
        deployments: On-demand deployments, their delay and quotas.
        profiles: Inference profiles.
        inference_seconds: How long an inference takes.
        requests_per_minute: The quotas of models by the `modelId` that is asked; others have none.
    """

    def __init__(self, clock: VirtualClock, region: str, account: str, partition: str, files: Files) -> None:
        self.registry = Registry(clock, region, account, partition)
        self.jobs = Jobs(self.registry, files)
        self.provisioned_models = ProvisionedModels(self.registry)
        self.deployments = Deployments(self.registry)
        self.profiles = InferenceProfiles(self.registry)
        self.inference_seconds = 1.0
        self.requests_per_minute: dict[str, int] = {}
        self._accepted: dict[str, deque[float]] = {}
        self._clock = clock
        self._control: Operations = {
            **self.jobs.operations(),
            **self.provisioned_models.operations(),
            **self.deployments.operations(),
            **self.profiles.operations(),
            "GetFoundationModel": self._get_foundation_model,
            "ListFoundationModels": self._list_foundation_models,
            "ListTagsForResource": self._list_tags,
            "TagResource": self._tag,
            "UntagResource": self._untag,
        }
        self._runtime: Operations = {"Converse": self._converse, "InvokeModel": self._invoke}

    @property
    def billed(self) -> list[Billed]:
        """What still costs money: jobs in progress, provisioned models and deployments that exist."""
        self.jobs.advance()
        registry = self.registry
        return [
            *(
                Billed("model-customization-job", job.name, job.arn, job.status, job.created)
                for job in registry.jobs
                if job.status in ("InProgress", "Stopping")
            ),
            *(
                Billed(
                    "provisioned-model", served.name, served.arn, self.provisioned_models.status(served), served.created
                )
                for served in registry.provisioned
            ),
            *(
                Billed(
                    "custom-model-deployment", served.name, served.arn, self.deployments.status(served), served.created
                )
                for served in registry.deployments
            ),
        ]

    def knows(self, operation: str) -> bool:
        """Whether an operation of Bedrock or Bedrock Runtime is simulated."""
        return operation in self._control or operation in self._runtime

    def answer(self, call: ApiCall) -> dict[str, Any] | None:
        """Answer the Bedrock and Bedrock Runtime APIs."""
        if not self.knows(call.operation):
            raise NotImplementedError(f"{call.service}:{call.operation} is not simulated")
        if call.region != self.registry.region:
            raise NotImplementedError(
                f"{call.service} in {call.region} is not simulated, only in {self.registry.region}"
            )
        self.jobs.advance()
        return (self._control.get(call.operation) or self._runtime[call.operation])(call.parameters)

    def latency(self, operation: str) -> float:
        """How long a call takes, in seconds of virtual time: an inference takes some, every other call none."""
        return self.inference_seconds if operation in self._runtime else 0.0

    def _target(self, model_id: str) -> tuple[FoundationModel, Summarizer | None]:
        """What a `modelId` of Bedrock Runtime names: the foundation model underneath, and what it learned."""
        registry = self.registry
        served = next(
            (served for served in (*registry.provisioned, *registry.deployments) if served.arn == model_id), None
        )
        if served is not None:
            ready = "InService" if served in registry.provisioned else "Active"
            statuses = self.provisioned_models if served in registry.provisioned else self.deployments
            if statuses.status(served) != ready:
                raise ApiError(
                    "ModelNotReadyException",
                    "The model is not ready for inference. Wait and try your request again.",
                    429,
                )
            return served.base, served.model.knowledge if served.model is not None else None
        if ":provisioned-model/" in model_id or ":custom-model-deployment/" in model_id:
            raise ApiError("ResourceNotFoundException", f"The model {model_id} could not be found.", 404)
        name = self.profiles.model_behind(model_id).rsplit("foundation-model/", 1)[-1]
        for model in registry.foundation_models.values():
            if name == model.inference_id:
                if model.lifecycle == "LEGACY":
                    raise ApiError(
                        "ResourceNotFoundException", "This model version has reached the end of its life.", 404
                    )
                return model, None
        raise ApiError("ValidationException", "The provided model identifier is invalid.")

    def _count(self, model_id: str) -> None:
        """Count a request against the model's quota: so many in any 60 seconds."""
        quota = self.requests_per_minute.get(model_id)
        if quota is None:
            return
        now = self._clock.seconds()
        accepted = self._accepted.setdefault(model_id, deque())
        while accepted and accepted[0] <= now - 60:
            accepted.popleft()
        if len(accepted) >= quota:
            raise ApiError("ThrottlingException", "Too many requests, please wait before trying again.", 429)
        accepted.append(now)

    def _converse(self, request: dict[str, Any]) -> dict[str, Any]:
        _, knowledge = self._target(request["modelId"])
        self._count(request["modelId"])
        return inference.converse(request, knowledge)

    def _invoke(self, request: dict[str, Any]) -> dict[str, Any]:
        base, knowledge = self._target(request["modelId"])
        self._count(request["modelId"])
        return inference.invoke(request, base.provider, knowledge)

    def _details(self, model: FoundationModel, model_id: str) -> dict[str, Any]:
        served = [
            name
            for name, holds in (("ON_DEMAND", model_id == model.inference_id), ("PROVISIONED", model.provisioned))
            if holds
        ]
        here = self.registry.region in model.regions
        customizations = [kind for kind in model.customizations if here and kind != "REINFORCEMENT_FINE_TUNING"]
        return {
            "modelArn": f"{self.registry.foundation_arn(model).rsplit('/', 1)[0]}/{model_id}",
            "modelId": model_id,
            "modelName": model.name,
            "providerName": model.provider,
            "inputModalities": ["TEXT"],
            "outputModalities": ["TEXT"],
            "responseStreamingSupported": True,
            "customizationsSupported": customizations,
            "inferenceTypesSupported": served,
            "modelLifecycle": {"status": model.lifecycle},
        }

    def _get_foundation_model(self, request: dict[str, Any]) -> dict[str, Any]:
        identifier = request["modelIdentifier"].rsplit("foundation-model/", 1)[-1]
        model = self.registry.foundation_model(identifier)
        if model is None:
            raise ApiError(
                "ResourceNotFoundException", f"Could not find a foundation model with the identifier {identifier}.", 404
            )
        return {"modelDetails": self._details(model, identifier)}

    def _list_foundation_models(self, request: dict[str, Any]) -> dict[str, Any]:
        provider, kind = request.get("byProvider"), request.get("byCustomizationType")
        found = [
            self._details(model, name)
            for model in self.registry.foundation_models.values()
            if (provider is None or provider.lower() == model.provider.lower())
            and (kind is None or (kind in model.customizations and self.registry.region in model.regions))
            for name in dict.fromkeys((model.inference_id, model.id))
        ]
        return {"modelSummaries": found}

    def _list_tags(self, request: dict[str, Any]) -> dict[str, Any]:
        tags = self.registry.tagged(request["resourceARN"]).tags
        return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

    def _tag(self, request: dict[str, Any]) -> dict[str, Any]:
        resource = self.registry.tagged(request["resourceARN"])
        resource.tags = self.registry.tags_of(
            [{"key": key, "value": value} for key, value in resource.tags.items()] + request["tags"]
        )
        return {}

    def _untag(self, request: dict[str, Any]) -> dict[str, Any]:
        tags = self.registry.tagged(request["resourceARN"]).tags
        for key in request["tagKeys"]:
            tags.pop(key, None)
        return {}
