"""BERTScore of candidates against references."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from scoring.bertscore.document_frequencies import DocumentFrequencies
from scoring.bertscore.encoder_folder import EncoderFolder, InvalidEncoder, open_encoder_folder
from scoring.bertscore.packed_encoder import PackedEncoder
from scoring.bertscore.precision import bfloat16_available, measured_deviation
from scoring.bertscore.reference_encoder import ReferenceEncoder
from scoring.bertscore.tokens import TextTokenizer, TokenizedText
from scoring.bertscore.windows import score_pairs

TOKENS_IN_MEMORY = 65_536
"""Tokens whose hidden states are kept at a time: 256 MiB for an encoder with 1,024 hidden units."""


@dataclass(frozen=True)
class BertScores:
    """Scores in the order of the candidates.

    Attributes:
        precision: BERTScore precision; NaN where bert-score gives NaN (IDF, and no token of the candidate has a
            weight).
        recall: BERTScore recall, likewise.
        f1: BERTScore F1.
        empty: Whether the candidate, or every one of its references, has no token; it scores 0, also when rescaled.
        truncated: Whether the candidate was longer than the encoder takes.
        truncated_references: How many of the candidate's references were.
    """

    precision: list[float]
    recall: list[float]
    f1: list[float]
    empty: list[bool]
    truncated: list[bool]
    truncated_references: list[int]


class BertScorer:
    """Scores with one encoder.

    BERT, RoBERTa and DistilBERT encoders are computed without padding; every other one goes through bert-score itself.
    """

    def __init__(
        self,
        directory: Path | str,
        *,
        layer: int | None = None,
        baseline_path: Path | str | None = None,
        precision: Literal["fp32", "bf16"] = "fp32",
        tokens_in_memory: int = TOKENS_IN_MEMORY,
    ) -> None:
        """Load an encoder.

        Args:
            directory: The encoder's folder, as transformers' `save_pretrained` writes it.
            layer: The layer to score at. Default: the one in the folder's `encoder.json`, else the folder's last.
            baseline_path: A file with the scores of unrelated texts per layer, as bert-score ships them. Default: the
                baseline in `encoder.json`.
            precision: `bf16` computes the encoder in bfloat16 where the CPU has instructions for it, and in single
                precision elsewhere; it changes scores by about 0.001. The signature says which it was.
            tokens_in_memory: How many tokens' hidden states are kept at a time.

        Raises:
            InvalidEncoder: the folder lacks a file, or its files do not fit together.
        """
        self.folder: EncoderFolder = open_encoder_folder(directory, layer=layer, baseline_path=baseline_path)
        self._tokens_in_memory = tokens_in_memory
        self._tokenizer: TextTokenizer | ReferenceEncoder
        self._encoder: PackedEncoder | ReferenceEncoder
        self._precision = "fp32"
        if not self.folder.packed:
            self._tokenizer = self._encoder = ReferenceEncoder(self.folder)
            return
        self._tokenizer = TextTokenizer(self.folder)
        self._encoder = PackedEncoder(self.folder)
        if precision == "bf16" and bfloat16_available():
            lower = PackedEncoder(self.folder, torch.bfloat16)
            self._precision = f"bf16(deviation<={measured_deviation(self._tokenizer, self._encoder, lower):g})"
            self._encoder = lower

    def signature(self, *, idf: bool = False, rescale: bool = False) -> str:
        """Say how scores are made, so that two scores can be told comparable.

        Args:
            idf: Whether tokens are weighted by inverse document frequency.
            rescale: Whether scores are rescaled with the baseline, which is then named.

        Returns:
            Fields separated by `|`.

        Raises:
            InvalidEncoder: `rescale` without a known baseline.
        """
        fields = {
            "encoder": self.folder.name,
            "revision": self.folder.revision,
            "layer": self.folder.layer,
            "idf": "yes" if idf else "no",
            "rescale": "/".join(f"{value:.4f}" for value in self._baseline().tolist()) if rescale else "no",
            "precision": self._precision,
            "definition": "bert-score-0.3.13",
        }
        return "|".join(["bertscore", *(f"{field}:{value}" for field, value in fields.items() if value is not None)])

    def document_frequencies(self, references: Sequence[str]) -> DocumentFrequencies:
        """Count in how many references each token occurs; the counts of several shards can be added.

        Args:
            references: The references, with repetitions.

        Returns:
            The counts.
        """
        return DocumentFrequencies.of(text.ids for text in self._tokenizer.tokenize(references))

    def score(
        self,
        candidates: Sequence[str],
        references: Sequence[str | Sequence[str]],
        *,
        frequencies: DocumentFrequencies | None = None,
        rescale: bool = False,
        batch_size: int | None = 64,
    ) -> BertScores:
        """Score candidates.

        Args:
            candidates: The texts to score. Repeated texts, the reference of several systems' candidates for example,
                are encoded once.
            references: For each candidate its reference, or several; then precision, recall and F1 are each the best
                over the references, possibly of different ones, as in bert-score.
            frequencies: Weigh tokens by inverse document frequency with these counts. Default: all weigh the same.
            rescale: Map the baseline, the score of unrelated texts, to 0. Empty texts stay 0.
            batch_size: The batch size of the bert-score call to reproduce. A token whose similarity to every token of
                the other text is negative counts 0 in bert-score if the other text is padded to the length of a longer
                one in the same batch, and its negative similarity if not. Trained encoders at their usual layer do not
                get there. None takes every text as padded, as nearly all are, so that a score does not depend on which
                pairs are scored together.

        Returns:
            The scores.

        Raises:
            InvalidEncoder: rescaling without a baseline.
            ValueError: a candidate without reference, or different numbers of candidates and references.
        """
        groups = [[group] if isinstance(group, str) else list(group) for group in references]
        if len(groups) != len(candidates) or not all(groups):
            raise ValueError(
                f"references: got {len(groups)} entries, {sum(not group for group in groups)} of them empty, for "
                f"{len(candidates)} candidates; give each candidate at least one reference."
            )
        baseline = self._baseline() if rescale else None
        texts = list(dict.fromkeys([*candidates, *(text for group in groups for text in group)]))
        tokens = dict(zip(texts, self._tokenizer.tokenize(texts), strict=True))
        pairs = [
            (tokens[text], tokens[other]) for text, group in zip(candidates, groups, strict=True) for other in group
        ]
        weight = self._weights(frequencies)
        scores = score_pairs(pairs, self._encoder.encode, weight, batch_size, self._tokens_in_memory)
        best = [group.amax(dim=0) for group in scores.split([len(group) for group in groups])] if groups else []
        empty = [
            tokens[text].empty or all(tokens[other].empty for other in group)
            for text, group in zip(candidates, groups, strict=True)
        ]
        if baseline is not None:
            best = [
                row if nothing else (row - baseline) / (1 - baseline) for row, nothing in zip(best, empty, strict=True)
            ]
        precision, recall, f1 = torch.stack(best).T.tolist() if best else ([], [], [])
        return BertScores(
            precision=precision,
            recall=recall,
            f1=f1,
            empty=empty,
            truncated=[tokens[text].truncated for text in candidates],
            truncated_references=[sum(tokens[text].truncated for text in group) for group in groups],
        )

    def _baseline(self) -> torch.Tensor:
        if self.folder.baseline is None:
            raise InvalidEncoder(
                f"rescale: no baseline is known for {self.folder.name} at layer {self.folder.layer}. "
                "Switch rescaling off, or build the image with an encoder and language for which bert-score has a "
                "baseline."
            )
        return torch.tensor(self.folder.baseline)

    def _weights(self, frequencies: DocumentFrequencies | None) -> Callable[[TokenizedText], torch.Tensor]:
        if frequencies is None:
            special = set(self._tokenizer.special_ids)
            return lambda text: torch.tensor([float(token not in special) for token in text.ids])
        known: dict[int, float] = {}

        def weights(text: TokenizedText) -> torch.Tensor:
            for token in text.ids:
                if token not in known:
                    known[token] = frequencies.weight(token)
            return torch.tensor([known[token] for token in text.ids])

        return weights
