"""Checks and converts data on the own machine, as the workflow does: `python -m bedrock_customization.data --help`.

It needs numpy: `pip install "bedrock-customization[data]"`.
"""

from __future__ import annotations

import sys
from importlib import import_module

from bedrock_customization.assets import asset_root
from bedrock_customization.models.catalogue import machine_catalogue

PROGRAM = "python -m bedrock_customization.data"
USAGE = f"""usage: {PROGRAM} check --model MODEL --training FILE ...
       {PROGRAM} convert --to SCHEMA SOURCE TARGET

check    tells what is wrong with training, validation and evaluation data, line by line, and what to do about it;
         exit status 1 if there are errors
convert  writes training data in the schema that a model wants

Each has further options: {PROGRAM} check --help
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs one of the two commands, which are the dataset function's own code.

    Args:
        arguments: Command-line arguments; by default those of the process.

    Returns:
        The exit status: 0 when all is well, 1 when the data have errors, 2 when the command is wrong.
    """
    command, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if command not in ("check", "convert"):
        asked = command in ("-h", "--help")
        print(USAGE, end="", file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    sys.path.insert(0, str(asset_root() / "lambda_src"))
    try:
        checking, conversion = (import_module(f"dataset.{name}") for name in ("__main__", "conversion"))
    except ModuleNotFoundError as missing:
        print(f'{missing.name} is not installed: pip install "bedrock-customization[data]"', file=sys.stderr)
        return 2
    status: int = (
        conversion.main(rest, f"{PROGRAM} convert")
        if command == "convert"
        else checking.main(rest, f"{PROGRAM} check", machine_catalogue())
    )
    return status


if __name__ == "__main__":
    sys.exit(main())
