"""Plants each fault in otherwise good data and expects its finding and its line."""

import pytest

from dataset.check import check_files
from dataset.findings import FIXES
from dataset.rules import ModelRules

PAIR = ModelRules(schemas=("prompt-completion",))
CONVERSATION = ModelRules(schemas=("bedrock-conversation-2024",))
CHAT = ModelRules(schemas=("chat",))
INPUT = ModelRules(schemas=("input",))


def pair(number):
    return {"prompt": f"Question {number}", "completion": f"Answer {number}"}


def turn(role, text):
    return {"role": role, "content": [{"text": text}]}


def conversation(*messages, **fields):
    return {"schemaVersion": "bedrock-conversation-2024", "messages": list(messages), **fields}


def holding(block, role="assistant"):
    return {"role": role, "content": [{"text": "a"}, block]}


USER, ASSISTANT = turn("user", "Hello"), turn("assistant", "Good day")
IMAGE = {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://bucket/a.png"}}}}
REASONING = {"reasoningContent": {"reasoningText": {"text": "Hm."}}}

FAULTS = [
    (PAIR, b'{"prompt": "a", "completion": }', "notJson", "error"),
    (PAIR, b'[{"prompt": "a", "completion": "b"}]', "notJson", "error"),
    (PAIR, b'{"prompt": "a", "completion": NaN}', "notJson", "error"),
    (PAIR, b'{"prompt": "a", "prompt": "c", "completion": "b"}', "notJson", "error"),
    (PAIR, b"[" * 100_000, "notJson", "error"),
    (PAIR, b'{"prompt": "a", "completion": "b"', "notJson", "error"),
    (PAIR, b'{"prompt": "a", "completion": "b"}{"prompt": "c"}', "notJson", "error"),
    (PAIR, b'{"prompt": "a\x00", "completion": "b"}', "notJson", "error"),
    (PAIR, b'{"prompt": "a"}\r{"prompt": "b"}', "notJson", "error"),
    (PAIR, b"", "blankLine", "error"),
    (PAIR, b'{"prompt": "\xe9", "completion": "b"}', "encoding", "error"),
    (PAIR, {"prompt": "\ud800", "completion": "b"}, "loneSurrogate", "error"),
    (PAIR, {"prompt": "a"}, "missingField", "error"),
    (PAIR, {"completion": "a"}, "missingField", "error"),
    (PAIR, {"prompt": "a", "completion": 3}, "wrongType", "error"),
    (PAIR, {"prompt": "a", "completion": None}, "wrongType", "error"),
    (PAIR, {"prompt": " \n", "completion": "b"}, "emptyText", "error"),
    (PAIR, {"prompt": "a", "completion": "b", "id": 1}, "unknownField", "warning"),
    (PAIR, conversation(USER, ASSISTANT), "wrongSchema", "error"),
    (PAIR, pair(1), "duplicateRecord", "warning"),
    (PAIR, {"prompt": "question  1!", "completion": "ANSWER 1"}, "nearDuplicateRecord", "warning"),
    (PAIR, {"instruction": "a", "output": "b"}, "unknownSchema", "error"),
    (PAIR, {"input": "a", "output": "b"}, "unknownSchema", "error"),
    (PAIR, {"prompt": "a", "response": "b"}, "unknownSchema", "error"),
    (PAIR, {"Prompt": "a", "Completion": "b"}, "unknownSchema", "error"),
    (PAIR, {"input": "a"}, "wrongSchema", "error"),
    (CONVERSATION, {"messages": [{"role": "user", "content": "a"}]}, "wrongSchema", "error"),
    (CONVERSATION, {"conversations": []}, "unknownSchema", "error"),
    (CONVERSATION, conversation(turn("system", "Be kind."), USER, ASSISTANT), "role", "error"),
    (CONVERSATION, conversation(USER, ASSISTANT, toolConfig={"tools": [{}]}), "unsupportedContent", "error"),
    (CONVERSATION, conversation(USER, holding({"toolUse": {"name": "a"}})), "unsupportedContent", "error"),
    (CONVERSATION, conversation(USER, holding(IMAGE)), "unsupportedContent", "error"),
    (CONVERSATION, conversation(holding(REASONING, role="user"), ASSISTANT), "unsupportedContent", "error"),
    (CONVERSATION, conversation(USER, holding({"reasoningContent": {"text": "a"}})), "missingField", "error"),
    (CONVERSATION, conversation(holding({"image": {"format": "png"}}, role="user"), ASSISTANT), "media", "error"),
    (CONVERSATION, conversation(holding({"image": "a.png"}, role="user"), ASSISTANT), "media", "error"),
    (CONVERSATION, pair(1), "wrongSchema", "error"),
    (CONVERSATION, conversation(), "turnOrder", "error"),
    (CONVERSATION, conversation(ASSISTANT, USER), "turnOrder", "error"),
    (CONVERSATION, conversation(USER), "turnOrder", "error"),
    (CONVERSATION, conversation(USER, USER, ASSISTANT), "turnOrder", "error"),
    (CONVERSATION, conversation(turn("bot", "a"), ASSISTANT), "role", "error"),
    (CONVERSATION, conversation({"content": [{"text": "a"}]}, ASSISTANT), "role", "error"),
    (CONVERSATION, conversation(turn("user", ""), ASSISTANT), "emptyText", "error"),
    (CONVERSATION, conversation({"role": "user", "content": []}, ASSISTANT), "emptyText", "error"),
    (CONVERSATION, conversation({"role": "user"}, ASSISTANT), "missingField", "error"),
    (CONVERSATION, conversation("Hello", ASSISTANT), "wrongType", "error"),
    (CONVERSATION, conversation({"role": "user", "content": ["a"]}, ASSISTANT), "wrongType", "error"),
    (CONVERSATION, conversation({"role": "user", "content": 3}, ASSISTANT), "wrongType", "error"),
    (CONVERSATION, conversation(USER, ASSISTANT, system="Be kind."), "wrongType", "error"),
    (CONVERSATION, conversation(USER, ASSISTANT, system=[{"text": ""}]), "emptyText", "error"),
    (CONVERSATION, conversation(USER, ASSISTANT, tools=[]), "unknownField", "warning"),
    (CONVERSATION, {"messages": [USER, ASSISTANT]}, "schemaVersion", "warning"),
    (CHAT, conversation(USER, ASSISTANT), "wrongSchema", "error"),
    (CHAT, {"messages": [{"role": "user", "content": "a"}]}, "turnOrder", "error"),
    (
        CHAT,
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}]},
        "emptyText",
        "error",
    ),
    (
        CHAT,
        {"messages": [{"role": r, "content": "a"} for r in ("user", "assistant", "system")]},
        "turnOrder",
        "error",
    ),
    (INPUT, {"input": ""}, "emptyText", "error"),
    (INPUT, pair(1), "wrongSchema", "error"),
    (INPUT, {"text": "a"}, "unknownSchema", "error"),
]
GOOD = {
    PAIR: pair,
    CONVERSATION: lambda number: conversation(
        turn("user", f"Question {number}"), ASSISTANT, system=[{"text": "Be kind."}]
    ),
    CHAT: lambda number: {
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": f"Question {number}"},
            {"role": "assistant", "content": "Good day"},
        ]
    },
    INPUT: lambda number: {"input": f"Text {number}"},
}


