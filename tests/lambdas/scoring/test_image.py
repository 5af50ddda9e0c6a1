"""The scripts and lock files that the image is built with."""

import importlib.metadata
import importlib.util
import json
import re
import sys
from pathlib import Path

import bert_score
import pytest
from bert_score.utils import model2layers

from scoring.bertscore.scorer import BertScorer

COMPUTING = {"torch", "tokenizers", "safetensors", "numpy", "scipy", "rouge-score", "rapidfuzz", "nltk"}
COMPUTING |= {"bert-score", "transformers"}
IMAGE = Path(__file__).parents[3] / "docker" / "scoring"


def script(name):
    specification = importlib.util.spec_from_file_location(name, IMAGE / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def make(encoder, tmp_path, monkeypatch):
    """Runs prepare_encoder.py as the Dockerfile does."""

    def run(family, *arguments):
        command = ["prepare_encoder.py", "--encoder", str(encoder(family)), "--output", str(tmp_path / "encoder")]
        monkeypatch.setattr(sys, "argv", [*command, *arguments])
        script("prepare_encoder").main()
        return tmp_path / "encoder"

    return run


def check(folder, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["check_encoder.py", str(folder)])
    script("check_encoder").main()


@pytest.mark.parametrize("family", ("minilm", "bert", "bert-cased", "roberta", "distilbert", "deberta"))
def test_a_prepared_encoder_gives_bert_scores_numbers(family, make, monkeypatch, capsys):
    folder = make(family, "--layer", "2")

    check(folder, monkeypatch)

    assert "layer:2" in capsys.readouterr().out
    about = json.loads((folder / "encoder.json").read_text())
    assert about["packed"] is (family != "deberta")
    assert about["sha256"].keys() == {"model.safetensors"}


def test_only_the_layers_up_to_the_chosen_one_are_in_the_folder(make, encoder):
    folder = make("minilm", "--layer", "1")

    assert json.loads((folder / "config.json").read_text())["num_hidden_layers"] == 1
    assert b"encoder.layer.0." in (folder / "model.safetensors").read_bytes()
    assert not re.search(rb"encoder\.layer\.1\.|pooler", (folder / "model.safetensors").read_bytes())


def test_a_build_whose_numbers_differ_fails(make, monkeypatch):
    folder = make("bert", "--layer", "2")
    parity = json.loads((folder / "parity.json").read_text())
    parity["recall"][3] += 2e-6
    (folder / "parity.json").write_text(json.dumps(parity))

    with pytest.raises(SystemExit, match="differ from bert-score"):
        check(folder, monkeypatch)


def test_every_baseline_is_the_one_that_bert_score_reads():
    prepare = script("prepare_encoder")
    folder = Path(bert_score.__file__).parent / "rescale_baseline"
    read = 0
    for path in folder.rglob("*.tsv"):
        language, *name = path.relative_to(folder).with_suffix("").parts
        name, scorer = "/".join(name), object.__new__(bert_score.BERTScorer)  # its encoder is not needed to read
        layer = model2layers[name]
        scorer.__dict__ |= {
            "baseline_path": str(path),
            "_baseline_vals": None,
            "_num_layers": layer,
            "all_layers": False,
        }

        assert prepare.baseline(name, language, layer) == pytest.approx(scorer.baseline_vals.tolist(), abs=1e-7)
        read += 1

    assert read > 60
    assert prepare.baseline("dbmdz/bert-base-turkish-cased", "tr", 10) is None


def test_a_baseline_in_the_folder_is_used_at_its_layer_only(make):
    folder = make("bert", "--layer", "2")
    about = json.loads((folder / "encoder.json").read_text())
    (folder / "encoder.json").write_text(json.dumps({**about, "name": "small", "baseline": [0.5, 0.5, 0.5]}))

    plain = BertScorer(folder).score(["the parcel"], ["a parcel"])
    rescaled = BertScorer(folder).score(["the parcel"], ["a parcel"], rescale=True)

    assert rescaled.f1[0] == pytest.approx((plain.f1[0] - 0.5) / 0.5, abs=1e-6)
    assert BertScorer(folder, layer=1).folder.baseline is None


def test_every_language_has_bert_scores_default_encoder_and_layer(encoder, monkeypatch, tmp_path):
    prepare = script("prepare_encoder")
    asked = []
    monkeypatch.setattr(prepare, "fetch", lambda name, revision, folder: folder.mkdir() or "commit")
    monkeypatch.setattr(prepare, "prepare", lambda source, output, **about: asked.append(about))
    for language in ("en", "zh", "tr", "en-sci", "de"):
        monkeypatch.setattr(
            sys, "argv", ["prepare_encoder.py", "--language", language, "--output", str(tmp_path / "encoder")]
        )
        prepare.main()

    assert [(about["name"], about["layer"]) for about in asked] == [
        ("roberta-large", 17),
        ("bert-base-chinese", 8),
        ("dbmdz/bert-base-turkish-cased", 10),
        ("allenai/scibert_scivocab_uncased", 8),
        ("bert-base-multilingual-cased", 9),
    ]


def test_a_layer_must_be_known_and_exist(make):
    with pytest.raises(SystemExit, match="bert-score knows no layer"):
        make("bert")
    with pytest.raises(SystemExit, match=r"got 7; .* has the layers 0 to 3"):
        make("bert", "--layer", "7")


@pytest.mark.parametrize("lock", ("requirements", "requirements.build", "requirements.setup"))
def test_every_package_is_locked_with_hashes_at_the_tested_version(lock):
    text = (IMAGE / f"{lock}.txt").read_text()
    pins = re.findall(r"^(\S+)==(\S+) \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, flags=re.MULTILINE)

    assert len(pins) == len(re.findall(r"^\w", text, flags=re.MULTILINE)) >= 1
    assert "://" not in text
    versions = {name: version for name, version, _ in pins}
    for name in versions.keys() & COMPUTING:
        assert versions[name] == importlib.metadata.version(name)
