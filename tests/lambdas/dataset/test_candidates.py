import pytest

from dataset.candidates import base_models, plan_candidates, problems_with_serving, trained

MODELS = {
    "nova:0:128k": {"inferenceId": "us.nova:0", "serving": ["on-demand", "provisioned"]},
    "llama:0:128k": {"inferenceId": "us.llama:0", "serving": ["provisioned"]},
}


def plan(serving="automatic", **execution_input):
    return plan_candidates({"baseModelIdentifier": "nova:0:128k", **execution_input}, MODELS, serving)


def test_without_candidates_the_input_is_the_only_one():
    assert plan(hyperParameters={"epochCount": "2"}) == [
        {
            "name": "custom",
            "field": "",
            "baseModelIdentifier": "nova:0:128k",
            "inferenceModelId": "us.nova:0",
            "customizationType": "FINE_TUNING",
            "hyperParameters": {"epochCount": "2"},
            "customizationConfig": {},
            "serving": "on-demand",
            "customModelArn": None,
        }
    ]


def test_a_candidate_takes_what_it_leaves_out_from_the_input():
    first, second = plan(
        hyperParameters={"epochCount": "2", "batchSize": "1"},
        candidates=[{"hyperParameters": {"epochCount": "3"}}, {"baseModelIdentifier": "llama:0:128k"}],
    )
    assert (first["name"], first["hyperParameters"]) == ("custom-1", {"epochCount": "3", "batchSize": "1"})
    assert (second["name"], second["inferenceModelId"]) == ("custom-2", "us.llama:0")
    assert second["hyperParameters"] == {"epochCount": "2", "batchSize": "1"}


@pytest.mark.parametrize(
    ("base", "serving", "expected"),
    [
        ("nova:0:128k", "automatic", "on-demand"),
        ("llama:0:128k", "automatic", "provisioned"),
        ("llama:0:128k", "on-demand", "on-demand"),
        ("unknown", "provisioned", "provisioned"),
        ("unknown", "automatic", None),
    ],
)
def test_how_a_candidate_is_served(base, serving, expected):
    (candidate,) = plan(serving, baseModelIdentifier=base)
    assert candidate["serving"] == expected


def test_an_unknown_model_is_asked_without_the_length_of_its_context():
    assert plan("on-demand", baseModelIdentifier="vendor.model-v1:0:32k")[0]["inferenceModelId"] == "vendor.model-v1:0"


def test_each_base_model_is_compared_once_the_first_being_the_baseline():
    candidates = plan(candidates=[{}, {"baseModelIdentifier": "llama:0:128k"}, {}])
    assert base_models(candidates[:1]) == [{"name": "base", "modelId": "us.nova:0"}]
    assert base_models(candidates) == [
        {"name": "base-1", "modelId": "us.nova:0"},
        {"name": "base-2", "modelId": "us.llama:0"},
    ]


def problems(candidates):
    return list(problems_with_serving(candidates, MODELS))


def test_serving_that_the_model_lacks_is_refused():
    (sentence,) = problems(plan("on-demand", baseModelIdentifier="llama:0:128k"))
    assert sentence.startswith("baseModelIdentifier: custom models of 'llama:0:128k' cannot be served on-demand, only")
    (sentence,) = problems(plan(baseModelIdentifier="unknown"))
    assert sentence.startswith("baseModelIdentifier: 'unknown' is not in the catalogue of models")
    assert problems(plan()) == []


ARN = "arn:aws:bedrock:us-west-2:123456789012:custom-model/llama:0:128k/abcdef012345"


def test_a_model_that_exists_is_served_as_its_own_base_model_and_not_trained():
    first, second = plan(candidates=[{"customModelArn": ARN}, {}])
    assert (first["customizationType"], first["serving"], first["customModelArn"]) == ("IMPORTED", "provisioned", ARN)
    assert first["inferenceModelId"] == "us.nova:0"
    assert trained([first, second]) == [second]


def test_the_base_model_of_the_comparison_can_be_given():
    (candidate,) = plan("on-demand", baseModelIdentifier="new:0:9k", baseInferenceModelIdentifier="eu.new")
    assert candidate["inferenceModelId"] == "eu.new"
    given = [{"baseModelIdentifier": "llama:0:128k"}]
    (candidate,) = plan("provisioned", baseInferenceModelIdentifier="eu.new", candidates=given)
    assert candidate["inferenceModelId"] == "us.llama:0"


def test_a_custom_model_of_an_unknown_base_model_needs_one_to_be_compared_with():
    arn = "arn:aws:bedrock:us-west-2:123456789012:custom-model/imported/abcdef012345"
    (sentence,) = problems(plan("on-demand", baseModelIdentifier=arn))
    assert sentence.startswith("baseInferenceModelIdentifier: missing.")


def test_more_models_than_an_evaluation_compares_are_refused():
    candidates = [{"baseModelIdentifier": f"new-{number}"} for number in range(6)]
    (sentence,) = problems(plan("on-demand", candidates=candidates))
    assert sentence.startswith("candidates: with their base models these are 12 models; an evaluation compares at most")
