"""Converse and InvokeModel have Bedrock's shapes and limits."""

import json
from typing import Any

import boto3
import pytest

from bedrock_customization.rehearsal import Rehearsal
from tests.rehearsal.machines import single

PROMPT = "One day it rained. Two cats slept. Three dogs barked."
CONVERSE = single("aws-sdk:bedrockruntime:converse", "{% $states.input %}")
MICRO = "amazon.nova-micro-v1:0"


def converse(**request: Any) -> Any:
    messages = [{"Role": "user", "Content": [{"Text": PROMPT}]}]
    return Rehearsal.from_definitions({"M": CONVERSE}).run("M", {"ModelId": MICRO, "Messages": messages, **request})


def test_an_answer_counts_its_tokens_and_takes_time() -> None:
    run = converse()

    assert run.output["Output"]["Message"] == {"Role": "assistant", "Content": [{"Text": PROMPT}]}
    assert run.output["StopReason"] == "end_turn"
    usage = run.output["Usage"]
    assert usage["InputTokens"] == usage["OutputTokens"] > 0
    assert usage["TotalTokens"] == usage["InputTokens"] + usage["OutputTokens"]
    assert run.duration == 1.0


def test_max_tokens_cuts_the_answer() -> None:
    output = converse(InferenceConfig={"MaxTokens": 4}).output

    assert (output["StopReason"], output["Usage"]["OutputTokens"]) == ("max_tokens", 4)
    assert PROMPT.startswith(output["Output"]["Message"]["Content"][0]["Text"])


def test_a_stop_sequence_ends_the_answer() -> None:
    output = converse(InferenceConfig={"StopSequences": ["Two"]}).output

    assert (output["StopReason"], output["Output"]["Message"]["Content"][0]["Text"]) == (
        "stop_sequence",
        "One day it rained.",
    )


def test_a_model_takes_no_more_requests_in_any_minute_than_its_quota() -> None:
    rehearsal = Rehearsal.from_definitions({"M": CONVERSE})
    rehearsal.bedrock.requests_per_minute = {MICRO: 2}
    rehearsal.bedrock.inference_seconds = 0

    def ask(model: str) -> str | None:
        request = {"ModelId": model, "Messages": [{"Role": "user", "Content": [{"Text": PROMPT}]}]}
        return rehearsal.run("M", request).error

    throttled = "BedrockRuntime.ThrottlingException"
    assert [ask(MICRO) for _ in range(3)] == [None, None, throttled]
    assert ask("amazon.nova-pro-v1:0") is None
    rehearsal.wait(59)
    assert ask(MICRO) == throttled
    rehearsal.wait(1)
    assert [ask(MICRO) for _ in range(3)] == [None, None, throttled]


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ([], "at least one message"),
        ([{"Role": "assistant", "Content": [{"Text": "a"}]}], "must start with a user message"),
        (
            [{"Role": "user", "Content": [{"Text": "a"}]}, {"Role": "assistant", "Content": [{"Text": "b"}]}],
            "must end with a user message",
        ),
        ([{"Role": "user", "Content": [{"Text": " "}]}], "is blank"),
        ([{"Role": "robot", "Content": [{"Text": "a"}]}], "at 'messages.1.member.role'"),
    ],
)
def test_conversations_that_converse_refuses(messages: list[Any], problem: str) -> None:
    run = converse(Messages=messages)

    assert run.error == "BedrockRuntime.ValidationException"
    assert problem in run.cause


