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


def _errors(*names: str) -> list[str]:
    """Bedrock's errors as both APIs name them; the prefix of the optimised integration's is not documented."""
    return [f"{prefix}.{name}" for prefix in ("BedrockRuntime", "Bedrock") for name in names]


# A model at its limit is asked again as long as there is time; whatever else may pass is tried some times.
_AT_ITS_LIMIT = _errors("ThrottlingException", "ModelNotReadyException", "ServiceUnavailableException")
_TRANSIENT = _errors("ModelTimeoutException", "InternalServerException", "SdkClientException")

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
    scope: Construct,
    *,
    prefix: str,
    inference: Inference,
    too_late: tuple[str, str],
    catches: list[dict[str, Any]] | None = None,
) -> tuple[sfn.Choice, sfn.CustomState, sfn.CustomState]:
    """States that ask a model: a Choice, then a call of Converse or of InvokeModel.

    A model at its limit is asked until it answers: when a call's retries are used up it comes back to the Choice, which
    fails once the deadline has passed.

    Input: `{"model": {"name", "modelId", "invokeModel"?}, "system": [{"Text"}], "messages": [{"Role", "Content"}],
    "limit": bytes, "deadline": milliseconds since 1970}`. Output of both calls: `{"<model>": {"text", "stopReason",
    "inputTokens"?, "outputTokens"?}}`, or `{"<model>": {"error", "cause"}}` for an answer that is not where its path
    says, or larger than the limit.

    Args:
        scope: The construct that holds the states.
        prefix: What the states' names begin with.
        inference: How the model is asked.
        too_late: Error and cause once the deadline has passed.
        catches: What the calls catch beside a model at its limit, as catchers of the Amazon States Language.

    Returns:
        The Choice, the call of Converse and that of InvokeModel.
    """
    by_which_api = f"{prefix}ByWhichApi"
    # The calls share their fields; `add_catch` would drop the output, which keeps the input for the next attempt.
    shared: dict[str, Any] = {
        "timeout": Duration.minutes(5),
        "retries": [
            retry(_AT_ITS_LIMIT, max_attempts=9, max_delay=Duration.minutes(2)),
            retry(_TRANSIENT, max_delay=Duration.seconds(30)),
            retry(["States.Timeout"], max_attempts=2),
        ],
        "catches": [
            {"ErrorEquals": _AT_ITS_LIMIT, "Next": by_which_api, "Output": "{% $states.input %}"},
            *(catches or []),
        ],
    }
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
        **shared,
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
        **shared,
    )
    late = sfn.Fail.jsonata(scope, f"{prefix}TooLate", error=too_late[0], cause=too_late[1])
    choice = (
        sfn.Choice.jsonata(scope, by_which_api)
        .when(sfn.Condition.jsonata("{% $millis() > $states.input.deadline %}"), late)
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
