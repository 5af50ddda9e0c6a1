"""What Step Functions says about a JSONata expression that failed: the words of JSONata 2.0.6."""

from __future__ import annotations

import re
from typing import Any

from jsonata.jexception import JException

from bedrock_customization.rehearsal.interpreter.jsonata_text import string_of

TOO_DEEP = "Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive"
TOO_LARGE = "Expression evaluation memory limit exceeded: Check for excessive memory usage"
TOO_LONG = "Expression evaluation timeout: Check for infinite loop"

# The library has these two sentences where the code belongs.
_CODES = {
    "Second argument of replace function cannot be an empty string": "D3010",
    "Fourth argument of replace function must evaluate to a positive number": "D3011",
}
_ARRAYS_OF = {"a": "arrays", "b": "booleans", "f": "functions", "n": "numbers", "o": "objects", "s": "strings"}
_OPERATOR_IS_FIRST = ("T2001", "T2002", "T2010")
_FIELD = re.compile(r"\{\{\{(\w+)\}\}\}|\{\{(\w+)\}\}")


def explain(error: Exception) -> str:
    """Say why an expression failed, with the punctuation that follows "threw an error during evaluation"."""
    if not isinstance(error, JException):
        return f": {error}"
    code = _CODES.get(error.error, error.error)
    template = JException.error_codes.get(code)
    if template is None:
        return f": {code}"
    # The library's messages say Object where those of JSONata say function.
    details = _details(code, error)
    return f". {code}: {_FIELD.sub(lambda field: _filled(field, details), template.replace('Object', 'function'))}"


def token_is_known(error: JException) -> bool:
    """Whether the error names its operator or function already."""
    return hasattr(error, "token") or error.error in _OPERATOR_IS_FIRST or error.error == "T2009"


def _filled(field: re.Match[str], details: dict[str, Any]) -> str:
    raw, quoted = field.groups()
    value = details.get(raw or quoted)
    if raw or not isinstance(value, str):
        return string_of(value)
    return string_of([value])[1:-1]


def _details(code: str, error: JException) -> dict[str, Any]:
    first, second, third = error.current, error.expected, error.extra
    token = getattr(error, "token", None)
    if code in ("T0410", "T0411"):
        return {"index": first, "token": token}
    if code == "T0412":
        return {"index": first, "token": token, "type": _ARRAYS_OF.get(str(third), third)}
    if code in _OPERATOR_IS_FIRST:
        return {"token": token or first, "value": second}
    if code == "T2009":
        return {"value": first, "value2": second, "token": token or third}
    if code == "D1002":
        return {"value": second}
    if code == "D3100":
        return {"value": error.location}
    if code == "D3140":
        return {"functionName": token, "function_name": token, "value": first}
    return {"token": first, "message": first, "value": first, "value2": second, "exp": second}
