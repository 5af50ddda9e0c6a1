"""The things that an account has in Bedrock, and what changes them as time passes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bedrock_customization.rehearsal.services.bedrock.foundation_models import FoundationModel
from bedrock_customization.rehearsal.services.bedrock.stand_in import Summarizer


@dataclass(kw_only=True)
class Resource:
    """Anything with a name, an ARN and tags.

    Args:
        name: Its name.
        arn: Its ARN.
        created: When it was made, in seconds of virtual time.
        token: The client request token that it was made with.
        request: The request that it was made with.
        tags: Its tags.
    """

    name: str
    arn: str
    created: float
    token: str | None
    request: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class CustomModel(Resource):
    """A customized model."""

    base: FoundationModel
    job: CustomizationJob
    knowledge: Summarizer
    loss: float


@dataclass(kw_only=True)
class CustomizationJob(Resource):
    """A model customization job.

    Args:
        base: The model that it customizes.
        teacher: The custom model that it starts from, if it does.
        ends: When it will be over, in seconds of virtual time.
        failure: Why it will fail; None if it will not.
        status: `InProgress`, `Completed`, `Failed`, `Stopping` or `Stopped`.
        changed: When its status changed last.
        model: What it made.
    """

    base: FoundationModel
    ends: float
    failure: str | None = None
    status: str = "InProgress"
    changed: float = 0.0
    ended: float | None = None
    stalled: bool = False
    model: CustomModel | None = None


@dataclass(kw_only=True)
class ServedModel(Resource):
    """A model that is served: Provisioned Throughput, or an on-demand deployment.

    Args:
        model: The custom model; None if a foundation model is served.
        base: The foundation model underneath.
        model_arn: The ARN of what is served.
        ready: When it will be ready, in seconds of virtual time.
        failure: Why it will fail; None if it will not.
        units: Model units bought; 0 for a deployment.
        commitment: The term bought, if any.
    """

    model: CustomModel | None
    base: FoundationModel
    model_arn: str
    ready: float
    failure: str | None = None
    units: int = 0
    commitment: str | None = None


@dataclass(kw_only=True)
class InferenceProfile(Resource):
    """An inference profile of the account's own ("application inference profile").

    Args:
        source: The id or ARN of the foundation model or cross-Region profile behind it.
    """

    source: str


@dataclass(frozen=True)
class Billed:
    """Something that costs money as long as it exists.

    Args:
        kind: `model-customization-job`, `provisioned-model` or `custom-model-deployment`.
        name: Its name.
        arn: Its ARN.
        status: Its status.
        since: Since when, in seconds of virtual time.
    """

    kind: str
    name: str
    arn: str
    status: str
    since: float
