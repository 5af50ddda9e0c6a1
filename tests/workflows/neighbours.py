"""What an account has beside a run, and what no release may touch: other runs' resources, and other stacks'."""

from typing import Any

from bedrock_customization.rehearsal import Rehearsal
from bedrock_customization.rehearsal.services.bedrock.resources import CustomizationJob, CustomModel, ServedModel
from bedrock_customization.rehearsal.services.bedrock.stand_in import Summarizer
from bedrock_customization.tags import WORKFLOW_TAG

FOREIGN = {WORKFLOW_TAG: "SomebodyElse/0123456789ab"}


class Neighbour:
    """A custom model in each way of being served, and its job, which the account has beside the run."""

    def __init__(self, rehearsal: Rehearsal, name: str, tags: dict[str, str], *, training: bool = False) -> None:
        registry = rehearsal.bedrock.registry
        base = registry.foundation_models["amazon.nova-micro-v1:0:128k"]
        shared: dict[str, Any] = {"created": 0.0, "token": None, "tags": dict(tags), "base": base}
        request = {"customModelName": name, "trainingDataConfig": {"s3Uri": "s3://a/b"}}
        request |= {"outputDataConfig": {"s3Uri": "s3://a/c"}, "roleArn": "arn:aws:iam::123456789012:role/r"}
        self.job = CustomizationJob(
            name=name,
            arn=registry.arn("model-customization-job", name, base=base),
            request=request,
            ends=float("inf"),
            status="InProgress" if training else "Completed",
            stalled=training,
            **shared,
        )
        self.model = CustomModel(
            name=name,
            arn=registry.arn("custom-model", name, base=base),
            request={},
            job=self.job,
            knowledge=Summarizer([]),
            loss=1.0,
            **shared,
        )
        registry.jobs.append(self.job)
        registry.models.append(self.model)
        served = {"request": {}, "model": self.model, "model_arn": self.model.arn, "ready": 0.0, **shared}
        self.deployment = ServedModel(name=name, arn=registry.arn("custom-model-deployment", name), **served)
        registry.deployments.append(self.deployment)
        self.provisioned = ServedModel(name=name, arn=registry.arn("provisioned-model", name), units=1, **served)
        registry.provisioned.append(self.provisioned)
        self._rehearsal = rehearsal
        self._before = self._status()

    @property
    def arns(self) -> list[str]:
        """The ARNs of all of it."""
        return [resource.arn for resource in (self.job, self.model, self.deployment, self.provisioned)]

    def is_untouched(self) -> bool:
        """Whether all of it is as it was."""
        registry = self._rehearsal.bedrock.registry
        there = (
            self.model in registry.models
            and self.deployment in registry.deployments
            and self.provisioned in registry.provisioned
        )
        return there and self._status() == self._before

    def _status(self) -> list[Any]:
        resources = (self.job, self.model, self.deployment, self.provisioned)
        return [self.job.status, *(dict(resource.tags) for resource in resources)]
