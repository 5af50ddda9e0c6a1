import io
import json

import pytest

from dataset.evaluation import EvaluationSet
from dataset.evaluation_models import MAXIMUM_RECORD_BYTES, RecordNeeds
from dataset.findings import Findings
from dataset.normalisation import encode


def read(*values):
    lines = [value if isinstance(value, bytes) else json.dumps(value).encode() for value in values]
    findings = Findings()
    evaluation_set = EvaluationSet(findings)
    records = list(evaluation_set.records(io.BytesIO(b"\n".join(lines))))
    return records, findings, evaluation_set


def turn(role, text):
    return {"role": role, "content": [{"text": text}]}


PAIR = {"prompt": "Question", "completion": "Answer"}
GOOD = [
    (PAIR, {"messages": [turn("user", "Question")], "references": ["Answer"]}),
    (
        {**PAIR, "references": ["Other", "Answer"], "category": "billing", "source": "kept out"},
        {"messages": [turn("user", "Question")], "references": ["Answer", "Other"], "category": "billing"},
    ),
    (
        {"prompt": "Question", "references": ["Only"]},
        {"messages": [turn("user", "Question")], "references": ["Only"]},
    ),
    (
        {
            "schemaVersion": "bedrock-conversation-2024",
            "system": [{"text": "Be brief."}],
            "messages": [turn("user", "A"), turn("assistant", "B"), turn("user", "C"), turn("assistant", "D")],
        },
        {
            "system": [{"text": "Be brief."}],
            "messages": [turn("user", "A"), turn("assistant", "B"), turn("user", "C")],
            "references": ["D"],
        },
    ),
    (
        {"messages": [turn("user", "A")], "references": ["D", "E"]},
        {"messages": [turn("user", "A")], "references": ["D", "E"]},
    ),
]


@pytest.mark.parametrize(("value", "expected"), GOOD)
def test_both_schemas_become_one_form(value, expected):
    records, findings, _ = read(value)
    assert records == [{"id": "1", **expected}]
    assert findings.all() == []


FAULTS = [
    (b"not json", "notJson"),
    (b"\xff", "encoding"),
    ({"prompt": "Question"}, "noReference"),
    ({"messages": [turn("user", "A")]}, "noReference"),
    ({"messages": [turn("user", "A")], "references": []}, "noReference"),
    ({"prompt": "Question", "completion": " "}, "emptyText"),
    ({**PAIR, "references": [""]}, "emptyText"),
    ({**PAIR, "references": "Other"}, "wrongType"),
    ({**PAIR, "category": 7}, "wrongType"),
    ({"completion": "Answer"}, "missingField"),
    ({"messages": [turn("customer", "A"), turn("assistant", "B")]}, "role"),
    ({"messages": [turn("assistant", "B")]}, "turnOrder"),
    ({"input": "Text"}, "unknownSchema"),
    ({"prompt": "x" * MAXIMUM_RECORD_BYTES, "completion": "Answer"}, "recordTooLarge"),
    ({**PAIR, "references": ["\udfff"]}, "loneSurrogate"),
    (
        {"messages": [{"role": "user", "content": [{"text": "A"}, {"image": {}}]}, turn("assistant", "B")]},
        "unsupportedContent",
    ),
]


@pytest.mark.parametrize(("value", "kind"), FAULTS)
def test_a_faulty_record_is_named_by_line_and_the_rest_is_kept(value, kind):
    good = [{"prompt": f"Question {number}", "completion": "Answer"} for number in range(200)]
    records, findings, evaluation_set = read(good[0], value, *good[1:])
    assert [record["id"] for record in records] == ["1", *map(str, range(3, 202))]
    (finding,) = findings.all()
    assert (finding.kind, finding.severity, finding.lines) == (kind, "warning", [2])
    assert (evaluation_set.count, evaluation_set.usable) == (201, 200)
    evaluation_set.finish(0.99)
    assert findings.errors == []


@pytest.mark.parametrize(("bad", "stops"), [(1, False), (2, True)])
def test_too_many_faulty_records_are_an_error(bad, stops):
    good = [{"prompt": f"Question {number}", "completion": "Answer"} for number in range(100 - bad)]
    _, findings, evaluation_set = read(*good, *([b"broken"] * bad))
    evaluation_set.finish(0.99)
    assert [finding.kind for finding in findings.errors] == (["notJson", "tooFewUsable"] if stops else [])


def test_no_record_at_all_is_an_error():
    _, findings, evaluation_set = read(b"", b"")
    evaluation_set.finish(0.0)
    assert [finding.kind for finding in findings.errors] == ["emptyFile"]


def test_the_largest_record_that_is_kept():
    empty = len(encode({"id": "1", "messages": [turn("user", "")], "references": ["Answer"]}))
    for characters, kept in ((MAXIMUM_RECORD_BYTES - empty, 1), (MAXIMUM_RECORD_BYTES - empty + 1, 0)):
        records, _, _ = read({"prompt": "x" * characters, "completion": "Answer"})
        assert len(records) == kept
        assert all(len(encode(record)) == MAXIMUM_RECORD_BYTES for record in records)


