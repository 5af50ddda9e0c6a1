"""The operations on customization jobs and custom models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from bedrock_customization.rehearsal.services.api_error import ApiError
from bedrock_customization.rehearsal.services.bedrock import customization
from bedrock_customization.rehearsal.services.bedrock.foundation_models import FoundationModel
from bedrock_customization.rehearsal.services.bedrock.listing import page
from bedrock_customization.rehearsal.services.bedrock.registry import Operations, Registry, find
from bedrock_customization.rehearsal.services.bedrock.resources import CustomizationJob, CustomModel
from bedrock_customization.rehearsal.services.bedrock.stand_in import Example, Summarizer

_STOPPING_SECONDS = 60.0


class Files(Protocol):
    """The account's S3 objects, read and written as a job's service role."""

    def read(self, uri: str, role_arn: str, job_arn: str) -> str:
        """An object's text; raises ApiError if it cannot be read."""

    def below(self, prefix: str, role_arn: str, job_arn: str) -> list[str]:
        """The URIs of the objects below a prefix; raises ApiError if they cannot be listed."""

    def write(self, uri: str, text: str, role_arn: str, job_arn: str) -> None:
        """Write an object; raises ApiError if it cannot be written."""


class Jobs:
    """Customization jobs and the custom models that they make.

    Args:
        registry: What the account has.
        files: The account's S3 objects.

    Attributes:
        training_seconds: How long a job takes.
        concurrent_jobs: How many jobs can run at once.
        custom_models: How many custom models the account can have.
        failure: Why the next jobs fail; None if they do not.
        stalls: Whether the next jobs stall: they stay in progress and their training never starts.
    """

    def __init__(self, registry: Registry, files: Files) -> None:
        self._registry = registry
        self._files = files
        self._examples: dict[str, list[Example]] = {}
        self.training_seconds = 80 * 60.0
        self.concurrent_jobs = 2
        self.custom_models = 100
        self.failure: str | None = None
        self.stalls = False

    def operations(self) -> Operations:
        """The API operations that are answered here."""
        return {
            "CreateModelCustomizationJob": self._create,
            "GetModelCustomizationJob": lambda request: self._described(self._find(request["jobIdentifier"])),
            "ListModelCustomizationJobs": self._list,
            "StopModelCustomizationJob": self._stop,
            "GetCustomModel": self._get_model,
            "ListCustomModels": self._list_models,
            "DeleteCustomModel": self._delete_model,
        }

    def advance(self) -> None:
        """Let every job do what it would have done by now, in the order in which it happened."""
        now = self._registry.now()
        for job in sorted(self._registry.jobs, key=lambda job: job.ends):
            customization.advance(job, now, self._complete)

    def _find(self, identifier: str) -> CustomizationJob:
        return find(self._registry.jobs, identifier, "The specified model customization job")

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        registry = self._registry
        repeated = registry.repeated(registry.jobs, request)
        if repeated is not None:
            return {"jobArn": repeated.arn}
        if any(job.name == request["jobName"] for job in registry.jobs):
            raise ApiError("ValidationException", "The provided job name is currently in use.")
        taken = {model.name for model in registry.models}
        taken |= {job.request["customModelName"] for job in registry.jobs if job.status in ("InProgress", "Stopping")}
        if request["customModelName"] in taken:
            raise ApiError("ValidationException", "The provided model name is currently in use.")
        base = self._base(request)
        customization.check_hyper_parameters(request.get("hyperParameters", {}), base)
        if request.get("validationDataConfig", {}).get("validators") and not base.validation:
            raise ApiError("ValidationException", f"A validation dataset is not supported for {base.id}.")
        arn = registry.arn("model-customization-job", request["jobName"], base=base)
        examples, problem = self._data(request, base, arn)
        running = [job for job in registry.jobs if job.status in ("InProgress", "Stopping")]
        if len(running) >= self.concurrent_jobs:
            message = f"You have reached the limit of {self.concurrent_jobs} concurrent model customization jobs."
            raise ApiError("ServiceQuotaExceededException", message)
        if len(registry.models) + len(running) >= self.custom_models:
            raise ApiError(
                "ServiceQuotaExceededException", f"You have reached the limit of {self.custom_models} custom models."
            )
        job = CustomizationJob(
            name=request["jobName"],
            arn=arn,
            created=registry.now(),
            token=request.get("clientRequestToken"),
            request=request,
            tags=registry.tags_of(request.get("jobTags", [])),
            base=base,
            ends=registry.now() + self.training_seconds,
            failure=problem or self.failure,
            stalled=self.stalls,
        )
        registry.tags_of(request.get("customModelTags", []))
        registry.jobs.append(job)
        self._examples[job.arn] = examples
        return {"jobArn": job.arn}

    def _base(self, request: dict[str, Any]) -> FoundationModel:
        identifier, registry = request["baseModelIdentifier"], self._registry
        own = next((model for model in registry.models if identifier in (model.arn, model.name)), None)
        base = own.base if own is not None else registry.foundation_model(identifier)
        kind = request.get("customizationType", "FINE_TUNING")
        if base is None or (own is None and identifier.rsplit("foundation-model/", 1)[-1] != base.id):
            raise ApiError("ValidationException", "The provided model identifier is invalid.")
        if registry.region not in base.regions:
            where = " or ".join(base.regions)
            raise ApiError(
                "ValidationException",
                f"Customization of {base.id} is not supported in {registry.region}, only in {where}.",
            )
        if base.lifecycle != "ACTIVE":
            raise ApiError(
                "ResourceNotFoundException", f"This model version has reached the end of its life: {base.id}.", 404
            )
        if kind not in base.customizations:
            raise ApiError("ValidationException", f"The customization type {kind} is not supported for {base.id}.")
        if kind == "DISTILLATION" and "distillationConfig" not in request.get("customizationConfig", {}):
            raise ApiError(
                "ValidationException", "customizationConfig.distillationConfig is required for DISTILLATION."
            )
        if kind == "REINFORCEMENT_FINE_TUNING" and "rftConfig" not in request.get("customizationConfig", {}):
            raise ApiError(
                "ValidationException", "customizationConfig.rftConfig is required for REINFORCEMENT_FINE_TUNING."
            )
        return base

    def _data(self, request: dict[str, Any], base: FoundationModel, job: str) -> tuple[list[Example], str | None]:
        role = request["roleArn"]
        training = request["trainingDataConfig"]
        if "invocationLogsConfig" in training:
            logs = training["invocationLogsConfig"]["invocationLogSource"]["s3Uri"]
            texts = ["\n".join(self._text(uri, role, job) for uri in self._listed(logs, role, job))]
        else:
            texts = [self._text(training["s3Uri"], role, job)]
        validators = request.get("validationDataConfig", {}).get("validators", [])
        texts += [self._text(item["s3Uri"], role, job) for item in validators]
        self._write(request["outputDataConfig"]["s3Uri"], ".write_access_check_file.temp", "", role, job)
        kind = request.get("customizationType", "FINE_TUNING")
        if kind != "FINE_TUNING":
            return customization.read_prompts(texts[0]), None
        data = customization.read_training_data(texts[0], base, *base.records)
        for text in texts[1:]:
            validation = customization.read_training_data(text, base, 1, base.records[1])
            if validation.problem:
                return data.examples, data.problem or validation.problem
        return data.examples, data.problem

    def _listed(self, prefix: str, role: str, job: str) -> list[str]:
        try:
            return self._files.below(prefix, role, job)
        except ApiError as error:
            raise ApiError(
                "ValidationException", f"Could not list {prefix}: {error.message} ({error.code})."
            ) from error

    def _text(self, uri: str, role: str, job: str) -> str:
        try:
            return self._files.read(uri, role, job)
        except ApiError as error:
            raise ApiError("ValidationException", f"Could not read {uri}: {error.message} ({error.code}).") from error

    def _write(self, prefix: str, key: str, text: str, role: str, job: str) -> None:
        uri = f"{prefix.rstrip('/')}/{key}"
        try:
            self._files.write(uri, text, role, job)
        except ApiError as error:
            raise ApiError("ValidationException", f"Could not write {uri}: {error.message} ({error.code}).") from error

    def _complete(self, job: CustomizationJob) -> None:
        registry = self._registry
        knowledge = Summarizer(self._examples[job.arn])
        job.model = CustomModel(
            name=job.request["customModelName"],
            arn=registry.arn("custom-model", job.request["customModelName"], base=job.base),
            created=job.ends,
            token=None,
            request={},
            tags=registry.tags_of(job.request.get("customModelTags", [])),
            base=job.base,
            job=job,
            knowledge=knowledge,
            loss=knowledge.loss,
        )
        registry.models.append(job.model)
        for key, text in customization.artefacts(job, len(self._examples[job.arn]), knowledge):
            self._write(job.request["outputDataConfig"]["s3Uri"], key, text, job.request["roleArn"], job.arn)

    def _described(self, job: CustomizationJob) -> dict[str, Any]:
        registry = self._registry
        return customization.describe(job, registry.now(), registry.date, registry.foundation_arn(job.base))

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        registry = self._registry
        fields = (
            "jobArn",
            "baseModelArn",
            "jobName",
            "status",
            "statusDetails",
            "lastModifiedTime",
            "creationTime",
            "endTime",
        )

        def summary(job: CustomizationJob) -> dict[str, Any]:
            described = self._described(job)
            shown = {name: described[name] for name in (*fields, "customizationType") if name in described}
            model = {} if job.model is None else {"customModelArn": job.model.arn}
            return shown | model | {"customModelName": job.request["customModelName"]}

        jobs, more = page(
            registry.jobs,
            request,
            summary,
            name=lambda job: job.name,
            created=lambda job: registry.date(job.created),
            status=lambda job: job.status,
        )
        return {"modelCustomizationJobSummaries": jobs, **more}

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        job = self._find(request["jobIdentifier"])
        if job.status != "InProgress":
            message = f"The model customization job {job.name} cannot be stopped, because its status is {job.status}."
            raise ApiError("ConflictException", message)
        job.status, job.changed = "Stopping", self._registry.now()
        job.ends = self._registry.now() + _STOPPING_SECONDS
        return {}

    def _get_model(self, request: dict[str, Any]) -> dict[str, Any]:
        model = self._registry.custom_model(request["modelIdentifier"])
        job = model.job
        described = {
            "modelArn": model.arn,
            "modelName": model.name,
            "jobName": job.name,
            "jobArn": job.arn,
            "baseModelArn": self._registry.foundation_arn(model.base),
            "customizationType": job.request.get("customizationType", "FINE_TUNING"),
            "hyperParameters": job.request.get("hyperParameters", {}),
            "trainingDataConfig": job.request["trainingDataConfig"],
            "outputDataConfig": job.request["outputDataConfig"],
            "creationTime": self._registry.date(model.created),
            "modelStatus": "Active",
        }
        return described | customization.metrics(model)

    def _list_models(self, request: dict[str, Any]) -> dict[str, Any]:
        registry = self._registry

        def summary(model: CustomModel) -> dict[str, Any]:
            return {
                "modelArn": model.arn,
                "modelName": model.name,
                "creationTime": registry.date(model.created),
                "baseModelArn": registry.foundation_arn(model.base),
                "baseModelName": model.base.name,
                "customizationType": model.job.request.get("customizationType", "FINE_TUNING"),
                "ownerAccountId": registry.account,
                "modelStatus": "Active",
            }

        matching: Callable[[CustomModel], bool] = lambda model: (  # noqa: E731
            request.get("baseModelArnEquals") in (None, registry.foundation_arn(model.base))
            and request.get("foundationModelArnEquals") in (None, registry.foundation_arn(model.base))
            and request.get("modelStatus") in (None, "Active")
        )
        models, more = page(
            filter(matching, registry.models),
            request,
            summary,
            name=lambda model: model.name,
            created=lambda model: registry.date(model.created),
            status=lambda _: "Active",
        )
        return {"modelSummaries": models, **more}

    def _delete_model(self, request: dict[str, Any]) -> dict[str, Any]:
        registry = self._registry
        model = registry.custom_model(request["modelIdentifier"])
        users = [served for served in (*registry.provisioned, *registry.deployments) if served.model is model]
        if users:
            raise ApiError("ConflictException", f"The custom model {model.name} is in use by {users[0].arn}.")
        registry.models.remove(model)
        return {}
