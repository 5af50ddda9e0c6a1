"""Writes the catalogue as the table in the README: `python -m bedrock_customization.models README.md`."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from bedrock_customization.models.table import models_table

_MARKED = re.compile(r"(<!-- models: begin -->\n).*?(<!-- models: end -->)", re.DOTALL)


def main(arguments: list[str] | None = None) -> int:
    """Replace the table between the marks `<!-- models: begin -->` and `<!-- models: end -->` of a file.

    Args:
        arguments: Command-line arguments; by default those of the process.

    Returns:
        The exit status: 1 if the file has no marks, else 0.
    """
    parser = argparse.ArgumentParser(prog="python -m bedrock_customization.models", description=__doc__)
    parser.add_argument("file", type=Path, help="a Markdown file with the marks")
    path: Path = parser.parse_args(arguments).file
    text, replaced = _MARKED.subn(lambda marks: marks[1] + models_table() + marks[2], path.read_text("utf-8"))
    if not replaced:
        print(f"{path}: has no <!-- models: begin --> and <!-- models: end -->", file=sys.stderr)
        return 1
    path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
