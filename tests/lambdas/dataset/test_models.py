import pytest

from dataset.candidates import plan_candidates
from dataset.models import problems_with_models, unknown_models

NOVA = {
    "inferenceId": "us.nova",
    "lifecycle": "ACTIVE",
    "regions": ["us-east-1"],
    "customizationTypes": ["FINE_TUNING", "DISTILLATION"],
    "validationData": True,
    "hyperParameters": {
        "epochCount": {"type": "integer", "min": 1, "max": 5, "default": 2},
        "learningRate": {"type": "number", "min": 1e-6, "max": 1e-4, "default": 1e-5},
    },
}
LLAMA = NOVA | {
    "inferenceId": "us.llama",
    "regions": ["us-west-2"],
    "validationData": False,
    "hyperParameters": {
        "epochCount": {"type": "integer", "min": 1, "max": 10},
        "batchSize": {"type": "integer", "min": 1, "max": 1},
        "stepCount": {"type": "integer", "min": 10, "max": 40000, "values": ["auto"]},
    },
}
TITAN = {"inferenceId": "titan", "lifecycle": "END_OF_LIFE", "replacement": "nova"}
MODELS = {"nova": NOVA, "llama": LLAMA, "titan": TITAN}


def problems(region=None, **execution_input):
    candidates = plan_candidates(execution_input, MODELS, "on-demand")
    return problems_with_models(execution_input, candidates, MODELS, region)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("epochCount", "1", None),
        ("epochCount", "5", None),
        ("epochCount", "0", "a whole number from 1 to 5"),
        ("epochCount", "6", "a whole number from 1 to 5"),
        ("epochCount", "2.5", "a whole number from 1 to 5"),
        ("epochCount", "two", "a whole number from 1 to 5"),
        ("learningRate", "0.00001", None),
        ("learningRate", "1e-5", None),
        ("learningRate", "0.1", "a number from 1e-06 to 0.0001"),
        ("learningRate", "nan", "a number from 1e-06 to 0.0001"),
        ("learningRate", "1E-05", None),
        ("learningRate", ".00001", None),
        ("learningRate", "1_0e-6", "a number from 1e-06 to 0.0001"),
        ("learningRate", "1e-5 ", "a number from 1e-06 to 0.0001"),
        ("learningRate", "0,00001", "a number from 1e-06 to 0.0001"),
        ("learningRate", "1e-5\n", "a number from 1e-06 to 0.0001"),
        ("learningRate", "1e999", "a number from 1e-06 to 0.0001"),
        ("epochCount", "2.0", "a whole number from 1 to 5"),
        ("epochCount", "2e0", "a whole number from 1 to 5"),
        ("epochCount", " 2", "a whole number from 1 to 5"),
        ("epochCount", "\u0662", "a whole number from 1 to 5"),
        ("epochCount", "", "a whole number from 1 to 5"),
    ],
)
def test_a_hyperparameter_has_to_be_in_its_range(name, value, rule):
    default = {"epochCount": 2, "learningRate": 1e-05}[name]
    expected = f"hyperParameters.{name}: must be {rule} for 'nova', got {value!r}. The default is {default}."
    assert problems(baseModelIdentifier="nova", hyperParameters={name: value}) == ([expected] if rule else [])


def test_values_beside_the_range_are_allowed():
    assert problems(baseModelIdentifier="llama", hyperParameters={"stepCount": "auto"}) == []
    assert problems(baseModelIdentifier="llama", hyperParameters={"stepCount": "all", "batchSize": "2"}) == [
        "hyperParameters.stepCount: must be a whole number from 10 to 40000 or auto for 'llama', got 'all'.",
        "hyperParameters.batchSize: must be a whole number that is 1 for 'llama', got '2'.",
    ]


def test_an_unknown_hyperparameter_is_named_with_those_that_there_are():
    assert problems(baseModelIdentifier="nova", hyperParameters={"EpochCounts": "2", "evalPercentage": "20"}) == [
        "hyperParameters.EpochCounts: 'nova' does not know it. Allowed: epochCount, learningRate. "
        "Did you mean epochCount?",
        "hyperParameters.evalPercentage: 'nova' does not know it. Allowed: epochCount, learningRate. Remove it.",
    ]


def test_every_candidate_is_checked_against_its_own_model():
    found = problems(
        baseModelIdentifier="nova",
        candidates=[
            {"hyperParameters": {"epochCount": "9"}},
            {"hyperParameters": {"epochCount": "9"}, "baseModelIdentifier": "llama"},
            {"hyperParameters": {"epochCount": "11"}, "baseModelIdentifier": "llama"},
        ],
    )
    assert [sentence.split(":")[0] for sentence in found] == [
        "candidates[0].hyperParameters.epochCount",
        "candidates[2].hyperParameters.epochCount",
    ]


