"""Provisioned Throughput and on-demand deployments of models."""

from __future__ import annotations

from typing import Any

from bedrock_customization.rehearsal.services.api_error import ApiError
from bedrock_customization.rehearsal.services.bedrock.listing import page
from bedrock_customization.rehearsal.services.bedrock.registry import Operations, Registry, find
from bedrock_customization.rehearsal.services.bedrock.resources import ServedModel

_TERMS = {"OneMonth": 30 * 86_400.0, "SixMonths": 180 * 86_400.0}
_ON_DEMAND_REGIONS = ("us-east-1", "us-west-2")


class ProvisionedModels:
    """Provisioned Throughput: bought by the model unit, billed by the hour until it is deleted.

    Args:
        registry: What the account has.

    Attributes:
        creation_seconds: How long it takes until it is in service.
        no_commitment_units: How many model units the account can have without a commitment.
        failure: Why the next ones fail to come up; None if they do not.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.creation_seconds = 10 * 60.0
        self.no_commitment_units = 2
        self.failure: str | None = None

    def operations(self) -> Operations:
        """The API operations that are answered here."""
        return {
            "CreateProvisionedModelThroughput": self._create,
            "GetProvisionedModelThroughput": lambda request: self._described(self._find(request["provisionedModelId"])),
            "ListProvisionedModelThroughputs": self._list,
            "DeleteProvisionedModelThroughput": self._delete,
            "UpdateProvisionedModelThroughput": self._update,
        }

    def status(self, served: ServedModel) -> str:
        """`Creating`, `InService` or `Failed`."""
        if self._registry.now() < served.ready:
            return "Creating"
        return "Failed" if served.failure else "InService"

    def _find(self, identifier: str) -> ServedModel:
        return find(self._registry.provisioned, identifier, "The specified provisioned model")

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        registry = self._registry
        repeated = registry.repeated(registry.provisioned, request)
        if repeated is not None:
            return {"provisionedModelArn": repeated.arn}
        identifier = request["modelId"]
        model = next((model for model in registry.models if identifier in (model.arn, model.name)), None)
        base = model.base if model is not None else registry.foundation_model(identifier)
        if base is None:
            raise ApiError("ResourceNotFoundException", f"The specified model {identifier} could not be found.", 404)
        if not base.provisioned:
            raise ApiError("ValidationException", f"Provisioned Throughput is not supported for {base.id}.")
        term = request.get("commitmentDuration")
        used = sum(served.units for served in registry.provisioned if served.commitment is None)
        if term is None and used + request["modelUnits"] > self.no_commitment_units:
            raise ApiError(
                "ServiceQuotaExceededException",
                f"Your account does not currently have any no commitment model units reserved for {base.id}.",
            )
        served = ServedModel(
            name=request["provisionedModelName"],
            arn=registry.arn("provisioned-model", request["provisionedModelName"]),
            created=registry.now(),
            token=request.get("clientRequestToken"),
            request=request,
            tags=registry.tags_of(request.get("tags", [])),
            model=model,
            base=base,
            model_arn=model.arn if model is not None else registry.foundation_arn(base),
            ready=registry.now() + self.creation_seconds,
            failure=self.failure,
            units=request["modelUnits"],
            commitment=term,
        )
        registry.provisioned.append(served)
        return {"provisionedModelArn": served.arn}

    def _described(self, served: ServedModel) -> dict[str, Any]:
        registry = self._registry
        status = self.status(served)
        described = {
            "modelUnits": served.units,
            "desiredModelUnits": served.units,
            "provisionedModelName": served.name,
            "provisionedModelArn": served.arn,
            "modelArn": served.model_arn,
            "desiredModelArn": served.model_arn,
            "foundationModelArn": registry.foundation_arn(served.base),
            "status": status,
            "creationTime": registry.date(served.created),
            "lastModifiedTime": registry.date(served.created if status == "Creating" else served.ready),
        }
        if status == "Failed":
            described["failureMessage"] = served.failure
        if served.commitment:
            described["commitmentDuration"] = served.commitment
            described["commitmentExpirationTime"] = registry.date(served.created + _TERMS[served.commitment])
        return described

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        registry = self._registry
        summaries, more = page(
            registry.provisioned,
            request,
            lambda served: {name: value for name, value in self._described(served).items() if name != "failureMessage"},
            name=lambda served: served.name,
            created=lambda served: registry.date(served.created),
            status=self.status,
            model_arn=lambda served: served.model_arn,
        )
        return {"provisionedModelSummaries": summaries, **more}

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        served = self._find(request["provisionedModelId"])
        if self.status(served) == "Creating":
            raise ApiError(
                "ConflictException", f"The provisioned model {served.name} cannot be deleted while it is Creating."
            )
        if served.commitment and self._registry.now() < served.created + _TERMS[served.commitment]:
            message = f"The provisioned model {served.name} cannot be deleted before its commitment ends."
            raise ApiError("ConflictException", message)
        self._registry.provisioned.remove(served)
        return {}

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        served = self._find(request["provisionedModelId"])
        if self.status(served) != "InService":
            raise ApiError("ConflictException", f"The provisioned model {served.name} is not InService.")
        served.name = request.get("desiredProvisionedModelName", served.name)
        if "desiredModelId" in request:
            model = self._registry.custom_model(request["desiredModelId"])
            served.model, served.model_arn = model, model.arn
        return {}


class Deployments:
    """On-demand deployments of custom models: billed by the token, limited in number.

    Args:
        registry: What the account has.

    Attributes:
        creation_seconds: How long it takes until one is active.
        limit: How many the account can have.
        in_progress_limit: How many can be coming up at once.
        failure: Why the next ones fail to come up; None if they do not.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.creation_seconds = 8 * 60.0
        self.limit = 10
        self.in_progress_limit = 2
        self.failure: str | None = None

    def operations(self) -> Operations:
        """The API operations that are answered here."""
        return {
            "CreateCustomModelDeployment": self._create,
            "GetCustomModelDeployment": lambda request: self._described(
                self._find(request["customModelDeploymentIdentifier"])
            ),
            "ListCustomModelDeployments": self._list,
            "DeleteCustomModelDeployment": self._delete,
            "UpdateCustomModelDeployment": self._update,
        }

    def status(self, served: ServedModel) -> str:
        """`Creating`, `Active` or `Failed`."""
        if self._registry.now() < served.ready:
            return "Creating"
        return "Failed" if served.failure else "Active"

    def _find(self, identifier: str) -> ServedModel:
        return find(self._registry.deployments, identifier, "The specified custom model deployment")

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        registry = self._registry
        repeated = registry.repeated(registry.deployments, request)
        if repeated is not None:
            return {"customModelDeploymentArn": repeated.arn}
        if any(served.name == request["modelDeploymentName"] for served in registry.deployments):
            raise ApiError("ValidationException", "The provided model deployment name is currently in use.")
        model = registry.custom_model(request["modelArn"])
        if not model.base.on_demand:
            raise ApiError("ValidationException", f"On-demand deployment is not supported for {model.base.id}.")
        if registry.region not in _ON_DEMAND_REGIONS:
            raise ApiError("ValidationException", f"On-demand deployment is not supported in {registry.region}.")
        coming = [served for served in registry.deployments if self.status(served) == "Creating"]
        if len(registry.deployments) >= self.limit or len(coming) >= self.in_progress_limit:
            raise ApiError("ServiceQuotaExceededException", "You have reached the limit of custom model deployments.")
        served = ServedModel(
            name=request["modelDeploymentName"],
            arn=registry.arn("custom-model-deployment", request["modelDeploymentName"]),
            created=registry.now(),
            token=request.get("clientRequestToken"),
            request=request,
            tags=registry.tags_of(request.get("tags", [])),
            model=model,
            base=model.base,
            model_arn=model.arn,
            ready=registry.now() + self.creation_seconds,
            failure=self.failure,
        )
        registry.deployments.append(served)
        return {"customModelDeploymentArn": served.arn}

    def _described(self, served: ServedModel) -> dict[str, Any]:
        status = self.status(served)
        described = {
            "customModelDeploymentArn": served.arn,
            "modelDeploymentName": served.name,
            "modelArn": served.model_arn,
            "createdAt": self._registry.date(served.created),
            "status": status,
            "lastUpdatedAt": self._registry.date(served.created if status == "Creating" else served.ready),
        }
        if "description" in served.request:
            described["description"] = served.request["description"]
        if status == "Failed":
            described["failureMessage"] = served.failure
        return described

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        registry = self._registry

        def summary(served: ServedModel) -> dict[str, Any]:
            described = self._described(served)
            described["customModelDeploymentName"] = described.pop("modelDeploymentName")
            described.pop("description", None)
            return described

        summaries, more = page(
            registry.deployments,
            request,
            summary,
            name=lambda served: served.name,
            created=lambda served: registry.date(served.created),
            status=self.status,
            model_arn=lambda served: served.model_arn,
        )
        return {"modelDeploymentSummaries": summaries, **more}

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        served = self._find(request["customModelDeploymentIdentifier"])
        if self.status(served) == "Creating":
            raise ApiError(
                "ConflictException",
                f"The custom model deployment {served.name} cannot be deleted while it is Creating.",
            )
        self._registry.deployments.remove(served)
        return {}

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        served = self._find(request["customModelDeploymentIdentifier"])
        model = self._registry.custom_model(request["modelArn"])
        served.model, served.model_arn = model, model.arn
        return {"customModelDeploymentArn": served.arn}