@pytest.mark.parametrize(("rules", "line", "kind", "severity"), FAULTS)
@pytest.mark.parametrize("file", ["training", "validation"])
def test_a_fault_is_found_on_its_line(write, rules, line, kind, severity, file):
    good = [GOOD[rules](number) for number in range(1, 4)]
    data = write(good[0], good[1], line, good[2])
    report = check_files(**{file: data}, rules=rules)
    (finding,) = report.findings.all()
    assert (finding.file, finding.kind, finding.severity) == (file, kind, severity)
    assert (finding.lines, finding.count) == ([3], 1)
    assert finding.fix == FIXES[kind]


@pytest.mark.parametrize("rules", GOOD)
def test_good_data_has_no_finding(write, rules):
    data = write(*(GOOD[rules](number) for number in range(1, 4)))
    report = check_files(training=data, rules=rules)
    assert report.findings.all() == []
    assert report.records("training") == 3


def test_several_turns_images_and_reasoning_are_good(write):
    data = write(
        conversation(USER, ASSISTANT, turn("user", "And now?"), ASSISTANT),
        conversation(
            {"role": "user", "content": [{"text": "What is this?"}, IMAGE]},
            {"role": "assistant", "content": [REASONING, {"text": "A cat"}]},
        ),
    )
    assert check_files(training=data, rules=CONVERSATION).findings.all() == []


