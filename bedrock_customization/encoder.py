"""The encoder that BERTScore compares texts with, and what bert-score knows of encoders."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bedrock_customization.argument_checks import check_whole_number

# What bert-score knows (encoders.json names the source), and `revisions`: the encoders' present commits on the hub.
_KNOWN: dict[str, Any] = json.loads(Path(__file__).with_name("encoders.json").read_text(encoding="utf-8"))

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]+)?")
_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """The encoder that BERTScore compares texts with; it is baked into the image when the image is built.

    Use the factories. BERT, RoBERTa and DistilBERT encoders are computed without padding; every other one goes through
    bert-score, whose packages make the image larger and the scoring about half as quick.

    Args:
        name: The model's name on the Hugging Face hub.
        layer: The layer whose output is compared.
        revision: The commit of the model's repository. A branch such as `main` is followed when the image is built;
            the scores' signature names the commit that was found.
        language: The language of the rescaling baseline, such as `en`.
        memory_mib: Memory of the scoring function in MiB; the number of processors grows with it.
    """

    name: str
    layer: int
    revision: str = "main"
    language: str = "en"
    memory_mib: int = 6144

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"name: got {self.name!r}; it must be a model's name on the hub, such as 'roberta-large'.")
        if not re.fullmatch(r"[\w./-]+", self.revision):
            raise ValueError(f"revision: got {self.revision!r}; it must be a commit, tag or branch of {self.name}.")
        _check_language(self.language)
        check_whole_number("layer", self.layer, 0, 100)
        check_whole_number("memory_mib", self.memory_mib, 512, 10240)

    @classmethod
    def roberta_large(cls) -> Self:
        """`roberta-large` at layer 17, bert-score's default for English."""
        return cls.of("roberta-large")

    @classmethod
    def distilbert(cls) -> Self:
        """`distilbert-base-uncased` at layer 5, for English: smaller and quicker, used by the AWS sample."""
        return cls.of("distilbert-base-uncased", memory_mib=3008)

    @classmethod
    def multilingual(cls, *, language: str = "en") -> Self:
        """`bert-base-multilingual-cased` at layer 9, bert-score's default for most languages other than English.

        Args:
            language: The language of the rescaling baseline.
        """
        return cls.of("bert-base-multilingual-cased", language=language, memory_mib=4096)

    @classmethod
    def for_language(cls, language: str) -> Self:
        """The encoder and layer that bert-score takes by default for a language.

        Args:
            language: The language as bert-score writes it: `de`, `zh`, or `en-sci` for scientific English.

        Raises:
            ValueError: It is not written so.
        """
        _check_language(language)
        name = _KNOWN["languages"].get(language, _KNOWN["otherLanguages"])
        return cls.of(name, language=language, memory_mib=6144 if name == "roberta-large" else 4096)

    @classmethod
    def of(
        cls,
        name: str,
        layer: int | None = None,
        revision: str | None = None,
        *,
        language: str = "en",
        memory_mib: int = 6144,
    ) -> Self:
        """Any encoder.

        Args:
            name: The model's name on the Hugging Face hub.
            layer: The layer whose output is compared; by default the one that bert-score found best for the model.
            revision: The commit of the model's repository; by default a fixed one of bert-score's encoders for
                languages, and `main` of others.
            language: The language of the rescaling baseline.
            memory_mib: Memory of the scoring function in MiB: at least three times the size of the encoder's file.

        Raises:
            ValueError: bert-score knows no layer for the model and none is given, or a value is not allowed.
        """
        if layer is None and name not in _KNOWN["layers"]:
            raise ValueError(f"layer: missing; bert-score knows none for {name!r}. Give the layer that is compared.")
        return cls(
            name=name,
            layer=_KNOWN["layers"][name] if layer is None else layer,
            revision=revision or _KNOWN["revisions"].get(name, "main"),
            language=language,
            memory_mib=memory_mib,
        )

    @property
    def has_baseline(self) -> bool:
        """Whether bert-score has a baseline for the encoder and the language, so that scores can be rescaled."""
        return self.name in _KNOWN["baselines"].get(self.language, ())


def _check_language(language: str) -> None:
    if not _LANGUAGE.fullmatch(language):
        raise ValueError(f"language: got {language!r}; write it as bert-score does, such as 'de', 'zh' or 'en-sci'.")
