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


USER, ASSISTANT = turn("user", "Hello"), turn("assistant", "Good day")

FAULTS = [
    (PAIR, b'{"prompt": "a", "completion": }', "notJson", "error"),
    (PAIR, b'[{"prompt": "a", "completion": "b"}]', "notJson", "error"),
    (PAIR, b'{"prompt": "a", "completion": NaN}', "notJson", "error"),
    (PAIR, b'{"prompt": "a", "prompt": "c", "completion": "b"}', "notJson", "error"),
    (PAIR, b"[" * 100_000, "notJson", "error"),
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
    (INPUT, {"input": ""}, "emptyText", "error"),
    (INPUT, pair(1), "wrongSchema", "error"),
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
    image = {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://bucket/a.png"}}}}
    reasoning = {"reasoningContent": {"reasoningText": {"text": "Hm."}}}
    data = write(
        conversation(USER, ASSISTANT, turn("user", "And now?"), ASSISTANT),
        conversation(
            {"role": "user", "content": [{"text": "What is this?"}, image]},
            {"role": "assistant", "content": [reasoning, {"text": "A cat"}]},
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
