"""Converse and InvokeModel: requests and responses around what a stand-in model says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from bedrock_customization.rehearsal.services.api_error import ApiError
from bedrock_customization.rehearsal.services.bedrock.customization import last_user_text
from bedrock_customization.rehearsal.services.bedrock.stand_in import Summarizer, base_answer

_DEFAULT_TOKENS = 2_048
_TOKEN = re.compile(r"\s*\S{1,6}")


@dataclass(frozen=True)
class Answer:
    """What a model said, and how it ended."""

    text: str
    stop_reason: str
    input_tokens: int
    output_tokens: int

    @property
    def seconds(self) -> float:
        """How long it took: a tenth of a second, and a hundredth for each token that it wrote."""
        return 0.1 + 0.01 * self.output_tokens


def ask(
    prompt: str,
    knowledge: Summarizer | None,
    *,
    context: str = "",
    max_tokens: int | None = None,
    stop_sequences: list[str] | None = None,
) -> Answer:
    """Ask a stand-in model.

    Args:
        prompt: What is asked.
        knowledge: What a customized model learned; None for a base model.
        context: Everything else that the model is given, which counts as input.
        max_tokens: The most tokens to write; a token is up to six characters of a word.
        stop_sequences: Texts that end the answer.
    """
    text = base_answer(prompt) if knowledge is None else knowledge.answer(prompt)
    stop_reason = "end_turn"
    for sequence in stop_sequences or ():
        before, found, _ = text.partition(sequence)
        if found:
            text, stop_reason = before, "stop_sequence"
    tokens = _TOKEN.findall(text)
    limit = max_tokens or _DEFAULT_TOKENS
    if len(tokens) > limit:
        tokens = tokens[:limit]
        text, stop_reason = "".join(tokens), "max_tokens"
    given = len(_TOKEN.findall(prompt)) + len(_TOKEN.findall(context))
    return Answer(text.strip(), stop_reason, given, len(tokens))


def converse(request: dict[str, Any], knowledge: Summarizer | None) -> dict[str, Any]:
    """Answer Converse.

    Raises:
        ApiError: ValidationException, as Converse refuses conversations.
    """
    messages = request.get("messages", [])
    if not messages:
        raise ApiError("ValidationException", "A conversation must have at least one message.")
    if messages[0]["role"] != "user":
        raise ApiError(
            "ValidationException",
            "A conversation must start with a user message.",
        )
    if messages[-1]["role"] != "user":
        raise ApiError("ValidationException", "A conversation must end with a user message.")
    for message in messages:
        if not any(part.get("text", "").strip() or set(part) - {"text"} for part in message["content"]):
            raise ApiError(
                "ValidationException",
                "The text field in the ContentBlock object is blank. Add text to the text field, and try again.",
            )
    prompt = last_user_text(messages)
    system = " ".join(part.get("text", "") for part in request.get("system", []))
    settings = request.get("inferenceConfig", {})
    earlier = " ".join(part.get("text", "") for message in messages[:-1] for part in message["content"])
    answer = ask(
        prompt,
        knowledge,
        context=f"{system} {earlier}",
        max_tokens=settings.get("maxTokens"),
        stop_sequences=settings.get("stopSequences"),
    )
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": answer.text}]}},
        "stopReason": answer.stop_reason,
        "usage": {
            "inputTokens": answer.input_tokens,
            "outputTokens": answer.output_tokens,
            "totalTokens": answer.input_tokens + answer.output_tokens,
        },
        "metrics": {"latencyMs": round(answer.seconds * 1000)},
    }


def invoke(request: dict[str, Any], provider: str, knowledge: Summarizer | None) -> dict[str, Any]:
    """Answer InvokeModel, in the body format of the model's provider.

    Raises:
        ApiError: ValidationException if the body is not in that format.
    """
    try:
        body = json.loads(request.get("body") or b"{}")
        result = _FORMATS.get(provider, _prompted)(body, knowledge)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ApiError(
            "ValidationException", f"Malformed input request: {error!r}, please reformat your input and try again."
        ) from error
    return {"body": json.dumps(result).encode(), "contentType": "application/json"}


def _amazon(body: dict[str, Any], knowledge: Summarizer | None) -> dict[str, Any]:
    if "inputText" in body:
        settings = body.get("textGenerationConfig", {})
        answer = ask(
            body["inputText"],
            knowledge,
            max_tokens=settings.get("maxTokenCount"),
            stop_sequences=settings.get("stopSequences"),
        )
        reason = "LENGTH" if answer.stop_reason == "max_tokens" else "FINISH"
        result = {"tokenCount": answer.output_tokens, "outputText": answer.text, "completionReason": reason}
        return {"inputTextTokenCount": answer.input_tokens, "results": [result]}
    return {name: value for name, value in converse(body, knowledge).items() if name != "metrics"}


def _meta(body: dict[str, Any], knowledge: Summarizer | None) -> dict[str, Any]:
    answer = ask(body["prompt"], knowledge, max_tokens=body.get("max_gen_len", 512))
    return {
        "generation": answer.text,
        "prompt_token_count": answer.input_tokens,
        "generation_token_count": answer.output_tokens,
        "stop_reason": "length" if answer.stop_reason == "max_tokens" else "stop",
    }


def _anthropic(body: dict[str, Any], knowledge: Summarizer | None) -> dict[str, Any]:
    answer = ask(
        last_user_text(body["messages"]),
        knowledge,
        context=str(body.get("system", "")),
        max_tokens=body["max_tokens"],
        stop_sequences=body.get("stop_sequences"),
    )
    return {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": answer.text}],
        "stop_reason": answer.stop_reason,
        "usage": {"input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens},
    }


def _cohere(body: dict[str, Any], knowledge: Summarizer | None) -> dict[str, Any]:
    answer = ask(
        body["prompt"], knowledge, max_tokens=body.get("max_tokens"), stop_sequences=body.get("stop_sequences")
    )
    reason = "MAX_TOKENS" if answer.stop_reason == "max_tokens" else "COMPLETE"
    return {"generations": [{"text": answer.text, "finish_reason": reason}], "prompt": body["prompt"]}


def _prompted(body: dict[str, Any], knowledge: Summarizer | None) -> dict[str, Any]:
    prompt = last_user_text(body["messages"]) if "messages" in body else body["prompt"]
    answer = ask(prompt, knowledge, max_tokens=body.get("max_tokens"))
    reason = "length" if answer.stop_reason == "max_tokens" else "stop"
    return {"choices": [{"message": {"role": "assistant", "content": answer.text}, "finish_reason": reason}]}


_FORMATS = {"Amazon": _amazon, "Meta": _meta, "Anthropic": _anthropic, "Cohere": _cohere}
