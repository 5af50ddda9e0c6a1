"""Data in one schema become data in another, or are refused where that would lose something."""

import io
import json

import pytest

from dataset.conversion import convert_lines, convert_record, main
from dataset.errors import InvalidData
from dataset.schemas import parse

PAIR = {"prompt": "Question", "completion": "Answer", "category": "billing"}
USER, ASSISTANT = (
    {"role": role, "content": [{"text": text}]} for role, text in (("user", "Question"), ("assistant", "Answer"))
)
CONVERSATION = {
    "schemaVersion": "bedrock-conversation-2024",
    "messages": [USER, ASSISTANT],
    "category": "billing",
}
CHAT = {
    "messages": [{"role": "user", "content": "Question"}],
    "reference_answer": "Answer",
    "category": "billing",
}
ANSWERED_CHAT = {
    "messages": [{"role": "user", "content": "Question"}, {"role": "assistant", "content": "Answer"}],
    "category": "billing",
}


@pytest.mark.parametrize("record", [PAIR, CONVERSATION, CHAT, ANSWERED_CHAT])
@pytest.mark.parametrize(
    ("schema", "expected"), [("prompt-completion", PAIR), ("bedrock-conversation-2024", CONVERSATION), ("chat", CHAT)]
)
def test_each_schema_becomes_each_other(record, schema, expected):
    expected = record if record is ANSWERED_CHAT and schema == "chat" else expected
    assert convert_record(record, schema) == expected


def test_system_texts_and_several_exchanges_go_both_ways_between_conversations_and_chat():
    turns = [("user", "Hello"), ("assistant", "Good day"), ("user", "And now?"), ("assistant", "Nothing")]
    chat = {"messages": [{"role": "system", "content": "Be brief."}, *({"role": r, "content": t} for r, t in turns)]}
    conversation = {
        "schemaVersion": "bedrock-conversation-2024",
        "system": [{"text": "Be brief."}],
        "messages": [{"role": r, "content": [{"text": t}]} for r, t in turns],
    }
    assert convert_record(chat, "bedrock-conversation-2024") == conversation
    graded = {"messages": chat["messages"][:-1], "reference_answer": "Nothing"}
    assert convert_record(conversation, "chat") == graded
    assert convert_record(graded, "bedrock-conversation-2024") == conversation


@pytest.mark.parametrize(
    "record",
    [
        {"instruction": "Question", "output": "Answer"},
        {"instruction": "Question", "input": "", "output": "Answer"},
        {"question": "Question", "answer": "Answer", "id": 7},
        {"input": "Question", "output": "Answer"},
        {"prompt": "Question", "response": "Answer"},
        {"instruction": "Question", "response": "Answer"},
        {"Prompt": "Question", "Completion": "Answer"},
        {"conversations": [{"from": "human", "value": "Question"}, {"from": "gpt", "value": "Answer"}]},
    ],
)
def test_formats_of_other_tools_are_read(record):
    assert convert_record(record, "prompt-completion") == {"prompt": "Question", "completion": "Answer"}
    converted = convert_record(record, "bedrock-conversation-2024")
    assert converted == {"schemaVersion": "bedrock-conversation-2024", "messages": [USER, ASSISTANT]}
    assert parse(converted, "bedrock-conversation-2024").faults == []


def test_the_input_of_an_instruction_follows_it():
    record = {"instruction": "Translate.", "input": "Guten Tag", "output": "Good day"}
    assert convert_record(record, "prompt-completion")["prompt"] == "Translate.\n\nGuten Tag"


def test_plain_texts_become_unlabelled_texts():
    assert convert_record({"text": "Once upon a time"}, "input") == {"input": "Once upon a time"}


def test_prompts_of_a_distillation_need_no_answer():
    unanswered = {"prompt": "Question"}
    converted = convert_record(unanswered, "bedrock-conversation-2024", answer_required=False)
    assert converted == {"schemaVersion": "bedrock-conversation-2024", "messages": [USER]}
    with pytest.raises(ValueError, match="completion is missing"):
        convert_record(unanswered, "bedrock-conversation-2024")


IMAGE = {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://bucket/a.png"}}}}
REASONING = {"reasoningContent": {"reasoningText": {"text": "Hm."}}}


@pytest.mark.parametrize(
    ("record", "schema", "reason"),
    [
        (CONVERSATION | {"system": [{"text": "Be brief."}]}, "prompt-completion", "cannot hold system texts"),
        (CONVERSATION | {"messages": [USER, ASSISTANT] * 2}, "prompt-completion", "more than one exchange"),
        (CONVERSATION | {"messages": [USER]}, "prompt-completion", "the last turn is the user's"),
        (CONVERSATION | {"messages": [USER | {"content": [{"text": "a"}, IMAGE]}, ASSISTANT]}, "chat", "media"),
        (CONVERSATION | {"messages": [USER, ASSISTANT | {"content": [REASONING, {"text": "a"}]}]}, "chat", "reasoning"),
        ({"input": "Text"}, "prompt-completion", "cannot stand for one another"),
        (PAIR, "input", "cannot stand for one another"),
        ({"prompt": "a", "chosen": "b", "rejected": "c"}, "prompt-completion", "preference pairs"),
        ({"a": 1}, "prompt-completion", "fields: a"),
        ({"conversations": "Hello"}, "prompt-completion", "ShareGPT"),
        ({"instruction": 7, "output": "Answer"}, "prompt-completion", "prompt is a number"),
    ],
)
def test_what_the_wanted_schema_cannot_hold_is_refused(record, schema, reason):
    with pytest.raises(ValueError, match=reason):
        # A record whose faults the translation keeps is refused when it is parsed.
        converted = convert_record(record, schema)
        raise ValueError(parse(converted, schema).faults)


def test_a_line_that_cannot_be_converted_is_named():
    stream = io.BytesIO(json.dumps(PAIR).encode() + b'\n\n{"prompt": "", "completion": 3}\n')
    with pytest.raises(InvalidData, match="line 3: prompt is blank; completion is a number, not a string"):
        list(convert_lines(stream, "bedrock-conversation-2024"))


def test_the_command_converts_local_files(write, tmp_path, capsys):
    target = tmp_path / "out.jsonl"
    assert main(["--to", "bedrock-conversation-2024", str(write(PAIR)), str(target)]) == 0
    assert json.loads(target.read_text()) == CONVERSATION
    broken = write(PAIR, b"broken", name="broken.jsonl")
    assert main(["--to", "chat", str(broken), str(target)]) == 1
    assert f"{broken}: line 2: " in capsys.readouterr().err
    assert json.loads(target.read_text()) == CONVERSATION, (
        "what was there before is kept when a line cannot be converted"
    )
    assert [path.name for path in tmp_path.glob("*.part")] == []


@pytest.mark.parametrize(("source", "target"), [("missing.jsonl", "out.jsonl"), ("data.jsonl", "data.jsonl")])
def test_the_command_refuses_files_that_it_cannot_read_or_would_destroy(write, monkeypatch, tmp_path, source, target):
    monkeypatch.chdir(tmp_path)
    data = write(PAIR)
    with pytest.raises(SystemExit):
        main(["--to", "chat", source, target])
    assert json.loads(data.read_text()) == PAIR
