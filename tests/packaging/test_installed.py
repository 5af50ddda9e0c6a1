"""The wheel in an environment of its own: the README's import works there and gives what the checkout gives."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.packaging.distribution import ROOT, run

MARK = "<!-- synthesised by tests/packaging -->"
IMPORT_ALL = """
import importlib, pkgutil, sys
import bedrock_customization as package

def import_all(package):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if module.name not in ("bedrock_customization.rehearsal", "bedrock_customization.cli"):
            found = importlib.import_module(module.name)
            if module.ispkg:
                import_all(found)

import_all(package)
print(package.__file__)
print(*sorted(name for name in sys.modules if "." not in name))
"""


@pytest.fixture(scope="module")
def readme_app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The README's marked Python block as an app outside the checkout."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(rf"^{re.escape(MARK)}\n+```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert blocks, f"README.md: no Python block follows the line {MARK}"
    app = tmp_path_factory.mktemp("readme") / "app.py"
    app.write_text(blocks[0], encoding="utf-8")
    return app


def synthesise(python: str | Path, app: Path, outdir: Path, **environment: str) -> dict[str, dict]:
    """Runs a CDK app and returns the files of its cloud assembly."""
    run(python, app, cwd=app.parent, CDK_OUTDIR=str(outdir), **environment)
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in outdir.glob("*.json")}


def image_hashes(assembly: dict[str, dict]) -> set[str]:
    return {key for name, file in assembly.items() if name.endswith(".assets.json") for key in file["dockerImages"]}


def test_readme_import_synthesises_as_from_the_checkout(
    installed_python: Path, readme_app: Path, tmp_path: Path
) -> None:
    installed = synthesise(installed_python, readme_app, tmp_path / "installed")
    checkout = synthesise(sys.executable, readme_app, tmp_path / "checkout", PYTHONPATH=str(ROOT))

    templates = {name: file for name, file in installed.items() if name.endswith(".template.json")}
    types = [resource["Type"] for file in templates.values() for resource in file["Resources"].values()]
    assert "AWS::StepFunctions::StateMachine" in types
    assert len(image_hashes(installed)) >= 1
    assert image_hashes(installed) == image_hashes(checkout)
    assert templates == {name: file for name, file in checkout.items() if name.endswith(".template.json")}


def test_constructs_need_the_cdk_only(installed_python: Path, tmp_path: Path) -> None:
    file, _ = run(installed_python, "-c", IMPORT_ALL, cwd=tmp_path).splitlines()
    assert Path(file).is_relative_to(installed_python.parents[1])


def test_constructs_import_nothing_heavy_where_it_is_installed(tmp_path: Path) -> None:
    _, modules = run(sys.executable, "-c", IMPORT_ALL, cwd=tmp_path, PYTHONPATH=str(ROOT)).splitlines()
    heavy = {"boto3", "botocore", "moto", "jsonata", "numpy", "scoring", "dataset", "torch", "transformers", "trio"}
    assert heavy.isdisjoint(modules.split())


def test_data_are_checked_with_the_wheel_alone_and_numpy(installed_python: Path, tmp_path: Path) -> None:
    data = tmp_path / "train.jsonl"
    data.write_text('{"prompt": "Question", "completion": "Answer"}\n' * 3, encoding="utf-8")
    numpy = Path(run(sys.executable, "-c", "import numpy; print(numpy.__path__[0])", cwd=tmp_path).strip())
    command = ["-m", "bedrock_customization.data", "check", "--training", data]
    with pytest.raises(AssertionError, match=r"numpy is not installed: pip install .bedrock-customization\[data\]"):
        run(installed_python, *command, cwd=tmp_path)
    packages = tmp_path / "packages"
    packages.mkdir()
    for folder in (numpy, *numpy.parent.glob("numpy.libs")):
        (packages / folder.name).symlink_to(folder)
    output = run(installed_python, *command, cwd=tmp_path, PYTHONPATH=str(packages))
    assert "duplicateRecord, 2 times" in output
