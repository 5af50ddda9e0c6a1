"""The scoring function on S3."""

import json
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from scoring import handler as scoring
from scoring.bertscore.encoder_folder import InvalidEncoder
from scoring.errors import InsufficientTime, InvalidInput
from scoring.metrics.bertscore import open_scorer
from tests.lambdas.scoring.conftest import random_texts

ROWS_KEY = "runs/1/responses/map/SUCCEEDED_0.json"
OUTPUT = "runs/1/scores/00003.json"


@pytest.fixture
def s3():
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="results")
        yield client


@pytest.fixture(autouse=True)
def encoder_directory(monkeypatch, encoder):
    monkeypatch.setenv("ENCODER_DIRECTORY", str(encoder("minilm")))


def answer(text="The parcel arrived.", stop_reason="end_turn"):
    return {"text": text, "stopReason": stop_reason, "inputTokens": 1, "outputTokens": 2}


def row(number=1, references=("A parcel arrived.",), base=None, custom=None, **fields):
    responses = {"base": base or answer(), "custom": custom or answer("A parcel came.")}
    return {"id": str(number), "references": list(references), "responses": responses, **fields}


def event(metrics=("exact_match",), start=0, end=1 << 20, **fields):
    return fields | {
        "shard": {"index": 3, "key": ROWS_KEY, "start": start, "end": end},
        "bucket": "results",
        "output": OUTPUT,
        "models": ["base", "custom"],
        "metrics": [{"name": metric} if isinstance(metric, str) else metric for metric in metrics],
    }


def put(s3, rows, key=ROWS_KEY):
    lines = [line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in rows]
    s3.put_object(Bucket="results", Key=key, Body=b"\n".join(lines))


def score(s3, rows, **options):
    put(s3, rows)
    summary = scoring.handler(event(**options), None)
    result = json.loads(s3.get_object(Bucket="results", Key=OUTPUT)["Body"].read())
    assert {key: result[key] for key in summary} == summary
    return result


def test_every_metric_of_every_model(s3, encoder, oracle):
    texts = random_texts(12, seed=4)
    rows = [row(i, [texts[i], texts[i + 1]], answer(texts[i + 2]), answer(texts[i + 3])) for i in range(9)]
    rows[2]["category"] = "billing"
    metrics = ("bertscore", "rouge", "exact_match", "quasi_exact_match", "token_f1", "answer_length")

    result = score(s3, rows, metrics=metrics)

    assert (result["index"], result["rows"], result["counted"]) == (3, 9, 9)
    assert list(result["signatures"]) == list(metrics)
    assert result["truncated"] == {"base": 0, "custom": 0, "references": 0}
    assert [entry["id"] for entry in result["scores"]] == [str(i) for i in range(9)]
    assert [entry.get("category") for entry in result["scores"]] == [None, None, "billing"] + [None] * 6
    for model, shift in (("base", 2), ("custom", 3)):
        groups = [[texts[i], texts[i + 1]] for i in range(9)]
        expected = oracle(encoder("minilm"), 6, [texts[i + shift] for i in range(9)], groups)
        for part, values in zip(("precision", "recall", "f1"), expected, strict=True):
            got = [entry["values"][model][f"bertscore_{part}"] for entry in result["scores"]]
            assert got == pytest.approx(values, abs=1e-6)
    assert set(result["scores"][0]["values"]["base"]) == {
        *("bertscore_precision", "bertscore_recall", "bertscore_f1", "rouge_1", "rouge_2", "rouge_l"),
        *("exact_match", "quasi_exact_match", "token_f1", "answer_length"),
    }


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        ({"text": "half a", "stopReason": "max_tokens"}, "max_tokens"),
        ({"text": "", "stopReason": "content_filtered"}, "content_filtered"),
        ({"error": "BedrockRuntime.ThrottlingException", "cause": "slow"}, "BedrockRuntime.ThrottlingException"),
        ({"text": " \n", "stopReason": "end_turn"}, "empty"),
        ({"text": None, "stopReason": "end_turn"}, "empty"),
        ({"text": "\u200b", "stopReason": "end_turn"}, "empty"),
        ({"text": ["a"], "stopReason": "end_turn"}, "not_text"),
        ({"text": "a"}, "no_stop_reason"),
        ({"text": "a\ud800", "stopReason": "end_turn"}, "lone_surrogate"),
        ("a", "missing"),
    ],
)
def test_an_incomplete_answer_is_recorded_and_the_row_does_not_count(s3, response, problem):
    put(s3, [row(1), json.dumps(row(2, custom=response)).encode(), row(3)])

    summary = scoring.handler(event(["bertscore", "rouge"]), None)

    result = json.loads(s3.get_object(Bucket="results", Key=OUTPUT)["Body"].read())
    assert summary == {"index": 3, "rows": 3, "counted": 2}
    assert [entry["counted"] for entry in result["scores"]] == [True, False, True]
    assert result["scores"][1]["problems"] == {"custom": problem}
    assert result["scores"][1]["values"]["base"] == result["scores"][0]["values"]["base"]


