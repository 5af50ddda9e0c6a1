"""In how many references each token occurs: the basis of the inverse document frequency (IDF)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import log


@dataclass
class DocumentFrequencies:
    """Counts over references that can be made shard by shard and added up.

    Attributes:
        documents: The number of references; one that occurs twice counts twice, as in bert-score.
        counts: For each token id, in how many of them it occurs.
    """

    documents: int = 0
    counts: Counter[int] = field(default_factory=Counter)

    @classmethod
    def of(cls, texts: Iterable[Iterable[int]]) -> "DocumentFrequencies":
        """Count the tokens of texts.

        Args:
            texts: The token ids of each reference, special tokens included.

        Returns:
            The counts.
        """
        frequencies = cls()
        for ids in texts:
            frequencies.documents += 1
            frequencies.counts.update(set(ids))
        return frequencies

    def __add__(self, other: "DocumentFrequencies") -> "DocumentFrequencies":
        """Merge the counts of two shards."""
        return DocumentFrequencies(self.documents + other.documents, self.counts + other.counts)

    def weight(self, token: int) -> float:
        """Return a token's inverse document frequency, log((documents + 1) / (documents with it + 1))."""
        return log((self.documents + 1) / (self.counts[token] + 1))
