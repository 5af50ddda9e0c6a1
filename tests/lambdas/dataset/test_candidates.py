import pytest

from dataset.candidates import base_models, plan_candidates, problems_with_serving

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
            "baseModelIdentifier": "nova:0:128k",
            "inferenceModelId": "us.nova:0",
            "customizationType": "FINE_TUNING",
            "hyperParameters": {"epochCount": "2"},
            "serving": "on-demand",
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


def test_serving_that_the_model_lacks_is_refused():
    (sentence,) = problems_with_serving(plan("on-demand", baseModelIdentifier="llama:0:128k"), MODELS)
    assert sentence.startswith("baseModelIdentifier: custom models of 'llama:0:128k' cannot be served on-demand, only")
    (sentence,) = problems_with_serving(plan(baseModelIdentifier="unknown"), MODELS)
    assert sentence.startswith("baseModelIdentifier: 'unknown' is not in the catalogue of models")
    assert problems_with_serving(plan(), MODELS) == []
