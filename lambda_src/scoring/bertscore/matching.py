"""Greedy matching: each token of one text with the most similar token of the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

CHUNK_TOKENS = 8192
"""Tokens of padded candidates, or of padded references, that are compared at a time; it bounds memory."""


@dataclass(frozen=True)
class EncodedText:
    """A text as matching needs it: hidden states [tokens, hidden] of length 1 and the tokens' weights [tokens]."""

    states: torch.Tensor
    weights: torch.Tensor

    def alone(self) -> "EncodedText":
        """Return a copy that does not keep the memory of the texts encoded in the same batch."""
        return EncodedText(self.states.clone(), self.weights)


@dataclass(frozen=True)
class Pair:
    """A candidate and a reference.

    Attributes:
        candidate: The candidate.
        reference: The reference.
        candidate_padded: Whether bert-score pads the candidate in the pair's batch, see `match`.
        reference_padded: Whether it pads the reference.
    """

    candidate: EncodedText
    reference: EncodedText
    candidate_padded: bool = False
    reference_padded: bool = False


@torch.inference_mode()
def match(pairs: Sequence[Pair]) -> torch.Tensor:
    """Compute precision, recall and F1 of pairs.

    bert-score sets the similarity to a padding token to 0, so that a token for which every similarity is negative
    counts 0 where the other text is padded and its negative similarity where it is not.

    Args:
        pairs: The pairs; texts have at least the two special tokens.

    Returns:
        A tensor [pairs, 3]. Precision and recall are NaN for a text whose weights are all 0 but which is not empty.
    """
    scores = torch.empty(len(pairs), 3)
    lengths = [max(len(pair.candidate.states), len(pair.reference.states)) for pair in pairs]
    chunk: list[int] = []
    for i in sorted(range(len(pairs)), key=lengths.__getitem__):
        if chunk and (len(chunk) + 1) * lengths[i] > CHUNK_TOKENS:
            scores[chunk] = _match_chunk([pairs[j] for j in chunk])
            chunk = []
        chunk.append(i)
    if chunk:
        scores[chunk] = _match_chunk([pairs[j] for j in chunk])
    return scores


def _match_chunk(pairs: Sequence[Pair]) -> torch.Tensor:
    candidates, candidate_weights, candidate_mask = _padded([pair.candidate for pair in pairs])
    references, reference_weights, reference_mask = _padded([pair.reference for pair in pairs])
    similarity = torch.bmm(candidates, references.transpose(1, 2))
    nothing = float("-inf")
    best_for_candidate = similarity.masked_fill(~reference_mask.unsqueeze(1), nothing).amax(dim=2)
    best_for_reference = similarity.masked_fill_(~candidate_mask.unsqueeze(2), nothing).amax(dim=1)
    floor = torch.tensor([[0.0 if pair.reference_padded else nothing] for pair in pairs])
    precision = _weighted_mean(best_for_candidate.maximum(floor), candidate_weights, candidate_mask)
    floor = torch.tensor([[0.0 if pair.candidate_padded else nothing] for pair in pairs])
    recall = _weighted_mean(best_for_reference.maximum(floor), reference_weights, reference_mask)
    f1 = 2 * precision * recall / (precision + recall)
    f1 = f1.masked_fill(f1.isnan(), 0.0)
    empty = (candidate_mask.sum(dim=1) == 2) | (reference_mask.sum(dim=1) == 2)
    return torch.stack((precision.masked_fill(empty, 0.0), recall.masked_fill(empty, 0.0), f1), dim=1)


def _padded(texts: Sequence[EncodedText]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    lengths = torch.tensor([len(text.states) for text in texts])
    states = torch.nn.utils.rnn.pad_sequence([text.states for text in texts], batch_first=True)
    weights = torch.nn.utils.rnn.pad_sequence([text.weights for text in texts], batch_first=True)
    return states, weights, torch.arange(states.shape[1]) < lengths.unsqueeze(1)


def _weighted_mean(best: torch.Tensor, weights: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return (best.masked_fill(~mask, 0.0) * (weights / weights.sum(dim=1, keepdim=True))).sum(dim=1)