def test_rows_without_a_usable_reference_are_reported_for_every_model(s3):
    lone = json.dumps(row(5, ["\ud800"])).encode()
    rows = [row(1, []), row(2, [" "]), row(3, [None, 7]), {**row(4), "references": "text"}, lone]
    rows += [b"{not json", b'"text"', b'{"id": "\xff"}', b"[" * 100_000, {"id": "10", "references": ["a"]}, row(11)]

    result = score(s3, rows)

    reasons = [entry["problems"].get("base") for entry in result["scores"]]
    assert reasons == ["no_reference"] * 4 + ["lone_surrogate"] + ["not_json"] * 4 + ["missing", None]
    assert all(entry["problems"].keys() in ({"base", "custom"}, set()) for entry in result["scores"])
    assert [entry["id"] for entry in result["scores"]][4:6] == ["5", f"byte:{sum(map(_size, rows[:5]))}"]
    assert result["counted"] == 1


def _size(line):
    return len(line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode()) + 1


def test_a_model_that_is_missing_from_a_row_is_a_problem(s3):
    rows = [row(1)]
    del rows[0]["responses"]["base"]

    assert score(s3, rows)["scores"][0]["problems"] == {"base": "missing"}


def test_a_score_that_is_not_defined_is_null_and_does_not_count(s3):
    frequencies = count_frequencies(s3, [[{"references": ["A parcel arrived."]}]])

    result = score(s3, [row(1)], metrics=[{"name": "bertscore", "idf": True}], documentFrequencies=frequencies)

    assert result["scores"][0]["problems"] == {"base": "undefined_score", "custom": "undefined_score"}
    assert result["scores"][0]["values"]["base"]["bertscore_f1"] is None


def count_frequencies(s3, shards):
    """Count the document frequencies of each shard, and merge them."""
    for index, rows in enumerate(shards):
        key = f"runs/1/responses/{index}"
        put(s3, rows, key=key)
        shard = {"index": index, "key": key, "start": 0, "end": 1 << 20}
        counting = {"operation": "countDocumentFrequencies", "shard": shard, "bucket": "results"}
        scoring.handler(counting | {"output": f"runs/1/frequencies/{index:05d}.json"}, None)
    merging = {"operation": "mergeDocumentFrequencies", "bucket": "results", "prefix": "runs/1/", "shards": len(shards)}
    return scoring.handler(merging, None)["key"]


def test_document_frequencies_of_all_shards_are_those_of_the_whole_set(s3, encoder, oracle):
    references, answers = random_texts(30, seed=6), random_texts(30, seed=7)
    rows = [row(i, [references[i]], answer(answers[i])) for i in range(30)]
    frequencies = count_frequencies(s3, [rows[:10], rows[10:]])
    expected = oracle(encoder("minilm"), 6, answers, references, idf_of=references)

    for shard in (rows[:10], rows[10:]):
        result = score(s3, shard, metrics=[{"name": "bertscore", "idf": True}], documentFrequencies=frequencies)
        got = [entry["values"]["base"]["bertscore_f1"] for entry in result["scores"]]
        first = int(shard[0]["id"])
        assert got == pytest.approx(expected[2][first : first + len(shard)], abs=1e-6)


def test_idf_needs_document_frequencies(s3):
    put(s3, [row(1)])
    idf = event([{"name": "bertscore", "idf": True}])
    with pytest.raises(InvalidInput, match="documentFrequencies: missing"):
        scoring.handler(idf, None)
    with pytest.raises(InvalidInput, match=r"documentFrequencies: runs/1/none.json does not exist"):
        scoring.handler(idf | {"documentFrequencies": "runs/1/none.json"}, None)


def test_truncated_texts_are_counted_per_model_and_once_per_reference(s3):
    long = "word " * 600
    rows = [row(1, [long, "a"], answer(long), answer("b")), row(2, ["c"], answer("d"), answer(long))]

    assert score(s3, rows, metrics=["bertscore"])["truncated"] == {"base": 1, "custom": 1, "references": 1}


def test_megabyte_long_texts_are_scored(s3):
    words = " ".join(f"{number:020}" for number in range(50_000))
    rows = [row(1, [words], answer(words + " end"), answer("x" * 1_000_000))]
    metrics = ["bertscore", "rouge", "exact_match", "quasi_exact_match", "token_f1", "answer_length"]

    result = score(s3, rows, metrics=metrics, end=10 << 20)

    values = result["scores"][0]["values"]
    assert result["counted"] == 1
    assert values["base"]["rouge_l"] == pytest.approx(2 * 50_000 / 100_001)
    assert values["custom"]["answer_length"] == 1


