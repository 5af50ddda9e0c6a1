"""The catalogue keeps to its schema, and what it says hangs together."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from bedrock_customization.models import catalogue as package
from bedrock_customization.models.catalogue import catalogue, customizable_models, machine_catalogue

SCHEMA = json.loads(Path(package.__file__).with_name("catalogue.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker())


def entries() -> list[Any]:
    return [pytest.param(identifier, entry, id=identifier) for identifier, entry in catalogue().items()]


def test_the_catalogue_keeps_to_its_schema() -> None:
    VALIDATOR.check_schema(SCHEMA)
    assert [error.message for error in VALIDATOR.iter_errors(catalogue())] == []


@pytest.mark.parametrize(
    "change",
    [
        {"serving": ["batch"]},
        {"lifecycle": "END_OF_LIFE"},
        {"replacement": "amazon.nova-lite-v1:0:300k"},
        {"epochs": 1},
        {"regions": ["Virginia"]},
        {"date": "last week"},
        {"teachers": {"amazon.nova-pro-v1:0": ["by-mail"]}},
        {"customizationTypes": ["FINE_TUNING"]},
        {"media": {"smell": ["rose"]}},
    ],
)
def test_the_schema_refuses_a_faulty_entry(change: dict[str, Any]) -> None:
    (identifier, entry), *_ = catalogue().items()
    assert not VALIDATOR.is_valid({identifier: entry | change})


@pytest.mark.parametrize(("identifier", "entry"), entries())
def test_ranges_hold_their_defaults(identifier: str, entry: dict[str, Any]) -> None:
    assert entry["records"]["min"] < entry["records"]["max"]
    for rule in entry["hyperParameters"].values():
        assert rule["min"] <= rule.get("default", rule["min"]) <= rule["max"]


@pytest.mark.parametrize(("identifier", "entry"), entries())
def test_a_retired_model_names_an_active_replacement(identifier: str, entry: dict[str, Any]) -> None:
    if entry["lifecycle"] != "ACTIVE":
        assert catalogue()[entry["replacement"]]["lifecycle"] == "ACTIVE"


def test_the_models_of_the_seeds_are_there() -> None:
    lifecycles = {identifier: entry["lifecycle"] for identifier, entry in catalogue().items()}
    active = [identifier for identifier, lifecycle in lifecycles.items() if lifecycle == "ACTIVE"]
    for family in ("nova-micro", "nova-lite", "nova-pro", "nova-2-lite", "llama3-1", "llama3-2", "llama3-3"):
        assert [identifier for identifier in active if family in identifier], family
    for family in ("cohere.command-text", "cohere.command-light", "titan-text", "llama2", "claude-3-haiku"):
        found = [lifecycle for identifier, lifecycle in lifecycles.items() if family in identifier]
        assert set(found) == {"END_OF_LIFE"}, family


def test_the_machine_carries_no_sources() -> None:
    assert {"source", "date"} & {key for entry in machine_catalogue().values() for key in entry} == set()


def test_what_can_be_customized_in_a_region_with_a_serving_mode() -> None:
    assert customizable_models("eu-west-1", "automatic") == []
    assert "amazon.nova-micro-v1:0:128k" in customizable_models("us-east-1", "on-demand")
    west = customizable_models("us-west-2", "on-demand")
    assert "meta.llama3-3-70b-instruct-v1:0:128k" in west
    assert "meta.llama3-1-8b-instruct-v1:0:128k" not in west


def test_who_teaches_whom_is_as_in_bedrocks_guide() -> None:
    pairs = {
        (teacher, identifier)
        for identifier, entry in catalogue().items()
        if entry["lifecycle"] == "ACTIVE"
        for teacher in entry.get("teachers", {})
    }
    assert len(pairs) == 15
    assert ("amazon.nova-premier-v1:0", "amazon.nova-pro-v1:0:300k") in pairs
    assert ("meta.llama3-1-405b-instruct-v1:0", "meta.llama3-2-3b-instruct-v1:0:128k") not in pairs
    assert {teacher.split(".")[0] == student.split(".")[0] for teacher, student in pairs} == {True}