def test_copies_of_a_record_count_once():
    records, findings, evaluation_set = read(PAIR, PAIR, {**PAIR, "prompt": "Other"}, PAIR)
    assert [record["id"] for record in records] == ["1", "3"]
    assert (evaluation_set.count, evaluation_set.usable) == (2, 2)
    (finding,) = findings.all()
    assert (finding.kind, finding.severity, finding.lines) == ("duplicateRecord", "warning", [2, 4])
    assert finding.details[0] == "the same as line 1; it counts once"
    assert finding.fix == "Remove the repeated records, or leave them: they change no result."


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "Question", "completion": "Another answer"},
        {**PAIR, "references": ["Another reference"]},
        {**PAIR, "category": "billing"},
        {**PAIR, "prompt": "question!"},
    ],
)
def test_records_that_differ_in_anything_all_count(other):
    records, _, evaluation_set = read(PAIR, other)
    assert len(records) == evaluation_set.count == 2


def test_given_answers_without_a_prompt_all_count():
    needs = RecordNeeds(given=("ours",))
    lines = b"\n".join([json.dumps({"completion": "yes", "responses": {"ours": "yes"}}).encode()] * 3)
    findings = Findings()
    assert len(list(EvaluationSet(findings, needs=needs).records(io.BytesIO(lines)))) == 3
    assert findings.all() == []


def test_a_byte_order_mark_is_a_warning_since_it_is_removed():
    records, findings, _ = read(b"\xef\xbb\xbf" + json.dumps(PAIR).encode())
    assert len(records) == 1
    assert [(finding.kind, finding.severity) for finding in findings.all()] == [("byteOrderMark", "warning")]


@pytest.mark.parametrize(
    ("line", "kind", "detail"),
    [
        (b'{"prompt": "a", "completion": "b", "n": ' + b"9" * 5000 + b"}", "notJson", "thousands of digits"),
        (b'{"prompt": "a", "completion": "b", "n": NaN}', "notJson", "NaN is not JSON"),
        (b'{"prompt": "a", "prompt": "b", "completion": "c"}', "notJson", "'prompt' is there twice"),
        (b'{"prompt": "a", "completion": "b", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "notJson", "deeply"),
        (b'{"prompt": "a\x00", "completion": "b"}', "notJson", "U+0000, is not escaped"),
        ('{"prompt": "Größe", "completion": "b"}'.encode("latin-1"), "encoding", "0xf6, is not UTF-8"),
        (b'{"prompt": "a", "completion": "\\ud800"}', "loneSurrogate", "half of a UTF-16 pair"),
        (b'{"prompt": 5, "completion": "b"}', "wrongType", "prompt is a number, not a string"),
        (b'{"prompt": "a", "references": []}', "noReference", "no completion"),
        (b'{"prompt": "a", "references": [" "]}', "emptyText", "references is blank"),
        (b'{"messages": [{"role": "user", "content": "a"}]}', "noReference", "no completion"),
        (b'{"chosen": "a", "rejected": "b"}', "unknownSchema", 'are {"prompt", "completion"} or'),
        (b'{"input": "unlabelled"}', "unknownSchema", 'are {"prompt", "completion"} or'),
        (b'{"prompt": "' + b"x" * 300_000 + b'", "completion": "b"}', "recordTooLarge", "at most 200000"),
        (b'{"prompt": "' + b"x" * 20_000_000 + b'", "completion": "b"}', "lineTooLong", "longer than 8388608"),
    ],
)
def test_a_bad_line_is_named_and_the_lines_around_it_are_kept(line, kind, detail):
    records, findings, _ = read(PAIR, line, {"prompt": "Other", "completion": "Answer"})
    assert [record["id"] for record in records] == ["1", "3"]
    (finding,) = findings.all()
    assert (finding.kind, finding.lines) == (kind, [2])
    assert detail in finding.details[0]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_byte_order_mark_change_no_record(mark, end):
    lines = [json.dumps(PAIR | {"prompt": f"Question {number}"}).encode() for number in range(3)]
    findings = Findings()
    content = mark + (end or b"\n").join(lines) + end
    records = list(EvaluationSet(findings).records(io.BytesIO(content)))
    assert [record["messages"][0]["content"][0]["text"] for record in records] == [f"Question {n}" for n in range(3)]
    assert [finding.kind for finding in findings.all()] == (["byteOrderMark"] if mark else [])


@pytest.mark.parametrize(
    "record",
    [
        {"question": "Question", "answer": "Answer"},
        {"instruction": "Question", "output": "Answer"},
        {"messages": [{"role": "user", "content": "Question"}], "reference_answer": "Answer"},
        {"messages": [{"role": "user", "content": "Question"}, {"role": "assistant", "content": "Answer"}]},
        {"conversations": [{"from": "human", "value": "Question"}, {"from": "gpt", "value": "Answer"}]},
    ],
)
def test_formats_of_other_tools_are_read(record):
    (normalised,), findings, _ = read(record | {"references": ["Or so"], "category": "tone"})
    assert findings.all() == []
    assert normalised == {
        "id": "1",
        "messages": [{"role": "user", "content": [{"text": "Question"}]}],
        "references": ["Answer", "Or so"],
        "category": "tone",
    }
