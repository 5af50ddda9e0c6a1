"""Removes what no function needs from the folder of installed packages: `python prune_packages.py FOLDER`."""

import re
import sys
from pathlib import Path

# Headers, tests, type stubs and command-line tools; torch_shm_manager is needed to import torch.
REMOVED = re.compile(
    r"^(bin|torch/include|torch/share|torch/test)/|^torch/bin/(?!torch_shm_manager$)|(^|/)tests/|\.pyi$"
)


def main() -> None:
    """Remove the files and the folders that are then empty."""
    folder = Path(sys.argv[1])
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif REMOVED.search(path.relative_to(folder).as_posix()):
            path.unlink()


if __name__ == "__main__":
    main()