def test_a_retired_model_is_refused_with_its_replacement():
    assert problems(baseModelIdentifier="titan") == [
        "baseModelIdentifier: 'titan' is END_OF_LIFE, Bedrock does not customize it any more. Use 'nova' instead."
    ]


def test_a_model_in_another_region_is_refused():
    assert problems("eu-west-1", baseModelIdentifier="nova") == [
        "baseModelIdentifier: 'nova' cannot be customized in eu-west-1, only in us-east-1. Deploy the stack there, or "
        "choose a model that can be customized in eu-west-1."
    ]
    assert problems("us-east-1", baseModelIdentifier="nova") == []


def test_a_customization_type_that_the_model_lacks_is_refused():
    assert problems(baseModelIdentifier="nova", customizationType="CONTINUED_PRE_TRAINING") == [
        "customizationType: 'nova' has no CONTINUED_PRE_TRAINING. Allowed: FINE_TUNING, DISTILLATION."
    ]


def test_a_validation_set_that_the_model_does_not_take_is_refused():
    found = problems(baseModelIdentifier="llama", validationDataKey="v.jsonl")
    assert found == ["validationDataKey: 'llama' takes no validation set. Remove the field."]


def test_an_unknown_model_is_let_through():
    assert problems("eu-west-1", baseModelIdentifier="new", hyperParameters={"anything": "1"}) == []


def test_the_arn_of_a_foundation_model_is_looked_up_as_its_id():
    arn = "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/titan"
    assert problems(baseModelIdentifier=arn) == [
        f"baseModelIdentifier: {arn!r} is END_OF_LIFE, Bedrock does not customize it any more. Use 'nova' instead."
    ]


def test_a_custom_model_is_checked_as_its_base_model():
    arn = "arn:aws:bedrock:us-east-1:123456789012:custom-model/nova/abcdef012345"
    assert problems(baseModelIdentifier=arn, hyperParameters={"epochCount": "9"}) == [
        f"hyperParameters.epochCount: must be a whole number from 1 to 5 for {arn!r}, got '9'. The default is 2."
    ]
    (sentence,) = problems("us-west-2", baseModelIdentifier="nova", customModelArn=arn)
    assert sentence.startswith(f"customModelArn: {arn!r} is in us-east-1, this workflow runs in us-west-2. Copy")


def test_an_id_for_inference_is_refused_with_the_one_for_customization():
    (sentence,) = problems(baseModelIdentifier="us.nova")
    assert sentence == "baseModelIdentifier: 'us.nova' is an id for inference. For customization use 'nova'."


def test_a_model_that_exists_already_is_not_trained_and_not_checked_for_training():
    arn = "arn:aws:bedrock:us-east-1:123456789012:custom-model/nova/abcdef012345"
    assert problems("us-east-1", baseModelIdentifier="titan", customModelArn=arn) == []


GRADER = {"graderConfig": {"lambdaGrader": {"lambdaArn": "arn:aws:lambda:us-east-1:123456789012:function:grade"}}}


def reinforcement(rft=None, **execution_input):
    return problems(
        baseModelIdentifier="new",
        customizationType="REINFORCEMENT_FINE_TUNING",
        customizationConfig={"rftConfig": GRADER | ({"hyperParameters": rft} if rft else {})},
        **execution_input,
    )


def test_hyperparameters_of_reinforcement_are_the_apis_for_every_model():
    assert reinforcement({"epochCount": 2, "learningRate": 1e-5, "reasoningEffort": "low"}) == []
    assert reinforcement({"batchSize": 8}, hyperParameters={"epochCount": "51", "evalPercentage": "20"}) == [
        "customizationConfig.rftConfig.hyperParameters.batchSize: must be a whole number from 16 to 512 for 'new', "
        "got 8.",
        "hyperParameters.epochCount: must be a whole number from 1 to 50 for 'new', got '51'.",
        "hyperParameters.evalPercentage: 'new' does not know it. Allowed: epochCount, batchSize, learningRate, "
        "trainingSamplePerPrompt, evalInterval, maxPromptLength, inferenceMaxTokens, reasoningEffort. Remove it.",
    ]


def test_unknown_models_are_named_with_the_closest_known_one():
    candidates = plan_candidates({"baseModelIdentifier": "lama"}, MODELS, "on-demand")
    assert unknown_models(candidates, MODELS) == ["'lama' is not in the catalogue; did you mean 'llama'"]
    assert unknown_models(plan_candidates({"baseModelIdentifier": "nova"}, MODELS, "on-demand"), MODELS) == []


@pytest.mark.parametrize(
    "identifier",
    ["eu.nova", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.nova", "global.nova"],
)
def test_an_inference_profile_is_refused_with_the_id_for_customization(identifier):
    (sentence,) = problems(baseModelIdentifier=identifier)
    assert sentence == f"baseModelIdentifier: {identifier!r} is an id for inference. For customization use 'nova'."
