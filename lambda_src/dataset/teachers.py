"""Which model may teach which in a distillation."""

from collections.abc import Iterator
from typing import Any

from dataset.candidates import trained
from dataset.catalogue import base_model_id, find_entry, model_of_profile
from dataset.jobs import DISTILLATION

FIELD = "customizationConfig.distillationConfig.teacherModelConfig.teacherModelIdentifier"
ON_DEMAND = "on-demand"
PROFILE = "inference-profile"

_OWN_PROFILE = ":application-inference-profile/"


def teachers(candidates: list[dict[str, Any]]) -> list[str]:
    """Return the ids of the foundation models that teach, each once.

    Args:
        candidates: What `dataset.candidates` planned.
    """
    return list(dict.fromkeys(_named(teacher)[0] for _, teacher in _pairs(candidates) if _OWN_PROFILE not in teacher))


def problems_with_teachers(candidates: list[dict[str, Any]], models: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each teacher that cannot teach its student, or is named as it cannot be.

    Args:
        candidates: What `dataset.candidates` planned.
        models: The catalogue.
    """
    for student, teacher in _pairs(candidates):
        if _OWN_PROFILE in teacher:
            yield (
                f"{FIELD}: {teacher!r} is an inference profile of your own; a distillation takes only those of Bedrock "
                "itself, such as us.amazon.nova-premier-v1:0."
            )
            continue
        allowed = (find_entry(models, student) or {}).get("teachers")
        if allowed is None:
            continue
        model, form = _named(teacher)
        if model in allowed:
            if form not in allowed[model]:
                remedy = (
                    f"the model's id {model!r}" if form == PROFILE else f"an inference profile, such as 'us.{model}'"
                )
                yield f"{FIELD}: {teacher!r} cannot be asked in a distillation. Give {remedy}."
        elif _teaches_others(model, models) or _maker(model) != _maker(student):
            yield (
                f"{FIELD}: {teacher!r} cannot teach {student!r}. Allowed: {_listed(allowed)}. Choose one of them, or "
                "another model to be taught."
            )


def unknown_pairs(candidates: list[dict[str, Any]], models: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each teacher that the catalogue knows nothing about.

    Args:
        candidates: What `dataset.candidates` planned.
        models: The catalogue.
    """
    for student, teacher in _pairs(candidates):
        allowed = (find_entry(models, student) or {}).get("teachers", {})
        if allowed and _named(teacher)[0] not in allowed:
            yield f"it is not known whether {teacher!r} can teach {student!r}; known are {_listed(allowed)}"


def _pairs(candidates: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (
            candidate["baseModelIdentifier"],
            candidate["customizationConfig"]["distillationConfig"]["teacherModelConfig"]["teacherModelIdentifier"],
        )
        for candidate in trained(candidates)
        if candidate["customizationType"] == DISTILLATION
    ]


def _named(teacher: str) -> tuple[str, str]:
    """Return the id of the foundation model, and whether it is named itself or by an inference profile."""
    model = model_of_profile(teacher)
    return (model, PROFILE) if model else (base_model_id(teacher), ON_DEMAND)


def _teaches_others(model: str, models: dict[str, Any]) -> bool:
    return any(model in entry.get("teachers", {}) for entry in models.values())


def _maker(identifier: str) -> str:
    return base_model_id(identifier).split(".")[0]


def _listed(allowed: dict[str, list[str]]) -> str:
    return ", ".join(model if ON_DEMAND in forms else f"us.{model}" for model, forms in allowed.items())
