"""The states that ask one model one record, by Converse or by InvokeModel."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import Inference
from bedrock_customization.states.task import expression, retry, task

_CONVERSE = "aws-sdk:bedrockruntime:converse"
_INVOKE_MODEL = "bedrock:invokeModel"
# Errors that pass when the call is repeated. The prefix of the optimised integration's errors is not documented.
_TRANSIENT = [
    f"{prefix}.{name}"
    for prefix in ("BedrockRuntime", "Bedrock")
    for name in (
        "ThrottlingException",
        "ModelNotReadyException",
        "ModelTimeoutException",
        "InternalServerException",
        "ServiceUnavailableException",
        "SdkClientException",
    )
]

# An upper bound of a text's size as JSON: ASCII with its escapes, and four bytes for every other character. A text that
# is certainly small enough, since no character takes more than six bytes, is not measured.
_TOO_LARGE = (
    "(6 * $length($text) > $states.input.limit"
    r" ? ($ascii := $replace($text, /[^\x00-\x7f]/, '');"
    " $length($string([$ascii])) + 4 * ($length($text) - $length($ascii)) > $states.input.limit) : false)"
)
_TOO_LARGE_ANSWER = (
    "{'error': 'AnswerTooLarge', 'cause': 'the answer has ' & $string($length($text))"
    " & ' characters; beside this record a state has room for ' & $string($states.input.limit) & ' bytes'}"
)


def ask_model(
    scope: Construct, *, prefix: str, inference: Inference
) -> tuple[sfn.Choice, sfn.CustomState, sfn.CustomState]:
    """States that ask a model: a Choice, then a call of Converse or of InvokeModel.

    Input: `{"model": {"name", "modelId", "invokeModel"?}, "system": [{"Text"}], "messages": [{"Role", "Content"}],
    "limit": bytes}`. Output of both calls: `{"<model>": {"text", "stopReason", "inputTokens"?, "outputTokens"?}}`, or
    `{"<model>": {"error", "cause"}}` for an answer that is not where its path says, or larger than the limit.

    Args:
        scope: The construct that holds the states.
        prefix: What the states' names begin with.
        inference: How the model is asked.

    Returns:
        The Choice, the call of Converse and that of InvokeModel.
    """
    retries = [_throttling_retry(inference)]
    converse = task(
        scope,
        f"{prefix}Model",
        resource=_CONVERSE,
        arguments={
            "ModelId": "{% $states.input.model.modelId %}",
            "System": "{% $states.input.system %}",
            "Messages": "{% $states.input.messages %}",
            "InferenceConfig": _inference_configuration(inference),
        },
        output=expression(f"""(
            $text := $join([$states.result.Output.Message.Content.Text], '');
            {{$states.input.model.name: {_TOO_LARGE} ? {_TOO_LARGE_ANSWER} : {{
                'text': $text,
                'stopReason': $states.result.StopReason,
                'inputTokens': $states.result.Usage.InputTokens,
                'outputTokens': $states.result.Usage.OutputTokens
            }}}}
        )"""),
        retries=retries,
    )
    invoke = task(
        scope,
        f"{prefix}ModelByInvokeModel",
        resource=_INVOKE_MODEL,
        arguments={
            "ModelId": "{% $states.input.model.modelId %}",
            "ContentType": "application/json",
            "Accept": "application/json",
            "Body": _body(inference),
        },
        output=_ANSWER_IN_BODY,
        retries=retries,
    )
    choice = (
        sfn.Choice.jsonata(scope, f"{prefix}ByWhichApi")
        .when(sfn.Condition.jsonata("{% $exists($states.input.model.invokeModel) %}"), invoke)
        .otherwise(converse)
    )
    return choice, converse, invoke


def _body(inference: Inference) -> str:
    """The request's body: the template's parts, joined as JSON text with the record's texts escaped, then parsed."""
    top_p = "" if inference.top_p is None else f", 'topP': '{inference.top_p}'"
    return expression(f"""(
        $escaped := function($text) {{ ($json := $string([$text]); $substring($json, 2, $length($json) - 4)) }};
        $values := {{
            'prompt': $escaped($join([$states.input.messages[-1].Content.Text], '\\n')),
            'system': $escaped($join([$states.input.system.Text], '\\n')),
            'messages': $string([$states.input.messages.{{
                'role': Role, 'content': $join([Content.Text], '\\n')
            }}]),
            'maxTokens': '{inference.max_tokens}',
            'temperature': '{inference.temperature}'{top_p}
        }};
        $parse($join([$states.input.model.invokeModel.parts.(
            $exists(text) ? text : $lookup($values, value)
        )], ''))
    )""")


_ANSWER_IN_BODY = expression(f"""(
    $calling := $states.input.model.invokeModel;
    $at := function($steps) {{
        $reduce($steps, function($value, $step) {{
            $type($step) = 'number' ? $value[$step] : $lookup($value, $step)
        }}, $states.result.Body)
    }};
    $text := $at($calling.answer);
    $reason := $at($calling.stopReason);
    {{$states.input.model.name:
        $type($text) = 'string' ? (
            {_TOO_LARGE} ? {_TOO_LARGE_ANSWER} : {{
                'text': $text,
                'stopReason': $reason in $calling.completeStopReasons ? 'end_turn' : $substring($string($reason), 0, 64)
            }}
        ) : {{
            'error': 'AnswerNotFound',
            'cause': 'there is no text at answerPath; the response has the fields '
                & $substring($join([$keys($states.result.Body)], ', '), 0, 100)
        }}
    }}
)""")


def _inference_configuration(inference: Inference) -> dict[str, Any]:
    configuration: dict[str, Any] = {"MaxTokens": inference.max_tokens, "Temperature": inference.temperature}
    if inference.top_p is not None:
        configuration["TopP"] = inference.top_p
    return configuration


def _throttling_retry(inference: Inference) -> dict[str, Any]:
    """Retries while an EXPRESS child's five minutes allow it; a paced, STANDARD child can wait for hours."""
    paced = inference.requests_per_minute is not None
    return retry(
        _TRANSIENT,
        max_attempts=60 if paced else 8,
        max_delay=Duration.seconds(120 if paced else 30),
    )
