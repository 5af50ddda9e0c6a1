"""How much the image's packages take, beside what `pip install bert-score torch` takes.

torch is its CPU build both times.
"""

import re
import runpy
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

LOCK = Path(__file__).parent.parent / "docker" / "scoring" / "requirements.txt"
PRUNING = LOCK.with_name("prune_packages.py")
NOT_INSTALLED_BY_PIP = re.compile(r"(^|/)__pycache__/|^\.\./")


def of_image() -> float:
    """Return the MB (10^6 bytes) of the final stage's packages."""
    removed: re.Pattern[str] = runpy.run_path(str(PRUNING))["REMOVED"]
    names = re.findall(r"^(\S+)==", LOCK.read_text(), flags=re.MULTILINE)
    return sum(_size(distribution(name), removed) for name in names) / 1e6


def of_bert_score() -> float:
    """Return the MB that bert-score and torch take with all that they require."""
    found: dict[str, Distribution] = {}
    waiting = ["bert-score", "torch"]
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # asked for on other platforms only
            continue
        requirements = map(Requirement, found[name].requires or [])
        waiting += [one.name for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]
    return sum(_size(one) for one in found.values()) / 1e6


def _size(package: Distribution, removed: re.Pattern[str] | None = None) -> int:
    paths = [file for file in package.files or [] if not NOT_INSTALLED_BY_PIP.search(file.as_posix())]
    kept = [Path(str(file.locate())) for file in paths if removed is None or not removed.search(file.as_posix())]
    return sum(path.stat().st_size for path in kept if path.is_file())
