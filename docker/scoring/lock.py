"""Writes the lock files from the `.in` files; run it on Python 3.12, the image's, with pip-tools installed.

The versions are those of the development environment, so that the image computes what the tests have tested.
"""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
DEVELOPMENT = HERE.parent.parent / "requirements" / "development.txt"

# The CPU build, which PyPI does not have; the hashes are of its wheels for CPython 3.12 on x86_64 and aarch64.
TORCH = r"""torch==2.13.0+cpu \
    --hash=sha256:4ca4a9394b0c771238a4f73590fdbbc4debad85ed0fa63d026ae1b085da7d6e2 \
    --hash=sha256:6f307c2c32d764ffc6ff6893b801fad6d4752f3e67966cb8abf1843427c02604
"""
# What tokenizers asks for to download from the hub; the functions download nothing and run without it.
OF_DOWNLOADS = re.compile(
    r"^(huggingface-hub|hf-xet|fsspec|filelock|requests|pyyaml|certifi|charset-normalizer|idna|packaging)=="
)
OF_CUDA_BUILDS = re.compile(r"^(torch|triton|nvidia-\S+|cuda-\S+)==")
HEADER = "# Written by lock.py from {}.\n"


def lock(name: str, constraints: Path) -> None:
    """Resolve `<name>.in` into `<name>.txt` with the hashes of every file."""
    options = ("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--no-emit-options")
    command = [sys.executable, "-m", "piptools", "compile", "--quiet", "--generate-hashes", "--allow-unsafe"]
    resolved = HERE / f"{name}.new"
    subprocess.run(
        [*command, *options, "--strip-extras", "--constraint", constraints, "--output-file", resolved, f"{name}.in"],
        check=True,
        cwd=HERE,
    )
    pins = re.split(r"^(?=\w)", resolved.read_text(), flags=re.MULTILINE)[1:]
    resolved.unlink()
    pins = [re.sub(r"^#.*\n", "", pin, flags=re.MULTILINE).strip() + "\n" for pin in pins]
    kept = [pin for pin in pins if not OF_CUDA_BUILDS.match(pin)]
    if name == "requirements":
        kept = [pin for pin in kept if not OF_DOWNLOADS.match(pin)]
    if name != "requirements.setup":
        kept.append(TORCH)
    (HERE / f"{name}.txt").write_text(HEADER.format(f"{name}.in") + "".join(sorted(kept)))


def main() -> None:
    """Write all lock files."""
    constraints = HERE / "constraints.new"
    pins = DEVELOPMENT.read_text().splitlines()
    constraints.write_text("\n".join(pin for pin in pins if "==" in pin and not OF_CUDA_BUILDS.match(pin)))
    for name in ("requirements.setup", "requirements", "requirements.build"):
        lock(name, constraints)
    constraints.unlink()


if __name__ == "__main__":
    main()
