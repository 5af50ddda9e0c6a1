"""The files that say what to install agree with each other."""

import json
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.distribution import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(requirement.name): str(requirement.specifier) for requirement in requirements}


def test_floor_is_the_lower_bound() -> None:
    lower_bounds = {
        requirement.name: f"=={bound.version}"
        for requirement in map(Requirement, PROJECT["dependencies"])
        for bound in requirement.specifier
        if bound.operator == ">="
    }
    assert pins("floor.txt") == lower_bounds


def test_lock_pins_all_that_the_project_asks_for() -> None:
    locked = pins("development.txt")
    asked = [*PROJECT["dependencies"], *(text for extra in PROJECT["optional-dependencies"].values() for text in extra)]
    for requirement in map(Requirement, asked):
        name = canonicalize_name(requirement.name)
        if name != "bedrock-customization":
            assert requirement.specifier.contains(locked[name].removeprefix("==")), (
                f"{requirement} is not {locked[name]}"
            )
    assert all(specifier.startswith("==") for specifier in locked.values())


def test_locks_name_no_host() -> None:
    for lock in [*Path(ROOT / "requirements").glob("*.txt"), ROOT / "package-lock.json"]:
        assert "://" not in lock.read_text(encoding="utf-8"), f"{lock.name} names a host"


def test_cdk_cli_is_version_2() -> None:
    locked = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert locked["packages"]["node_modules/aws-cdk"]["version"].startswith("2.")