@pytest.mark.parametrize(
    ("model_id", "body", "path"),
    [
        (
            MICRO,
            {"messages": [{"role": "user", "content": [{"text": PROMPT}]}]},
            ("output", "message", "content", 0, "text"),
        ),
        ("meta.llama3-1-8b-instruct-v1:0", {"prompt": PROMPT}, ("generation",)),
        (
            "qwen.qwen3-32b-v1:0",
            {"messages": [{"role": "user", "content": PROMPT}]},
            ("choices", 0, "message", "content"),
        ),
    ],
)
def test_invoke_model_speaks_the_providers_format(model_id: str, body: dict[str, Any], path: tuple[Any, ...]) -> None:
    rehearsal = Rehearsal.from_definitions({"M": single("bedrock:invokeModel", {"ModelId": model_id, "Body": body})})

    answer = rehearsal.run("M", {}).output["Body"]

    for step in path:
        answer = answer[step]
    assert answer == PROMPT


def test_invoke_model_reads_and_writes_s3() -> None:
    arguments = {
        "ModelId": MICRO,
        "Input": {"S3Uri": "s3://team-data/in.json"},
        "Output": {"S3Uri": "s3://team-data/out.json"},
    }
    rehearsal = Rehearsal.from_definitions({"M": single("bedrock:invokeModel", arguments)})
    body = {"messages": [{"role": "user", "content": [{"text": PROMPT}]}]}
    rehearsal.upload("team-data", "in.json", json.dumps(body))

    run = rehearsal.run("M", {})

    assert run.output["Body"] == "s3://team-data/out.json"
    assert json.loads(rehearsal.download("team-data", "out.json"))["stopReason"] == "end_turn"


def test_a_malformed_body_is_refused() -> None:
    rehearsal = Rehearsal.from_definitions(
        {"M": single("bedrock:invokeModel", {"ModelId": "meta.llama3-1-8b-instruct-v1:0", "Body": {"text": "a"}})}
    )

    run = rehearsal.run("M", {})

    assert run.error == "Bedrock.ValidationException"
    assert "Malformed input request" in str(run.cause)


def test_handlers_reach_the_simulated_bedrock() -> None:
    def ask(event: Any, context: object) -> list[Any]:
        runtime = boto3.client("bedrock-runtime")
        messages = [{"role": "user", "content": [{"text": PROMPT}]}]
        said = runtime.converse(modelId=MICRO, messages=messages)["output"]["message"]["content"][0]["text"]
        body = json.dumps({"messages": messages})
        invoked = json.loads(runtime.invoke_model(modelId=MICRO, body=body)["body"].read())
        try:
            runtime.converse(modelId=f"{MICRO}:128k", messages=messages)
        except runtime.exceptions.ValidationException as error:
            refused = error.response["Error"]["Message"]
        return [said, invoked["stopReason"], refused]

    machine = single("lambda:invoke", {"FunctionName": "ask"}, Output="{% $states.result.Payload %}")
    run = Rehearsal.from_definitions({"M": machine}, handlers={"ask": ask}).run("M", {})

    assert run.output == [PROMPT, "end_turn", "The provided model identifier is invalid."]


def test_a_profile_of_the_accounts_own_answers_as_the_model_behind_it() -> None:
    create = single("aws-sdk:bedrock:createInferenceProfile", "{% $states.input %}")
    rehearsal = Rehearsal.from_definitions({"M": CONVERSE, "Create": create})
    source = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0"
    request = {"InferenceProfileName": "support", "ModelSource": {"CopyFrom": source}}
    profile = rehearsal.run("Create", request).output["InferenceProfileArn"]
    messages = [{"Role": "user", "Content": [{"Text": PROMPT}]}]

    assert ":application-inference-profile/" in profile
    run = rehearsal.run("M", {"ModelId": profile, "Messages": messages})
    assert run.output["Output"]["Message"]["Content"] == [{"Text": PROMPT}]
    assert rehearsal.run("Create", request).error == "Bedrock.ConflictException"
    unknown = {"InferenceProfileName": "other", "ModelSource": {"CopyFrom": source.replace("micro", "nano")}}
    assert rehearsal.run("Create", unknown).error == "Bedrock.ValidationException"
    assert rehearsal.run("M", {"ModelId": f"{profile}0", "Messages": messages}).status == "FAILED"