def test_a_byte_order_mark_is_an_error_in_training_data(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"prompt": "a", "completion": "b"}\n')
    (finding,) = check_files(training=path, rules=PAIR).findings.all()
    assert (finding.kind, finding.severity, finding.lines) == ("byteOrderMark", "error", [])


def test_an_empty_file_is_an_error(write):
    assert [finding.kind for finding in check_files(training=write(), rules=PAIR).findings.errors] == ["emptyFile"]


def test_only_the_first_lines_are_kept_and_all_are_counted(write):
    data = write(*([b"broken"] * 50), pair(1))
    (finding,) = check_files(training=data, rules=PAIR).findings.all()
    assert finding.count == 50
    assert finding.lines == [1, 2, 3, 4, 5]


def test_without_a_known_model_the_first_record_decides_the_schema(write):
    data = write(pair(1), conversation(USER, ASSISTANT), pair(2))
    (finding,) = check_files(training=data).findings.all()
    assert (finding.kind, finding.lines) == ("wrongSchema", [2])


def test_without_a_known_model_a_record_of_no_schema_is_named(write):
    (finding,) = check_files(training=write({"question": "a"}, pair(1))).findings.all()
    assert (finding.kind, finding.lines) == ("unknownSchema", [1])


@pytest.mark.parametrize(
    ("rules", "line", "words"),
    [
        (PAIR, {"instruction": "a", "output": "b"}, "this looks like Alpaca's format; fields: instruction, output"),
        (CONVERSATION, {"messages": [{"role": "user", "content": "a"}]}, "this is OpenAI's chat format, not bedrock-"),
        (CONVERSATION, pair(9), 'this is {"prompt", "completion"}, not bedrock-conversation-2024'),
        (PAIR, b'{"prompt": "a", "completion": "b"', "the line ends before the object does"),
        (PAIR, b'{"prompt": "a', "the line ends before the object does"),
        (PAIR, b'{"prompt": "a", "completion": "b"}{}', "something follows the object, at character 35"),
        (
            PAIR,
            b'{"prompt": "a\x00", "completion": "b"}',
            "a control character, U+0000, is not escaped, at character 14",
        ),
        (PAIR, b'{"prompt": "a", "prompt": "b"}', "field 'prompt' is there twice"),
    ],
)
def test_a_fault_is_told_in_words(write, rules, line, words):
    (finding,) = check_files(training=write(GOOD[rules](1), line), rules=rules).findings.all()
    assert finding.details[0].startswith(words)


def test_a_format_of_another_tool_is_named_with_the_field_that_converts_it(write):
    data = write(*({"question": f"Question {n}", "answer": "b"} for n in range(3)))
    (finding,) = check_files(training=data, rules=PAIR).findings.all()
    assert (finding.kind, finding.count, finding.details[0]) == (
        "unknownSchema",
        3,
        "this looks like question and answer; fields: question, answer",
    )
    assert "convertData" in finding.sentence("trainingDataKey")


def test_data_that_are_converted_are_checked_as_what_they_become(write):
    rules = ModelRules(convert_to=("bedrock-conversation-2024",), reserved_words=("User:",), tokens_per_record=10)
    data = write(
        {"question": "Question 1", "answer": "b"},
        {"messages": [{"role": "system", "content": "c"}, {"role": "user", "content": "d"}], "reference_answer": "e"},
        {"question": "User: hello", "answer": "b"},
        pair(4),
        {"input": "unlabelled"},
        {"prompt": "a" * 100, "completion": "b"},
        {"prompt": "a", "chosen": "b", "rejected": "c"},
    )
    report = check_files(training=data, rules=rules)
    assert {finding.kind: finding.lines for finding in report.findings.all()} == {
        "reservedWord": [3],
        "notConvertible": [5, 7],
        "tooManyTokens": [6],
    }
