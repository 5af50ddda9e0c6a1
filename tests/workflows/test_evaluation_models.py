"""Which models an evaluation takes: asked by Converse or InvokeModel, or with their answers in the data."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bedrock_customization import EvaluationWorkflow
from bedrock_customization.schemas import schema
from tests.workflows.evaluations import BASE, CUSTOM, MODELS, evaluation, let_models_answer, make_workflow, records

NOVA = {
    "bodyTemplate": {
        "system": [{"text": "Answer in English. {system}"}],
        "messages": [{"role": "user", "content": [{"text": "Task: {prompt}"}]}],
        "inferenceConfig": {"maxTokens": "{maxTokens}", "temperature": "{temperature}"},
    },
    "answerPath": "output.message.content[0].text",
    "stopReasonPath": "stopReason",
}


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> EvaluationWorkflow:
    return make_workflow(tmp_path_factory.mktemp("cdk.out"))


def refused(workflow: EvaluationWorkflow, models: Any, **changes: Any) -> str:
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run(records(3), models, **changes)
    assert (run.status, run.error) == ("FAILED", "InvalidInput")
    assert "CheckModels" not in run.states
    return json.loads(run.cause)["errorMessage"]


@pytest.mark.parametrize(
    ("models", "baseline", "message"),
    [
        (MODELS, "bse", "baseline: must be the name of one of the models, base, custom, got 'bse'."),
        (MODELS, ["base", "bse"], "baseline: must be the name of one of the models, base, custom, got 'bse'."),
        (MODELS, ["base", "base"], "baseline: must not have the same entry twice"),
        (MODELS, [], "baseline: must have at least 1 entry"),
        (MODELS, 7, "baseline: must be a text or a list"),
        ([*MODELS, MODELS[0]], "base", "models[2].name: 'base' is there twice."),
        ([{"name": f"m{n}", "modelId": BASE} for n in range(11)], "m0", "models: must have at most 10 entries"),
        ([], "base", "models: must have at least 1 entry"),
        ([{"name": "a b", "modelId": BASE}], "a b", "models[0].name: "),
        ([{"name": "base", "modelId": "my model"}], "base", "models[0].modelId: "),
        ([{"name": "base", "invokeModel": NOVA}], "base", "'modelId' is a dependency of 'invokeModel'"),
    ],
)
def test_models_that_do_not_fit_are_refused_by_field(
    workflow: EvaluationWorkflow, models: Any, baseline: Any, message: str
) -> None:
    assert message in refused(workflow, models, baseline=baseline)


def test_one_model_alone_is_scored(workflow: EvaluationWorkflow) -> None:
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run(records(12), MODELS[:1])
    assert run.status == "SUCCEEDED", run.cause
    assert (run.output["verdict"], run.output["winner"], run.output["candidates"]) == ("INCONCLUSIVE", None, [])
    assert run.output["counted"] == 12
    assert set(run.output["scores"]["base"]) == {"token_f1", "exact_match"}


def test_of_ten_models_the_best_that_passes_wins(workflow: EvaluationWorkflow, monkeypatch: pytest.MonkeyPatch) -> None:
    data = records(40)
    right = {record["prompt"]: record["completion"].split() for record in data}
    known = {f"us.amazon.nova-{size}-v1:0": words for words, size in enumerate(["micro", "lite", "pro"], 2)}

    def answer(model: str, prompt: str) -> str:
        return " ".join(right.get(prompt, ["yes"])[: known.get(model, 1)])

    let_models_answer(monkeypatch, answer)
    models = [*MODELS[:1], *({"name": f"m{n}", "modelId": model} for n, model in enumerate(known))]
    models += [{"name": f"same{n}", "modelId": BASE} for n in range(6)]
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run(data, models)
        results = rehearsed.results()
    assert (run.output["verdict"], run.output["winner"]) == ("BETTER", "m2")
    assert len(run.output["candidates"]) == 9
    assert results["interval"]["confidence"] == pytest.approx(1 - 0.05 / 9)
    Draft202012Validator(schema("evaluation-output")).validate(run.output)


def test_given_answers_are_scored_without_asking_anybody(
    workflow: EvaluationWorkflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = let_models_answer(monkeypatch, lambda model, prompt: "no")
    data = records(30)
    for number, record in enumerate(data):
        words = record["completion"].split()
        record["responses"] = {"ours": {"text": record["completion"], "stopReason": "end_turn"}, "extra": "not wanted"}
        record["responses"]["theirs"] = " ".join(words[:4] + words[6:])
        if number % 2:
            del record["prompt"]
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run(data, [{"name": "theirs"}, {"name": "ours"}])
        report = rehearsed.read("report.html")
    assert run.status == "SUCCEEDED", run.cause
    assert calls == []
    assert {"CheckModels", "GenerateResponses"}.isdisjoint(run.states)
    assert (run.output["verdict"], run.output["winner"], run.output["counted"]) == ("BETTER", "ours", 30)
    assert run.output["scores"]["ours"] == {"token_f1": 1, "exact_match": 1}
    assert "there is none in the data" in report
    assert "(not found)" not in report


def test_a_given_answer_that_is_missing_or_cut_off_counts_against_the_coverage(workflow: EvaluationWorkflow) -> None:
    data = [
        record | {"responses": {"a": "x " + record["completion"], "b": record["completion"]}} for record in records(30)
    ]
    del data[3]["responses"]["b"]
    data[4]["responses"]["a"] = {"text": "cut", "stopReason": "max_tokens"}
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run(data, [{"name": "a"}, {"name": "b"}])
        results = rehearsed.results()
    assert (run.output["verdict"], run.output["counted"]) == ("INCONCLUSIVE", 28)
    assert results["problems"] == {"a": {"max_tokens": 1}, "b": {"missing": 1}}


def test_answers_of_a_model_that_nobody_gave_are_refused(workflow: EvaluationWorkflow) -> None:
    data = [record | {"responses": {"ours": record["completion"]}} for record in records(5)]
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run(data, [{"name": "ours"}, {"name": "theirs"}])
    assert run.error == "InvalidData"
    assert "noAnswers: 'theirs' has no modelId and no record has its answer; there are answers of ours" in run.cause


def test_given_answers_are_compared_with_a_model_that_is_asked(
    workflow: EvaluationWorkflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = let_models_answer(monkeypatch, lambda model, prompt: "no idea")
    data = [record | {"responses": {"ours": record["completion"], "base": "never"}} for record in records(20)]
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run(data, [MODELS[0], {"name": "ours"}])
        rows = rehearsed.rows()
    assert (run.output["verdict"], run.output["winner"]) == ("BETTER", "ours")
    assert len(calls) == 21
    assert {row["responses"]["base"]["text"] for row in rows} == {"no idea"}


def test_a_model_is_asked_by_invoke_model_the_same_record(
    workflow: EvaluationWorkflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies: list[dict[str, Any]] = []
    from bedrock_customization.rehearsal.services.bedrock import inference

    def invoke(request: dict[str, Any], provider: str, _: Any) -> dict[str, Any]:
        body = json.loads(request["body"])
        bodies.append(body)
        text = body["messages"][0]["content"][0]["text"].removeprefix("Task: ")
        return {
            "body": json.dumps({"output": {"message": {"content": [{"text": text}]}}, "stopReason": "stop"}).encode(),
            "contentType": "application/json",
        }

    monkeypatch.setattr(inference, "invoke", invoke)
    let_models_answer(monkeypatch, lambda model, prompt: prompt)
    texts = ['"quoted" \\ and\nbroken {system} {prompt} $1 \u0001 caf\u00e9 \U0001f600', "plain"]
    data = [{"prompt": f"{text} {n}", "completion": f"{text} {n}"} for n in range(10) for text in texts]
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run(data, [MODELS[0], {"name": "other", "modelId": CUSTOM, "invokeModel": NOVA}])
        rows = rehearsed.rows()
    assert run.status == "SUCCEEDED", run.cause
    assert run.output["scores"]["base"] == run.output["scores"]["other"] == {"token_f1": 1, "exact_match": 1}
    asked = {body["messages"][0]["content"][0]["text"] for body in bodies[1:]}
    assert asked == {f"Task: {record['prompt']}" for record in data}
    assert bodies[1]["system"] == [{"text": "Answer in English. "}]
    assert bodies[1]["inferenceConfig"] == {"maxTokens": 512, "temperature": 0}
    assert rows[0]["responses"]["other"] == {"text": rows[0]["references"][0], "stopReason": "end_turn"}


CHAT = {
    "bodyTemplate": {
        "messages": "{messages}",
        "max_tokens": "{maxTokens}",
        "temperature": "{temperature}",
        "system": "{system}",
    },
    "answerPath": "choices[0].message.content",
    "stopReasonPath": "choices[0].finish_reason",
}


def test_a_conversation_is_asked_by_invoke_model(workflow: EvaluationWorkflow, monkeypatch: pytest.MonkeyPatch) -> None:
    from bedrock_customization.rehearsal.services.bedrock import inference

    bodies: list[dict[str, Any]] = []

    def invoke(request: dict[str, Any], provider: str, _: Any) -> dict[str, Any]:
        bodies.append(json.loads(request["body"]))
        choice = {"message": {"content": "cut"}, "finish_reason": "length" if len(bodies) > 1 else "stop"}
        return {"body": json.dumps({"choices": [choice]}).encode(), "contentType": "application/json"}

    monkeypatch.setattr(inference, "invoke", invoke)
    turns = [("user", "Hi"), ("assistant", "Hello"), ("user", "And?"), ("assistant", "Done")]
    data = [
        {
            "schemaVersion": "bedrock-conversation-2024",
            "system": [{"text": "Be brief."}],
            "messages": [{"role": role, "content": [{"text": text}]} for role, text in turns],
        }
    ]
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run(data, [{"name": "chat", "modelId": CUSTOM, "invokeModel": CHAT}])
        (row,) = rehearsed.rows()
    assert run.status == "SUCCEEDED", run.cause
    assert bodies[1] == {
        "messages": [{"role": role, "content": text} for role, text in turns[:-1]],
        "max_tokens": 512,
        "temperature": 0,
        "system": "Be brief.",
    }
    assert row["responses"]["chat"] == {"text": "cut", "stopReason": "length"}
    assert run.output["counted"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bodyTemplate": {"max": "{maxTokens}", "t": "{temperature}"}}, "has no place for the record"),
        ({"bodyTemplate": {"prompt": "{prompt}", "max": "{maxTokens}"}}, "has no '\"{temperature}\"'"),
        ({"bodyTemplate": {"a": "{prompt}", "m": "say {maxTokens}", "t": "{temperature}"}}, "within a text"),
        ({"bodyTemplate": NOVA["bodyTemplate"] | {"{prompt}": 1}}, "placeholder in the name of a field"),
        ({"bodyTemplate": NOVA["bodyTemplate"] | {"x": "{messages}"}}, "has both '{prompt}' and '{messages}'"),
        ({"bodyTemplate": NOVA["bodyTemplate"] | {"p": "{topP}"}}, "sets no top_p"),
        ({"bodyTemplate": NOVA["bodyTemplate"] | {"x": "x" * 40_000}}, "at most 30000"),
        ({"answerPath": "a..b"}, "models[1].invokeModel.answerPath: "),
        ({"stopReasonPath": None}, "models[1].invokeModel.stopReasonPath: "),
    ],
)
def test_a_body_template_that_cannot_work_is_refused(
    workflow: EvaluationWorkflow, change: dict[str, Any], message: str
) -> None:
    models = [MODELS[0], {"name": "other", "modelId": CUSTOM, "invokeModel": NOVA | change}]
    assert message in refused(workflow, models)


def test_an_answer_path_that_leads_nowhere_stops_the_run_before_the_records(workflow: EvaluationWorkflow) -> None:
    model = {"name": "other", "modelId": CUSTOM, "invokeModel": NOVA | {"answerPath": "results[0].outputText"}}
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run(records(3), [MODELS[0], model])
    assert (run.status, run.error) == ("FAILED", "InvalidInput")
    assert "invokeModel.answerPath of the model other" in run.cause
    assert "output" in run.cause
    assert "GenerateResponses" not in run.states


def test_records_that_a_body_template_cannot_hold_are_named(workflow: EvaluationWorkflow) -> None:
    template = {"prompt": "{prompt}", "max_tokens": "{maxTokens}", "temperature": "{temperature}"}
    model = {"name": "other", "modelId": CUSTOM, "invokeModel": NOVA | {"bodyTemplate": template}}
    turns = [("user", "Hi"), ("assistant", "Hello"), ("user", "And?"), ("assistant", "Done")]
    several = {"messages": [{"role": role, "content": [{"text": text}]} for role, text in turns]}
    with_system = several | {"messages": several["messages"][2:], "system": [{"text": "Be brief."}]}
    with evaluation(workflow) as rehearsed:
        run = rehearsed.run([*records(3), several, with_system], [MODELS[0], model])
    assert run.error == "InvalidData"
    assert "templateTurns, 1 time: line 4: several turns, but the body template of other takes one" in run.cause
    assert "templateSystem, 1 time: line 5" in run.cause


def test_with_several_baselines_a_candidate_has_to_be_better_than_every_one(workflow: EvaluationWorkflow) -> None:
    data = records(30)
    for record in data:
        words = record["completion"].split()
        answers = {"weak": words[:2], "strong": words[:6], "like-strong": words[:6], "good": words[:8], "best": words}
        record["responses"] = {model: " ".join(answer) for model, answer in answers.items()}
    with evaluation(workflow) as rehearsed:

        def compare(*names: str) -> Any:
            models = [{"name": name} for name in ("weak", "strong", *names)]
            run = rehearsed.run(data, models, baseline=["weak", "strong"])
            assert run.status == "SUCCEEDED", run.cause
            Draft202012Validator(schema("evaluation-output")).validate(run.output)
            return run.output

        lost = compare("like-strong")
        assert (lost["verdict"], lost["winner"], lost["baseline"]) == ("NOT_BETTER", None, ["weak", "strong"])
        assert [(c["name"], c["baseline"]) for c in lost["candidates"]] == [("like-strong", "strong")]
        won = compare("like-strong", "good", "best")
        assert (won["verdict"], won["winner"]) == ("BETTER", "best")
        assert {c["baseline"] for c in won["candidates"]} == {"strong"}
