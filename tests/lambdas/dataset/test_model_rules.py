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
        record("fine", "the user says: fine", "fine 0"),
        record("a User: b", "x", "fine 1"),
        record("fine", "USER:", "fine 2"),
        record("fine", "x", "the end[eos]"),
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


def conversation(number, *blocks, system=("Be kind.",), reasoning=False):
    answer = [{"reasoningContent": {"reasoningText": {"text": "Hm, User: and so on."}}}] if reasoning else []
    return {
        "schemaVersion": "bedrock-conversation-2024",
        "system": [{"text": text} for text in system],
        "messages": [
            {"role": "user", "content": [{"text": f"Question {number}"}, *blocks]},
            {"role": "assistant", "content": [*answer, {"text": f"Answer {number}"}]},
        ],
    }


def medium(kind, form):
    return {kind: {"format": form, "source": {"s3Location": {"uri": f"s3://bucket/a.{form}"}}}}


def checked(write, model, *records, kind="FINE_TUNING"):
    rules = ModelRules.from_catalogue([catalogue()[model]], kind)
    findings = check_files(training=write(*records), rules=rules).findings.all()
    return {finding.kind: (finding.severity, finding.lines, finding.details) for finding in findings}


MICRO, LITE, NOVA_2 = "amazon.nova-micro-v1:0:128k", "amazon.nova-lite-v1:0:300k", "amazon.nova-2-lite-v1:0:256k"
LLAMA = "meta.llama3-2-3b-instruct-v1:0:128k"
VISION = "meta.llama3-2-11b-instruct-v1:0:128k"


@pytest.mark.parametrize(
    ("model", "kind", "form", "refused"),
    [
        (MICRO, "image", "png", "image/png; the model takes text only"),
        (LITE, "image", "webp", None),
        (LITE, "image", "PNG", None),
        (LITE, "document", "pdf", None),
        (NOVA_2, "image", "webp", "image/webp; the model takes image (png, jpeg, gif) and video (mov, mkv, mp4)"),
        (NOVA_2, "video", "mp4", None),
        (VISION, "image", "webp", None),
        (VISION, "video", "mp4", "video/mp4; the model takes image (png, jpeg, gif, webp)"),
        (LLAMA, "image", "png", "image/png; the model takes text only"),
    ],
)
def test_media_are_taken_by_some_models_in_some_formats(write, model, kind, form, refused):
    found = checked(write, model, *map(conversation, range(200)), conversation(900, medium(kind, form)))
    assert found == ({"unsupportedContent": ("error", [201], [refused])} if refused else {})


def test_a_distillation_takes_text_only(write):
    found = checked(
        write, LITE, *map(conversation, range(100)), conversation(900, medium("image", "png")), kind="DISTILLATION"
    )
    assert found["unsupportedContent"][2] == ["image/png; the model takes text only"]


def test_reasoning_is_taken_by_nova_2_only_and_has_no_reserved_words(write):
    records = [*map(conversation, range(200)), conversation(900, reasoning=True)]
    assert set(checked(write, NOVA_2, *records)) == {"reservedWord"}
    found = checked(write, LITE, *records)
    assert found["unsupportedContent"] == ("error", [201], ["reasoningContent, which the model does not take"])


def test_images_and_videos_in_one_file_are_a_warning(write):
    found = checked(
        write, NOVA_2, *map(conversation, range(200)),
        conversation(900, medium("image", "png")), conversation(901, medium("video", "mp4")),
    )  # fmt: skip
    assert found == {"mixedMedia": ("warning", [], ["1 images and 1 videos"])}


def test_llama_takes_one_system_text(write):
    records = [*map(conversation, range(100)), conversation(900, system=("Be kind.", "Be brief."))]
    assert checked(write, LLAMA, *records) == {"systemTexts": ("error", [101], ["2 system texts, at most 1"])}
    assert checked(write, LITE, *records) == {}


def test_llama_is_distilled_on_single_exchanges(write):
    several = conversation(900)
    several["messages"] = several["messages"] * 2
    records = [*map(conversation, range(100)), several]
    assert checked(write, LLAMA, *records, kind="DISTILLATION") == {"severalExchanges": ("error", [101], ["4 turns"])}
    assert checked(write, LLAMA, *records) == {}
    assert checked(write, LITE, *records, kind="DISTILLATION") == {}


@pytest.mark.parametrize(
    ("model", "kind", "least"),
    [
        (LITE, "FINE_TUNING", 8),
        (LITE, "DISTILLATION", 100),
        (NOVA_2, "FINE_TUNING", 200),
        (LLAMA, "FINE_TUNING", 100),
    ],
)
def test_the_fewest_records(write, model, kind, least):
    assert checked(write, model, *map(conversation, range(least)), kind=kind) == {}
    (found,) = checked(write, model, *map(conversation, range(least - 1)), kind=kind).items()
    assert found[0] == "tooFewRecords"
    assert found[1][2] == [f"{least - 1} records in training and validation data, the model needs at least {least}"]


def test_validation_data_have_a_limit_of_their_own(write):
    rules = ModelRules.from_catalogue([catalogue()[LLAMA]])
    training = write(*map(conversation, range(100)), name="t.jsonl")
    validation = write(*map(conversation, range(1000, 2001)), name="v.jsonl")
    (finding,) = check_files(training=training, validation=validation, rules=rules).findings.all()
    assert (finding.file, finding.kind, finding.details) == (
        "validation",
        "tooManyRecords",
        ["1001 records, the model takes at most 1000 in validation data"],
    )


def test_each_character_of_scripts_without_spaces_is_a_token(write):
    record = {"prompt": "\u65e5\u672c\u8a9e" * 4, "completion": "\ud55c\uad6d\uc5b4 abcdef"}
    report = check_files(training=write(record), rules=ModelRules())
    assert report.files["training"]["estimatedTokens"] == 12 + 3 + 2
    assert "6 characters a token" in report.files["training"]["tokenEstimate"]
