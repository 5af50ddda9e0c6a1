"""Encodes and matches pairs in runs that fit into memory, each distinct text once."""

from collections import Counter
from collections.abc import Callable, Sequence

import torch

from scoring.bertscore.matching import EncodedText, Pair, match
from scoring.bertscore.tokens import TokenizedText

TokenIds = tuple[int, ...]


def score_pairs(
    pairs: Sequence[tuple[TokenizedText, TokenizedText]],
    encode: Callable[[Sequence[TokenIds]], list[torch.Tensor]],
    weight: Callable[[TokenizedText], torch.Tensor],
    batch_size: int | None,
    tokens_in_memory: int,
) -> torch.Tensor:
    """Score candidates against references.

    Pairs that share a reference are scored one after the other. Texts that later runs need again stay in memory as long
    as they take at most half of it.

    Args:
        pairs: A candidate and a reference each.
        encode: Gives the hidden states of texts.
        weight: Gives the weights of a text's tokens.
        batch_size: The batch size of the bert-score call to reproduce, see `BertScorer.score`.
        tokens_in_memory: How many tokens' hidden states are kept at a time.

    Returns:
        The scores [pairs, 3].
    """
    scores = torch.empty(len(pairs), 3)
    first = {reference.ids: number for number, (_, reference) in reversed(list(enumerate(pairs)))}
    order = sorted(range(len(pairs)), key=lambda number: first[pairs[number][1].ids])
    flags = _padded_in_reference(pairs, batch_size)
    pairs, padded = [pairs[number] for number in order], [flags[number] for number in order]
    uses = Counter(text.ids for pair in pairs for text in pair)
    held: dict[TokenIds, EncodedText] = {}
    start = 0
    while start < len(pairs):
        fresh, end = _next_run(pairs, start, held, tokens_in_memory)
        for text, states in zip(fresh.values(), encode(list(fresh)), strict=True):
            held[text.ids] = EncodedText(states, weight(text))
        scores[order[start:end]] = match(
            [
                Pair(held[candidate.ids], held[reference.ids], *is_padded)
                for (candidate, reference), is_padded in zip(pairs[start:end], padded[start:end], strict=True)
            ]
        )
        uses.subtract(text.ids for pair in pairs[start:end] for text in pair)
        held = {ids: encoded.alone() if ids in fresh else encoded for ids, encoded in held.items() if uses[ids]}
        if sum(map(len, held)) > tokens_in_memory // 2:
            held = {}
        start = end
    return scores


def _next_run(
    pairs: Sequence[tuple[TokenizedText, TokenizedText]],
    start: int,
    held: dict[TokenIds, EncodedText],
    tokens_in_memory: int,
) -> tuple[dict[TokenIds, TokenizedText], int]:
    """Find the texts to encode next, and the end of the pairs that can then be matched."""
    fresh: dict[TokenIds, TokenizedText] = {}
    tokens = sum(map(len, held))
    end = start
    while end < len(pairs):
        new = {text.ids: text for text in pairs[end] if text.ids not in held and text.ids not in fresh}
        size = sum(map(len, new))
        if end > start and tokens + size > tokens_in_memory:
            break
        fresh.update(new)
        tokens += size
        end += 1
    return fresh, end


def _padded_in_reference(
    pairs: Sequence[tuple[TokenizedText, TokenizedText]], batch_size: int | None
) -> list[tuple[bool, bool]]:
    """Tell for each pair whether bert-score pads its candidate and its reference."""
    if batch_size is None:
        return [(True, True)] * len(pairs)
    padded: list[tuple[bool, bool]] = []
    for start in range(0, len(pairs), batch_size):
        batch = [[len(text.ids) for text in pair] for pair in pairs[start : start + batch_size]]
        longest = [max(lengths) for lengths in zip(*batch, strict=True)]
        padded.extend((candidate < longest[0], reference < longest[1]) for candidate, reference in batch)
    return padded
