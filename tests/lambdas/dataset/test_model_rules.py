import pytest

from bedrock_customization.models.catalogue import catalogue
from dataset.check import check_files
from dataset.rules import ModelRules


def pair(number, words=1):
    return {"prompt": f"Question {number} " + "word " * words, "completion": f"Answer {number}"}


def kinds(report):
    return {finding.kind: finding.severity for finding in report.findings.all()}


@pytest.mark.parametrize(
    ("training", "validation", "expected"),
    [
        (7, 0, {"tooFewRecords": "error"}),
        (6, 2, {}),
        (8, 0, {}),
        (10, 0, {}),
        (8, 2, {}),
        (8, 3, {"tooManyRecords": "error"}),
    ],
)
def test_training_and_validation_records_are_counted_together(write, training, validation, expected):
    rules = ModelRules(minimum_records=8, maximum_records=10)
    files = {"training": write(*map(pair, range(training)), name="t.jsonl")}
    if validation:
        files["validation"] = write(*map(pair, range(100, 100 + validation)), name="v.jsonl")
    assert kinds(check_files(**files, rules=rules)) == expected


def test_tokens_are_estimated_at_six_characters(write):
    rules = ModelRules(schemas=("prompt-completion",), tokens_per_record=3)
    exact = {"prompt": "a" * 12, "completion": "b" * 6}
    more = {"prompt": "a" * 12, "completion": "b" * 7}
    report = check_files(training=write(exact, more), rules=rules)
    (finding,) = report.findings.all()
    assert (finding.kind, finding.lines) == ("tooManyTokens", [2])
    assert report.files["training"]["estimatedTokens"] == 3 + 4
    assert report.files["training"]["largestRecordTokens"] == 4


def test_reserved_words_are_found_in_every_text(write):
    rules = ModelRules(schemas=("bedrock-conversation-2024",), reserved_words=("User:", "[EOS]"))

    def record(system, user, assistant):
        return {
            "schemaVersion": "bedrock-conversation-2024",
            "system": [{"text": system}],
            "messages": [
                {"role": "user", "content": [{"text": user}]},
                {"role": "assistant", "content": [{"text": assistant}]},
            ],
        }

    data = write(
        record("fine", "user: fine", "fine 0"),
        record("a User: b", "x", "fine 1"),
        record("fine", "User:", "fine 2"),
        record("fine", "x", "the end[EOS]"),
    )
    (finding,) = check_files(training=data, rules=rules).findings.all()
    assert (finding.kind, finding.severity, finding.lines) == ("reservedWord", "error", [2, 3, 4])
    assert finding.details == ["'User:'", "'User:'", "'[EOS]'"]


def test_a_validation_set_that_the_model_does_not_take_is_an_error(write):
    rules = ModelRules(validation_allowed=False)
    files = {"training": write(pair(1), name="t.jsonl"), "validation": write(pair(2), name="v.jsonl")}
    assert kinds(check_files(**files, rules=rules)) == {"validationNotAllowed": "error"}


def test_the_strictest_rule_of_several_models_counts():
    first = {
        "schema": "prompt-completion",
        "records": {"min": 8, "max": 20000},
        "tokensPerRecord": 32000,
        "reservedWords": ["User:", "Bot:"],
        "validationData": True,
    }
    second = {
        "schema": "prompt-completion",
        "records": {"min": 100, "max": 10000},
        "tokensPerRecord": 16000,
        "reservedWords": ["Bot:", "[EOS]"],
        "validationData": False,
    }
    rules = ModelRules.from_catalogue([first, second])
    assert rules.schemas == ("prompt-completion",)
    assert (rules.minimum_records, rules.maximum_records, rules.tokens_per_record) == (100, 10000, 16000)
    assert rules.reserved_words == ("User:", "Bot:", "[EOS]")
    assert not rules.validation_allowed


def test_models_that_want_different_schemas_cannot_share_a_file(write):
    entries = [{"schema": "prompt-completion"}, {"schema": "bedrock-conversation-2024"}]
    report = check_files(training=write(pair(1)), rules=ModelRules.from_catalogue(entries))
    assert kinds(report) == {"schemaConflict": "error"}


@pytest.mark.parametrize(
    ("customization_type", "schema"),
    [
        ("FINE_TUNING", "prompt-completion"),
        ("CONTINUED_PRE_TRAINING", "input"),
        ("DISTILLATION", "bedrock-conversation-2024"),
        ("REINFORCEMENT_FINE_TUNING", "chat"),
    ],
)
def test_the_customization_type_decides_the_schema(customization_type, schema):
    assert ModelRules.from_catalogue([{"schema": "prompt-completion"}], customization_type).schemas == (schema,)


@pytest.mark.parametrize(
    ("customization_type", "record"),
    [
        (
            "DISTILLATION",
            {
                "schemaVersion": "bedrock-conversation-2024",
                "messages": [{"role": "user", "content": [{"text": "a"}]}],
            },
        ),
        ("REINFORCEMENT_FINE_TUNING", {"messages": [{"role": "user", "content": "a"}], "reference_answer": {"x": 4}}),
    ],
)
def test_prompts_need_no_answer_where_others_give_it(write, customization_type, record):
    rules = ModelRules.from_catalogue([], customization_type)
    assert kinds(check_files(validation=write(record), rules=rules)) == {}


def test_an_unknown_schema_in_the_catalogue_is_refused_by_name():
    with pytest.raises(ValueError, match="schema: 'csv' is not known"):
        ModelRules.from_catalogue([{"schema": "csv"}])


@pytest.mark.parametrize(
    ("customization_type", "limits"),
    [
        ("FINE_TUNING", (8, 20_000)),
        ("CONTINUED_PRE_TRAINING", (None, 100_000)),
        ("REINFORCEMENT_FINE_TUNING", (100, 20_000)),
    ],
)
def test_some_customization_types_have_limits_of_their_own(customization_type, limits):
    rules = ModelRules.from_catalogue([{"records": {"min": 8, "max": 20_000}}], customization_type)
    assert (rules.minimum_records, rules.maximum_records) == limits


@pytest.mark.parametrize("identifier", catalogue())
def test_every_schema_of_the_catalogue_is_known(identifier):
    assert ModelRules.from_catalogue([catalogue()[identifier]]).schemas
