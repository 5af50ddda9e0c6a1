"""What the packaging tests share: the built files, their dependencies, and commands run outside the checkout."""

import os
import subprocess
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Built:
    """The files that `python -m build` makes."""

    sdist: Path
    wheel: Path


def dependencies(name: str) -> set[str]:
    """The names of all distributions that the named one needs without extras."""
    found: set[str] = set()
    pending = [name]
    while pending:
        for text in distribution(pending.pop()).requires or ():
            requirement = Requirement(text)
            wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if wanted and requirement.name not in found:
                found.add(requirement.name)
                pending.append(requirement.name)
    return found


def run(*command: str | Path, cwd: Path | None = None, **environment: str) -> str:
    """Runs a command with no import path but its own, and returns what it printed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    finished = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=inherited | environment, capture_output=True, text=True
    )
    assert finished.returncode == 0, f"{command}\n{finished.stdout}\n{finished.stderr}"
    return finished.stdout
