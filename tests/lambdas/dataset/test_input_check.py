import pytest

from dataset.input_check import problems_with_input

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["baseModelIdentifier", "customModelName"],
    "properties": {
        "baseModelIdentifier": {
            "type": "string",
            "description": "The model to customize, such as amazon.nova-lite-v1:0",
        },
        "customModelName": {
            "type": "string",
            "pattern": "^[0-9a-zA-Z]+(-[0-9a-zA-Z]+)*$",
            "maxLength": 40,
            "description": "Letters and digits, with single hyphens between them.",
        },
        "customizationType": {"enum": ["FINE_TUNING", "DISTILLATION"]},
        "hyperParameters": {"type": "object", "additionalProperties": {"type": "string"}},
        "candidates": {
            "type": "array",
            "minItems": 1,
            "maxItems": 2,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"hyperParameters": {"$ref": "#/properties/hyperParameters"}},
            },
        },
        "trainingDataKey": {"description": "The key of the training data.", "$ref": "#/$defs/key"},
        "serving": {
            "oneOf": [
                {"type": "object", "properties": {"modelUnits": {"type": "integer", "minimum": 1}}},
                {"const": "on-demand"},
            ]
        },
    },
    "$defs": {"key": {"type": "string", "minLength": 1, "pattern": "^[a-z.]+$"}},
}
GOOD = {"baseModelIdentifier": "amazon.nova-lite-v1:0:300k", "customModelName": "summaries-1"}

PROBLEMS = [
    (
        {"customModelNme": "x"},
        "customModelNme: unknown field. Allowed: baseModelIdentifier, customModelName, customizationType, "
        "hyperParameters, candidates, trainingDataKey, serving. Did you mean customModelName?",
    ),
    (
        {"customModelName": "my_model"},
        'customModelName: must match ^[0-9a-zA-Z]+(-[0-9a-zA-Z]+)*$, got "my_model". '
        "Letters and digits, with single hyphens between them.",
    ),
    (
        {"customModelName": "name\n"},
        'customModelName: must match ^[0-9a-zA-Z]+(-[0-9a-zA-Z]+)*$, got "name\\n". '
        "Letters and digits, with single hyphens between them.",
    ),
    (
        {"customModelName": "x" * 41},
        f'customModelName: must have at most 40 characters, got "{"x" * 41}". '
        "Letters and digits, with single hyphens between them.",
    ),
    (
        {"customizationType": "finetuning"},
        'customizationType: must be one of "FINE_TUNING", "DISTILLATION", got "finetuning". Did you mean FINE_TUNING?',
    ),
    (
        {"hyperParameters": {"epochCount": 3.0}},
        'hyperParameters.epochCount: must be a text, got 3.0. Write it in quotes: "3".',
    ),
    (
        {"hyperParameters": {"epochCount": 3}},
        'hyperParameters.epochCount: must be a text, got 3. Write it in quotes: "3".',
    ),
    (
        {"candidates": [{}, {"hyperParameter": {}}]},
        "candidates[1].hyperParameter: unknown field. Allowed: hyperParameters. Did you mean hyperParameters?",
    ),
    (
        {"trainingDataKey": "my data"},
        'trainingDataKey: must match ^[a-z.]+$, got "my data". The key of the training data.',
    ),
    ({"candidates": []}, "candidates: must have at least 1 entry, got []."),
    ({"candidates": {}}, "candidates: must be a list, got {}."),
    ({"serving": {"modelUnits": 0}}, "serving.modelUnits: must be at least 1, got 0."),
]


def test_a_good_input_has_no_problem():
    assert problems_with_input(GOOD, SCHEMA) == []


@pytest.mark.parametrize(("change", "sentence"), PROBLEMS)
def test_a_problem_names_the_field_what_was_wrong_what_was_got_and_the_remedy(change, sentence):
    assert problems_with_input({**GOOD, **change}, SCHEMA) == [sentence]


def test_a_missing_field_is_described():
    assert problems_with_input({"customModelName": "a"}, SCHEMA) == [
        "baseModelIdentifier: missing. Add it: The model to customize, such as amazon.nova-lite-v1:0."
    ]


def test_all_problems_are_named_at_once():
    sentences = problems_with_input({"customModelName": "a_b", "epochs": 3, "tags": []}, SCHEMA)
    names = sorted(sentence.split(":")[0] for sentence in sentences)
    assert names == ["baseModelIdentifier", "customModelName", "epochs", "tags"]


@pytest.mark.parametrize("value", [None, [], "text", 3])
def test_an_input_that_is_no_object_is_refused(value):
    (sentence,) = problems_with_input(value, SCHEMA)
    assert sentence.startswith("input: must be an object, got ")


def test_values_are_cut():
    (sentence,) = problems_with_input({**GOOD, "customizationType": "x" * 100_000}, SCHEMA)
    assert len(sentence) < 300
