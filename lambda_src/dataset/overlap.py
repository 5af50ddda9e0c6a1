"""Which held-out prompts are in the training data, exactly or nearly.

The held-out prompts are the small side: they are indexed, and the training data is streamed past the index. Exact
means the same text but for case, spacing and Unicode form. Near means that at least 80 % of a held-out prompt's
sampled shingles (runs of five words) occur in one training prompt. Of each held-out prompt, at most 24 shingles are
sampled, those with the smallest hashes, as in MinHash; a shingle that more than one in twenty held-out prompts share is
boilerplate and does not count; a prompt with fewer than 4 shingles left is compared exactly only.
"""

from array import array

import numpy as np
import numpy.typing as npt

from dataset.prompts import exact_hash, shingles

MAXIMUM_PROMPTS = 100_000
SAMPLED_SHINGLES = 24
MINIMUM_SHINGLES = 4
NEAR_SHARE = 0.8
BOILERPLATE_SHARE = 0.05
BOILERPLATE_MAXIMUM = 50


class OverlapIndex:
    """Indexes the prompts of a held-out set and remembers where training prompts met them.

    Memory is bounded: about 700 bytes for each of at most `MAXIMUM_PROMPTS` distinct prompts.
    """

    def __init__(self) -> None:
        self._lines: dict[int, list[int] | int] = {}
        self._order: list[int] = []
        self._hashes = array("Q")
        self._owners = array("I")
        self._exact: dict[int, int] = {}
        self._near: dict[int, int] = {}
        self._ready = False
        self.skipped = 0
        """How many prompts were too many for the index."""

    def add(self, prompt: str, line: int) -> None:
        """Index a held-out prompt.

        Args:
            prompt: Its text.
            line: Its line in the held-out file.
        """
        key = exact_hash(prompt)
        if key in self._lines:
            held = self._lines[key]
            self._lines[key] = [*held, line] if isinstance(held, list) else [held, line]
        elif len(self._order) >= MAXIMUM_PROMPTS:
            self.skipped += 1
        else:
            sample = shingles(prompt)[:SAMPLED_SHINGLES]
            self._hashes.frombytes(sample.tobytes())
            self._owners.extend([len(self._order)] * len(sample))
            self._lines[key] = line
            self._order.append(key)

    def meet(self, prompt: str, line: int) -> None:
        """Compare a training prompt with all held-out prompts.

        Args:
            prompt: Its text.
            line: Its line in the training file.
        """
        if not self._ready:
            self._build()
        key = exact_hash(prompt)
        if key in self._lines:
            self._exact.setdefault(key, line)
        if not len(self._sorted):
            return
        for owner in self._near_owners(shingles(prompt)):
            self._near.setdefault(self._order[owner], line)

    @property
    def exact(self) -> dict[int, int]:
        """For each held-out line whose prompt is in the training data, the first training line that has it."""
        return self._by_line(self._exact)

    @property
    def near(self) -> dict[int, int]:
        """The same for prompts that are nearly, but not exactly, in the training data."""
        return self._by_line({key: line for key, line in self._near.items() if key not in self._exact})

    def _by_line(self, met: dict[int, int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for key, training_line in met.items():
            lines = self._lines[key]
            found |= dict.fromkeys(lines if isinstance(lines, list) else [lines], training_line)
        return dict(sorted(found.items()))

    def _build(self) -> None:
        hashes = np.frombuffer(self._hashes, dtype=np.uint64)
        owners = np.frombuffer(self._owners, dtype=np.uint32)
        order = np.argsort(hashes, kind="stable")
        hashes, owners = hashes[order], owners[order]
        self._hashes, self._owners = array("Q"), array("I")
        starts = np.flatnonzero(np.diff(hashes, prepend=~hashes[:1]))
        repeats = np.diff(starts, append=len(hashes))
        boilerplate = max(1, min(BOILERPLATE_MAXIMUM, int(len(self._order) * BOILERPLATE_SHARE)))
        telling = np.repeat(repeats <= boilerplate, repeats)
        sizes = np.bincount(owners[telling], minlength=len(self._order))
        telling &= sizes[owners] >= MINIMUM_SHINGLES
        self._sorted: npt.NDArray[np.uint64] = hashes[telling]
        self._sorted_owners: npt.NDArray[np.uint32] = owners[telling]
        self._needed = np.ceil(sizes * NEAR_SHARE)
        self._ready = True

    def _near_owners(self, present: npt.NDArray[np.uint64]) -> list[int]:
        starts = np.searchsorted(self._sorted, present, side="left")
        ends = np.searchsorted(self._sorted, present, side="right")
        met = np.flatnonzero(ends > starts)
        if not len(met):
            return []
        owners = np.concatenate([self._sorted_owners[starts[i] : ends[i]] for i in met])
        found, counts = np.unique(owners, return_counts=True)
        return found[counts >= self._needed[found]].tolist()  # type: ignore[no-any-return]