def test_shards_share_out_the_rows(s3):
    rows = [row(number, [f"Straße {number} 💶"]) for number in range(40)]
    put(s3, rows)
    size = sum(map(_size, rows)) - 1
    first_bytes = [sum(map(_size, rows[:number])) for number in range(41)]
    for middle in (first_bytes[7] - 1, first_bytes[7], first_bytes[7] + 1, size // 2, size - 1):
        ids = []
        for start, end in ((0, middle), (middle, size)):
            scoring.handler(event(start=start, end=end), None)
            result = json.loads(s3.get_object(Bucket="results", Key=OUTPUT)["Body"].read())
            ids += [entry["id"] for entry in result["scores"]]
            assert all(start <= first_bytes[int(entry["id"])] < end for entry in result["scores"])
        assert ids == [str(number) for number in range(40)]


def test_an_empty_object_and_a_range_behind_the_end_have_no_rows(s3):
    assert score(s3, [b""])["rows"] == 0
    assert score(s3, [row(1)], start=10_000, end=20_000)["rows"] == 0


def test_a_repeated_call_overwrites_its_own_object_only(s3):
    score(s3, [row(1)])
    before = s3.get_object(Bucket="results", Key=OUTPUT)["Body"].read()

    score(s3, [row(1)])

    assert s3.get_object(Bucket="results", Key=OUTPUT)["Body"].read() == before
    assert {item["Key"] for item in s3.list_objects_v2(Bucket="results")["Contents"]} == {ROWS_KEY, OUTPUT}


def test_a_shard_that_would_not_be_done_in_time_says_so_after_the_first_rows(s3, monkeypatch):
    put(s3, [row(number) for number in range(1000)])
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr("scoring.progress.time.monotonic", lambda: next(clock))
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 100_000)

    with pytest.raises(InsufficientTime, match=r"32 rows took 10 s; the remaining \d+ of \d+ bytes need about 15\d s"):
        scoring.handler(event(), context)
    with pytest.raises(ClientError):
        s3.get_object(Bucket="results", Key=OUTPUT)

    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 1_000_000)
    assert scoring.handler(event(), context)["rows"] == 1000


def test_all_processors_of_the_function_are_used(encoder, monkeypatch):
    threads = []
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    monkeypatch.setattr("torch.set_num_threads", threads.append)

    open_scorer.__wrapped__(str(encoder("bert")), "fp32")

    assert threads == [3]


def test_progress_is_printed_as_embedded_metrics_without_any_text(s3, capsys):
    score(s3, [row(1, ["secret reference"], answer("secret answer")), row(2, [])], metrics=["bertscore"])

    printed = capsys.readouterr().out
    line = json.loads(printed)
    directive = line["_aws"]["CloudWatchMetrics"][0]
    assert {metric["Name"] for metric in directive["Metrics"]} <= line.keys()
    assert all(isinstance(line[metric["Name"]], int | float) for metric in directive["Metrics"])
    assert {metric["Unit"] for metric in directive["Metrics"]} == {"Count", "Seconds"}
    assert all(isinstance(line[name], str) for dimensions in directive["Dimensions"] for name in dimensions)
    assert isinstance(line["_aws"]["Timestamp"], int) and line["_aws"]["Timestamp"] > 10**12  # milliseconds
    assert (line["Rows"], line["CountedRows"], line["TruncatedTexts"], line["Shard"]) == (2, 1, 0, 3)
    assert "secret" not in printed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bucket": None}, "bucket: got None"),
        ({"shard": {"index": 0, "key": "k", "start": 5, "end": 4}}, "shard: got start 5 and end 4"),
        ({"shard": {"index": 0, "start": 5, "end": 4}}, "shard.key: got None"),
        ({"models": []}, "models: got"),
        ({"metrics": []}, "metrics: got"),
        ({"metrics": [{"name": "bleu"}]}, r"metrics\[0\].name: got 'bleu'; allowed"),
        ({"metrics": [{"name": "rouge"}, {"name": "rouge"}]}, r"metrics\[1\].name: got 'rouge'; allowed .* once"),
        ({"metrics": [{"name": "rouge", "stemming": True}]}, r"metrics\[0\].stemming: got True; .* stemmer \(bool\)"),
        ({"metrics": [{"name": "bertscore", "idf": 1}]}, r"metrics\[0\].idf: got 1"),
        ({"metrics": [{"name": "bertscore", "precision": "int8"}]}, "precision: got 'int8'"),
        ({"shard": {"index": 0, "key": "nowhere", "start": 0, "end": 4}}, "shard.key: nowhere does not exist"),
    ],
)
def test_a_wrong_event_is_refused_with_the_fields_name(s3, change, message):
    with pytest.raises(InvalidInput, match=message):
        scoring.handler({**event(), **change}, None)


def test_an_image_with_another_encoder_or_layer_is_refused(s3):
    put(s3, [row(1)])
    with pytest.raises(InvalidEncoder, match=r"metrics.encoder: expected 'roberta-large', but .* holds"):
        scoring.handler(event([{"name": "bertscore", "encoder": "roberta-large"}]), None)
    with pytest.raises(InvalidEncoder, match=r"metrics.layer: expected 17, but .* holds 6"):
        scoring.handler(event([{"name": "bertscore", "layer": 17}]), None)
