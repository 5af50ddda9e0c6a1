"""Prints how big folders are: `python print_sizes.py FOLDER ...`."""

import sys
from pathlib import Path


def megabytes(folder: Path) -> float:
    """Return the size of a folder's files in MB (10^6 bytes)."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6


def main() -> None:
    """Print the size of each folder named on the command line, and their sum."""
    sizes = {folder: megabytes(Path(folder)) for folder in sys.argv[1:]}
    for folder, size in [*sizes.items(), ("together", sum(sizes.values()))]:
        print(f"{size:10.1f} MB  {folder}")


if __name__ == "__main__":
    main()
