"""Answers that come with the evaluation data, so that their models need not be asked."""

from collections.abc import Sequence
from typing import Any

from dataset.records import check_text, type_name

END = "end_turn"
"""The stop reason of an answer that is given as a text alone: whoever gives it says that it is complete."""


def given_answers(
    value: dict[str, Any], models: Sequence[str], faults: list[tuple[str, str]]
) -> dict[str, dict[str, str]]:
    """Return the answers of the models that are not asked; a model without one is left out and counts as missing.

    Args:
        value: The record; `responses` holds `{"<model>": "<text>" or {"text", "stopReason"?}}`.
        models: The models whose answers are wanted.
        faults: Where faults are added.

    Returns:
        `{"<model>": {"text", "stopReason"}}`.
    """
    responses = value.get("responses", {}) if models else {}
    if not isinstance(responses, dict):
        faults.append(("wrongType", f"responses is {type_name(responses)}, not an object"))
        return {}
    answers = {}
    for model in models:
        if model not in responses:
            continue
        response, path = responses[model], f"responses.{model}"
        if isinstance(response, str):
            answers[model] = {"text": response, "stopReason": END}
        elif isinstance(response, dict) and isinstance(response.get("text"), str):
            reason = check_text(response, "stopReason", f"{path}.", faults) if "stopReason" in response else END
            answers[model] = {"text": response["text"], "stopReason": reason}
        else:
            faults.append(("wrongType", f"{path} is neither a text nor an object with one"))
    return answers
