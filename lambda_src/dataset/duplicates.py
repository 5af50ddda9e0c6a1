"""Which records of a file repeat an earlier one."""

from dataset.prompts import record_hash

MAXIMUM_RECORDS = 250_000
"""More than any model trains on; beyond it, memory would have to grow with the file."""


class Duplicates:
    """Remembers a hash of each record with the line where it stood first."""

    def __init__(self) -> None:
        self._first: dict[int, int] = {}
        self.skipped = 0
        """How many records were too many to be remembered."""

    def first_line(self, texts: list[str], line: int) -> int | None:
        """Return the line of an earlier record with the same texts, or None if this is the first.

        Args:
            texts: All texts of the record.
            line: Its line.
        """
        key = record_hash(texts)
        if key in self._first:
            return self._first[key]
        if len(self._first) >= MAXIMUM_RECORDS:
            self.skipped += 1
        else:
            self._first[key] = line
        return None
