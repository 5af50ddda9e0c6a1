"""What a model, or several models trained on the same files, ask of their data."""

from dataclasses import dataclass
from typing import Any, Self

from dataset.schemas import CHAT, CONVERSATION, INPUT, SCHEMAS

ANSWERED_BY_OTHERS = frozenset({"DISTILLATION", "REINFORCEMENT_FINE_TUNING"})
"""Customization types whose records need no answer: a teacher model or a grader supplies what is learned from."""

RECORDS_BY_TYPE = {
    "CONTINUED_PRE_TRAINING": {"max": 100_000},
    "REINFORCEMENT_FINE_TUNING": {"min": 100, "max": 20_000},
}
"""Customization types that have limits of their own instead of the model's (Bedrock user guide, 2026)."""


@dataclass(frozen=True)
class ModelRules:
    """The rules for training and validation data; a rule that is None or empty is not checked.

    Args:
        schemas: The schemas that the models want; none if no model is known, and then the first record decides.
        minimum_records: The fewest records in training and validation together.
        maximum_records: The most records in training and validation together.
        tokens_per_record: The most tokens in one record.
        reserved_words: Words that no text may contain, case as given.
        validation_allowed: Whether the models take a validation set.
        answer_required: Whether each record has to end with an answer.
    """

    schemas: tuple[str, ...] = ()
    minimum_records: int | None = None
    maximum_records: int | None = None
    tokens_per_record: int | None = None
    reserved_words: tuple[str, ...] = ()
    validation_allowed: bool = True
    answer_required: bool = True

    @classmethod
    def from_catalogue(cls, entries: list[dict[str, Any]], customization_type: str = "FINE_TUNING") -> Self:
        """Combine the catalogue entries of all models that are trained on the same files; the strictest rule counts.

        Args:
            entries: Entries of the model catalogue, with `schema`, `records`, `tokensPerRecord`, `reservedWords` and
                `validationData`; a missing field sets no rule.
            customization_type: Bedrock's name of the type; it decides the schema for all but fine-tuning.

        Returns:
            The rules that satisfy all of them.
        """
        records = [entry["records"] for entry in entries if entry.get("records")]
        if customization_type in RECORDS_BY_TYPE:
            records = [RECORDS_BY_TYPE[customization_type]]
        tokens = [entry["tokensPerRecord"] for entry in entries if entry.get("tokensPerRecord")]
        return cls(
            schemas=_schemas(entries, customization_type),
            minimum_records=max((r["min"] for r in records if r.get("min") is not None), default=None),
            maximum_records=min((r["max"] for r in records if r.get("max") is not None), default=None),
            tokens_per_record=min(tokens, default=None),
            reserved_words=tuple(dict.fromkeys(word for entry in entries for word in entry.get("reservedWords") or ())),
            validation_allowed=all(entry.get("validationData", True) for entry in entries),
            answer_required=customization_type not in ANSWERED_BY_OTHERS,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the rules as the report holds them."""
        return {
            "schemas": list(self.schemas),
            "records": {"min": self.minimum_records, "max": self.maximum_records},
            "tokensPerRecord": self.tokens_per_record,
            "reservedWords": list(self.reserved_words),
            "validationData": self.validation_allowed,
        }


def _schemas(entries: list[dict[str, Any]], customization_type: str) -> tuple[str, ...]:
    by_type = {"CONTINUED_PRE_TRAINING": INPUT, "DISTILLATION": CONVERSATION, "REINFORCEMENT_FINE_TUNING": CHAT}
    if customization_type in by_type:
        return (by_type[customization_type],)
    schemas = dict.fromkeys(entry["schema"] for entry in entries if entry.get("schema"))
    if unknown := [schema for schema in schemas if schema not in SCHEMAS]:
        raise ValueError(f"schema: {unknown[0]!r} is not known. Known: {', '.join(SCHEMAS)}.")
    return tuple(schemas)
