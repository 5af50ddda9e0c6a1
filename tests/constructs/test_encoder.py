"""What the library knows of encoders is what bert-score knows."""

import json
from pathlib import Path

import bert_score
import pytest
from bert_score.utils import lang2model, model2layers

import bedrock_customization
from bedrock_customization import Encoder

BASELINES = Path(bert_score.__file__).parent / "rescale_baseline"
KNOWN = json.loads(Path(bedrock_customization.__file__).with_name("encoders.json").read_text(encoding="utf-8"))


def test_layers_are_those_of_bert_score() -> None:
    assert KNOWN["layers"] == model2layers
    assert {name: Encoder.of(name).layer for name in model2layers} == model2layers


@pytest.mark.parametrize("language", [*lang2model, "cs", "de", "es", "et", "fi", "fr", "it", "lv", "pt", "sv", "xx"])
def test_languages_have_bert_scores_default_encoder_and_layer(language: str) -> None:
    encoder = Encoder.for_language(language)

    assert (encoder.name, encoder.language) == (lang2model[language], language)
    assert encoder.layer == model2layers[encoder.name]
    assert KNOWN["languages"] == {known: name for known, name in lang2model.items() if known in KNOWN["languages"]}


def test_baselines_are_those_that_bert_score_ships() -> None:
    shipped = {(path.parts[0], "/".join(path.with_suffix("").parts[1:])) for path in _baseline_files()}
    assert shipped == {(language, name) for language, names in KNOWN["baselines"].items() for name in names}
    languages = ("en", "de", "zh", "en-sci", "tr", "sv")
    with_baseline = [language for language in languages if Encoder.for_language(language).has_baseline]
    assert with_baseline == ["en", "de", "zh", "en-sci"]


def _baseline_files() -> list[Path]:
    return [path.relative_to(BASELINES) for path in BASELINES.rglob("*.tsv")]


def test_the_encoders_of_the_factories_are_fixed_at_a_commit() -> None:
    for encoder in (Encoder.roberta_large(), Encoder.distilbert(), Encoder.multilingual(), Encoder.for_language("zh")):
        assert len(encoder.revision) == 40
    assert Encoder.of("own/encoder", 3).revision == "main"
    assert Encoder.of("roberta-large", 17, "a-branch").revision == "a-branch"
