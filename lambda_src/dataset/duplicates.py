"""Which records of a file repeat an earlier one."""

from dataset.prompts import folded_hash, record_hash

MAXIMUM_RECORDS = 250_000
"""More than any model trains on; beyond it, memory would have to grow with the file."""


class Duplicates:
    """Remembers two hashes of each record with the line where it stood first."""

    def __init__(self) -> None:
        self._first: dict[int, tuple[int, int]] = {}
        self.skipped = 0
        """How many records were too many to be remembered."""

    def finding(self, texts: list[str], line: int) -> tuple[str, str] | None:
        """Return the kind of finding and the earlier line, or None if this is the first record with these words.

        Args:
            texts: All texts of the record.
            line: Its line.
        """
        folded, exact = folded_hash(texts), record_hash(texts)
        if folded in self._first:
            first, its_exact = self._first[folded]
            if exact == its_exact:
                return "duplicateRecord", f"the same as line {first}"
            return "nearDuplicateRecord", f"the words of line {first}"
        if len(self._first) >= MAXIMUM_RECORDS:
            self.skipped += 1
        else:
            self._first[folded] = line, exact
        return None
