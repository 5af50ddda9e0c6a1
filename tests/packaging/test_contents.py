"""What is in the sdist and in the wheel."""

import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from tests.packaging.distribution import ROOT, Built

ASSETS = "bedrock_customization/_assets/"


@pytest.fixture(scope="module")
def wheel_files(built: Built) -> set[str]:
    with zipfile.ZipFile(built.wheel) as wheel:
        return set(wheel.namelist())


@pytest.fixture(scope="module")
def sdist_files(built: Built) -> set[str]:
    with tarfile.open(built.sdist) as sdist:
        return {name.partition("/")[2] for name in sdist.getnames()}


def sources(folder: str) -> set[str]:
    """The files of a folder of the checkout, without what Python and editors leave behind."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not any(is_cache(part) for part in path.parts)
    }


def is_cache(part: str) -> bool:
    return part.endswith((".pyc", "_cache", "__pycache__")) or part == ".DS_Store"


def test_wheel_holds_the_whole_package(wheel_files: set[str]) -> None:
    package = {name for name in wheel_files if name.startswith("bedrock_customization/")}
    assert {name for name in package if not name.startswith(ASSETS)} == sources("bedrock_customization")
    assert "bedrock_customization/py.typed" in package


@pytest.mark.parametrize("folder", ["lambda_src", "docker"])
def test_wheel_holds_the_image_context(wheel_files: set[str], folder: str) -> None:
    shipped = {name.removeprefix(ASSETS) for name in wheel_files if name.startswith(f"{ASSETS}{folder}/")}
    assert shipped == sources(folder)
    assert shipped


def test_wheel_holds_nothing_else(wheel_files: set[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel_files}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"bedrock_customization"}
    assert not {name for name in wheel_files if any(is_cache(part) for part in Path(name).parts)}


@pytest.mark.parametrize(
    "folder", ["bedrock_customization", "lambda_src", "docker", "samples", "benchmarks", "tests", "requirements"]
)
def test_sdist_is_complete(sdist_files: set[str], folder: str) -> None:
    assert sources(folder) <= sdist_files


def test_sdist_can_be_worked_in(sdist_files: set[str]) -> None:
    needed = {"Makefile", "app.py", "cdk.json", "package.json", "package-lock.json", "pyproject.toml", "README.md"}
    assert needed | {"CHANGELOG.md", "LICENSE"} <= sdist_files
    assert not {name for name in sdist_files if name.startswith((".venv", "node_modules", "build/", "cdk.out"))}


def test_metadata_asks_for_the_cdk_only(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = HeaderParser().parsestr(wheel.read(name).decode())
    required = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert [line.partition(">")[0].partition("<")[0] for line in required] == ["aws-cdk-lib", "constructs"]
    assert set(metadata.get_all("Provides-Extra")) == {"data", "rehearsal", "scoring", "dev"}
    assert metadata["License-Expression"] == "Apache-2.0"
