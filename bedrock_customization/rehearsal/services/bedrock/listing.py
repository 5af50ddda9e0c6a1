"""What the List operations of Bedrock have in common: filters, order and pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from bedrock_customization.rehearsal.services.api_error import ApiError


def page(
    items: Iterable[Any],
    request: dict[str, Any],
    summary: Callable[[Any], dict[str, Any]],
    *,
    name: Callable[[Any], str],
    created: Callable[[Any], datetime],
    status: Callable[[Any], str],
    model_arn: Callable[[Any], str] | None = None,
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """One page of a list.

    Args:
        items: Everything there is.
        request: The List request.
        summary: An item as the list shows it.
        name: An item's name.
        created: When an item was made.
        status: An item's status.
        model_arn: The ARN of an item's model, for `modelArnEquals`.

    Returns:
        The summaries, and `nextToken` if there are more.
    """
    after = request.get("creationTimeAfter") or request.get("createdAfter")
    before = request.get("creationTimeBefore") or request.get("createdBefore")
    found = [
        item
        for item in items
        if request.get("nameContains", "").lower() in name(item).lower()
        and request.get("statusEquals") in (None, status(item))
        and (model_arn is None or request.get("modelArnEquals") in (None, model_arn(item)))
        and (after is None or created(item) > after)
        and (before is None or created(item) < before)
    ]
    found.sort(key=created, reverse=request.get("sortOrder") == "Descending")
    token = request.get("nextToken", "0")
    if not token.isdigit() or int(token) > len(found):
        raise ApiError("ValidationException", "The provided next token is invalid.")
    begin = int(token)
    end = begin + request.get("maxResults", 100)
    more = {"nextToken": str(end)} if end < len(found) else {}
    return [summary(item) for item in found[begin:end]], more
