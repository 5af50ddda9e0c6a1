"""Small definitions for tests."""

from typing import Any


def task(resource: str, arguments: Any, **fields: Any) -> dict[str, Any]:
    """A Task state of an integration; it ends the machine unless `Next` is given."""
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Arguments": arguments, **fields}
    return state if "Next" in fields else {**state, "End": True}


def machine(**states: Any) -> dict[str, Any]:
    """A JSONata machine that starts at its first state."""
    return {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}


def single(resource: str, arguments: Any, **fields: Any) -> dict[str, Any]:
    """A machine of one Task."""
    return machine(Call=task(resource, arguments, **fields))
