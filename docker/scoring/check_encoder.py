"""Checks that an encoder folder, with the packages that run in the image, gives the numbers that bert-score gave.

Usage: `python check_encoder.py FOLDER`, with a folder that `prepare_encoder.py` made.
"""

import json
import sys
from pathlib import Path

from scoring.bertscore.scorer import BertScorer

TOLERANCE = 1e-6


def main() -> None:
    """Compare, and exit with an error if a number differs."""
    folder = Path(sys.argv[1])
    expected = json.loads((folder / "parity.json").read_text())
    scorer = BertScorer(folder)
    scores = scorer.score(expected["candidates"], expected["references"])
    deviations = {
        part: max(abs(got - wanted) for got, wanted in zip(getattr(scores, part), expected[part], strict=True))
        for part in ("precision", "recall", "f1")
    }
    print(scorer.signature())
    print(f"largest deviation from bert-score over {len(scores.f1)} pairs: {deviations}")
    if not max(deviations.values()) <= TOLERANCE:
        sys.exit(f"{folder}: scores differ from bert-score's by more than {TOLERANCE}; the image would score wrongly.")


if __name__ == "__main__":
    main()
