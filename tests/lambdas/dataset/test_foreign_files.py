"""Files that are no JSON lines at all: one finding names the mistake, however long the file is."""

import bz2
import gzip
import io
import json
import lzma
import zipfile

import pytest

from dataset.check import check_files
from dataset.rules import ModelRules

RECORDS = [{"prompt": f"Question {n}", "completion": "Answer"} for n in range(1, 301)]
JSONL = "".join(json.dumps(record) + "\n" for record in RECORDS).encode()


def zipped(data):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("data.jsonl", data)
    return stream.getvalue()


FOREIGN = [
    (gzip.compress(JSONL), "notText", "packed: gzip"),
    (bz2.compress(JSONL), "notText", "packed: bzip2"),
    (lzma.compress(JSONL), "notText", "packed: xz"),
    (zipped(JSONL), "notText", "packed: ZIP"),
    (b"PAR1\x15\x04", "notText", "packed: Parquet"),
    (JSONL.decode().encode("utf-16"), "encoding", "UTF-16"),
    (JSONL.decode().encode("utf-16-le"), "encoding", "UTF-16"),
    (JSONL.decode().encode("utf-16-be"), "encoding", "UTF-16"),
    (json.dumps(RECORDS).encode(), "jsonArray", "one JSON array"),
    (json.dumps(RECORDS, indent=2).encode(), "jsonArray", "one JSON array"),
    (b"\n  \n" + json.dumps(RECORDS).encode(), "jsonArray", "one JSON array"),
    (b"\xef\xbb\xbf" + json.dumps(RECORDS).encode(), "jsonArray", "one JSON array"),
    (b"[" + b" " * (20 << 20) + b"]", "jsonArray", "one JSON array"),
    (b"".join(json.dumps(record, indent=4).encode() + b"\n" for record in RECORDS), "prettyPrinted", "several lines"),
    (b"{\r\n" + json.dumps(RECORDS[0], indent=4).encode()[2:], "prettyPrinted", "several lines"),
    (b"prompt,completion\nQuestion,Answer\n" * 300, "csv", "the columns prompt, completion"),
    (b'"prompt";"completion"\n"Question";"Answer"\n', "csv", "the columns prompt, completion"),
    (b"prompt\tcompletion\tcategory of it\r\na\tb\tc\r\n", "csv", "the columns prompt, completion, category of it"),
]


@pytest.mark.parametrize(("data", "kind", "words"), FOREIGN)
@pytest.mark.parametrize("file", ["training", "validation"])
def test_the_file_is_named_as_what_it_is(tmp_path, data, kind, words, file):
    path = tmp_path / "data.jsonl"
    path.write_bytes(data)
    findings = check_files(**{file: path}, rules=ModelRules(schemas=("prompt-completion",))).findings.all()
    (finding,) = [finding for finding in findings if finding.kind not in ("blankLine", "byteOrderMark")]
    assert (finding.kind, finding.severity, finding.count) == (kind, "error", 1)
    assert words in finding.details[0]


@pytest.mark.parametrize(("data", "kind", "words"), FOREIGN)
def test_an_evaluation_set_is_named_too(tmp_path, data, kind, words):
    path = tmp_path / "data.jsonl"
    path.write_bytes(data)
    findings = {finding.kind: finding for finding in check_files(evaluation=path).findings.errors}
    assert words in findings[kind].details[0]
    assert "tooFewUsable" in findings


@pytest.mark.parametrize(
    "first",
    [
        b'{"prompt": "a", "completion": "b"}',
        b'{"prompt": "a, b; c", "completion": "b"}',
        b'{"prompt": "a\x00", "completion": "b"}',
        b'"text"',
        b"Hello",
        b"1,2",
    ],
)
def test_other_files_are_read_line_by_line(tmp_path, first):
    path = tmp_path / "data.jsonl"
    path.write_bytes(first + b"\n" + JSONL)
    assert check_files(training=path).records("training") == 301
