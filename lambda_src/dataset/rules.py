"""What a model, or several models trained on the same files, ask of their data."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from dataset.schemas import CHAT, CONVERSATION, INPUT, SCHEMAS

ANSWERED_BY_OTHERS = frozenset({"DISTILLATION", "REINFORCEMENT_FINE_TUNING"})
"""Customization types whose records need no answer: a teacher model or a grader supplies what is learned from."""

RECORDS_BY_TYPE = {
    "CONTINUED_PRE_TRAINING": {"max": 100_000},
    "DISTILLATION": {"min": 100},
    "REINFORCEMENT_FINE_TUNING": {"min": 100, "max": 20_000},
}
"""Customization types that have limits of their own instead of the model's (Bedrock user guide, 2026; for distillation
the data set validator in aws-samples/amazon-bedrock-samples)."""


@dataclass(frozen=True)
class ModelRules:
    """The rules for training and validation data; a rule that is None or empty is not checked.

    Args:
        schemas: The schemas that the models want; none if no model is known, and then the first record decides.
        convert_to: The schemas that records are converted to before they are checked; `schemas` is then empty.
        minimum_records: The fewest records in training and validation together.
        maximum_records: The most records in training and validation together.
        maximum_validation_records: The most records in validation alone.
        tokens_per_record: The most tokens in one record.
        system_texts: The most system texts in one record.
        single_exchange: Whether a record has one turn of the user only.
        reserved_words: Words that no text may contain, in upper or lower case.
        media: What a turn of the user may hold beside text, with the formats.
        reasoning: Whether a turn of the assistant may hold reasoning.
        validation_allowed: Whether the models take a validation set.
        answer_required: Whether each record has to end with an answer.
    """

    schemas: tuple[str, ...] = ()
    convert_to: tuple[str, ...] = ()
    minimum_records: int | None = None
    maximum_records: int | None = None
    maximum_validation_records: int | None = None
    tokens_per_record: int | None = None
    system_texts: int | None = None
    single_exchange: bool = False
    media: dict[str, list[str]] | None = None
    reasoning: bool | None = None
    reserved_words: tuple[str, ...] = ()
    validation_allowed: bool = True
    answer_required: bool = True

    @classmethod
    def from_catalogue(cls, entries: list[dict[str, Any]], customization_type: str = "FINE_TUNING") -> Self:
        """Combine the catalogue entries of all models that are trained on the same files; the strictest rule counts.

        Args:
            entries: Entries of the model catalogue; a missing field sets no rule.
            customization_type: Bedrock's name of the type; it decides the schema for all but fine-tuning.

        Returns:
            The rules that satisfy all of them.
        """
        records = [entry["records"] for entry in entries if entry.get("records")]
        if customization_type in RECORDS_BY_TYPE:
            records = [RECORDS_BY_TYPE[customization_type]]
        distilled = customization_type == "DISTILLATION"
        return cls(
            schemas=_schemas(entries, customization_type),
            minimum_records=max((r["min"] for r in records if r.get("min") is not None), default=None),
            maximum_records=min((r["max"] for r in records if r.get("max") is not None), default=None),
            maximum_validation_records=_least(entry.get("records", {}).get("validationMax") for entry in entries),
            tokens_per_record=_least(entry.get("tokensPerRecord") for entry in entries),
            system_texts=_least(entry.get("systemTexts") for entry in entries),
            single_exchange=distilled and any(entry.get("distilledOnSingleExchanges", False) for entry in entries),
            media={} if distilled else _media([entry["media"] for entry in entries if "media" in entry]),
            reasoning=all(entry.get("reasoning", False) for entry in entries) if entries else None,
            reserved_words=tuple(dict.fromkeys(word for entry in entries for word in entry.get("reservedWords") or ())),
            validation_allowed=all(entry.get("validationData", True) for entry in entries),
            answer_required=customization_type not in ANSWERED_BY_OTHERS,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the rules as the report holds them."""
        return {
            "schemas": list(self.schemas),
            "convertedTo": list(self.convert_to),
            "records": {
                "min": self.minimum_records,
                "max": self.maximum_records,
                "validationMax": self.maximum_validation_records,
            },
            "tokensPerRecord": self.tokens_per_record,
            "systemTexts": self.system_texts,
            "singleExchange": self.single_exchange,
            "reservedWords": list(self.reserved_words),
            "media": self.media,
            "reasoning": self.reasoning,
            "validationData": self.validation_allowed,
        }


def _least(limits: Iterable[int | None]) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


def _media(taken: list[dict[str, list[str]]]) -> dict[str, list[str]] | None:
    """Return what all models take; None if nothing is known about any."""
    if not taken:
        return None
    kinds = [kind for kind in taken[0] if all(kind in other for other in taken)]
    return {kind: [form for form in taken[0][kind] if all(form in other[kind] for other in taken)] for kind in kinds}


def _schemas(entries: list[dict[str, Any]], customization_type: str) -> tuple[str, ...]:
    by_type = {"CONTINUED_PRE_TRAINING": INPUT, "DISTILLATION": CONVERSATION, "REINFORCEMENT_FINE_TUNING": CHAT}
    if customization_type in by_type:
        return (by_type[customization_type],)
    schemas = dict.fromkeys(entry["schema"] for entry in entries if entry.get("schema"))
    if unknown := [schema for schema in schemas if schema not in SCHEMAS]:
        raise ValueError(f"schema: {unknown[0]!r} is not known. Known: {', '.join(SCHEMAS)}.")
    return tuple(schemas)
