"""What a message says of ends that are rare, composed from what the state reads."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ssm as ssm

from bedrock_customization import Commitment
from bedrock_customization.rehearsal.interpreter.jsonata import Expression
from bedrock_customization.rehearsal.interpreter.jsonata_functions import STATIC_FUNCTIONS
from bedrock_customization.rehearsal.interpreter.jsonata_values import encode
from bedrock_customization.states.message import compose_message

MODEL = {"kind": "Model", "name": "support", "arn": "arn:custom-model/1"}
THROUGHPUT = {"kind": "ProvisionedModel", "name": "support", "arn": "arn:provisioned-model/1"}
DEPLOYMENT = {"kind": "Deployment", "name": "support", "arn": "arn:deployment/1"}
FAILURE = {"error": "Broken", "cause": "It broke."}


@cache
def expression(commitment: Commitment | None) -> Expression:
    stack = Stack(App(), "Words")
    parameter = ssm.StringParameter.from_string_parameter_name(stack, "Current", "current-model")
    state: Any = compose_message(
        stack,
        "ComposeMessage",
        results_bucket="results",
        parameter=parameter,
        commitment=commitment,
        redrives="$redrives",
        registered="$isRegistered",
    ).to_state_json()
    return Expression(state["Assign"]["notification"].removeprefix("{% ").removesuffix(" %}"))


def compose(commitment: Commitment | None = None, **changes: Any) -> dict[str, str]:
    """Subject and message."""
    values = {
        "name": "support",
        "executionArn": "arn:run",
        "prefix": "runs/1/",
        "failure": None,
        "evaluation": None,
        "models": [],
        "failedCandidates": [],
        "warnings": [],
        "modelId": None,
        "previousModelId": None,
        "registrationFailure": None,
        "release": {"released": [], "kept": []},
        "redrives": 0,
        "isRegistered": None,
    }
    encoded = {name: encode(value) for name, value in (values | changes).items()}
    message: dict[str, str] = expression(commitment).evaluate({**STATIC_FUNCTIONS, **encoded}, "Assign")
    return message


def evaluation(verdict: str) -> dict[str, Any]:
    return {
        "verdict": verdict,
        "winner": None,
        "metric": "token_f1",
        "counted": 10,
        "records": 10,
        "scores": {"base": {"token_f1": 0.5}},
        "candidates": [],
        "report": "runs/1/report.html",
    }


def section(message: dict[str, str], title: str) -> str:
    """The text under a title."""
    return message["message"].partition(f"\n\n{title}\n")[2].partition("\n\n")[0]


@pytest.mark.parametrize("verdict", ["BETTER", "NOT_BETTER", "INCONCLUSIVE"])
def test_a_verdict_whose_release_left_something_says_so(verdict: str) -> None:
    left = DEPLOYMENT | {"problem": "Bedrock.ConflictException: in use"}
    release = {"released": [], "kept": [], "unreleased": [left]}
    told = compose(evaluation=evaluation(verdict), release=release)
    assert told["subject"] == f"Customization support: {verdict}, but not everything could be released"
    assert section(told, "Still billed") == (
        "  on-demand deployment support could not be released: Bedrock.ConflictException: in use"
    )
    assert section(told, "Next step").startswith("  Delete in the Bedrock console what could not be released.\n  ")


@pytest.mark.parametrize(
    ("release", "is_told"), [({}, False), ({"unlisted": None}, False), ({"unlisted": "No."}, True)]
)
@pytest.mark.parametrize("kept", [[], [MODEL]])
def test_models_that_could_not_be_listed_are_told_as_what_may_be_billed(
    kept: list[dict[str, str]], release: dict[str, Any], is_told: bool
) -> None:
    told = compose(failure=FAILURE, release={"released": [], "kept": kept, **release})
    lines = ["  custom model support, paid by the month for storage"] if kept else []
    if is_told:
        lines.append("  custom models, paid by the month for storage, if there are any: they could not be listed: No.")
    assert section(told, "Still billed").split("\n") == (lines or ["  nothing"])


@pytest.mark.parametrize(
    ("changes", "subject"),
    [
        ({"evaluation": evaluation("NOT_BETTER")}, "the custom model is not better"),
        ({"evaluation": evaluation("INCONCLUSIVE")}, "inconclusive"),
        ({"failure": FAILURE}, "failed"),
        ({"failure": FAILURE | {"stopped": True}}, "was stopped"),
    ],
)
def test_what_was_bought_for_a_term_is_told_as_kept_to_its_end_and_not_as_promoted(
    changes: dict[str, Any], subject: str
) -> None:
    told = compose(Commitment.SIX_MONTHS, **changes, release={"released": [], "kept": [THROUGHPUT, MODEL]})
    assert told["subject"] == f"Customization support: {subject}"
    assert section(told, "Still billed") == (
        "  provisioned throughput support, paid by the hour to the end of its term of six months, and on until it is"
        " deleted\n  custom model support, paid by the month for storage"
    )
    assert section(told, "Next step").endswith(
        "\n  Provisioned throughput was bought for six months and cannot be deleted before. When the term is over,"
        " delete it in the Bedrock console, and then its custom model. Meanwhile it can be asked:"
        "\n    arn:provisioned-model/1"
    )
    assert "promoted" not in told["message"]


def test_a_promoted_model_with_a_term_is_asked_and_not_deleted() -> None:
    release = {"released": [], "kept": [THROUGHPUT, MODEL]}
    for changes in ({"evaluation": evaluation("BETTER")}, {"failure": FAILURE, "isRegistered": True}):
        told = compose(Commitment.ONE_MONTH, **changes, modelId=THROUGHPUT["arn"], release=release)
        assert section(told, "Next step").endswith(
            "  Ask the custom model with this modelId:\n  arn:provisioned-model/1"
        )
        assert "to the end of its term of one month" in section(told, "Still billed")


@pytest.mark.parametrize(
    ("is_registered", "words"),
    [
        (None, ""),
        (
            False,
            "\n  It was not registered: the parameter current-model still names the model before it, if there was one.",
        ),
    ],
)
def test_a_model_that_was_promoted_and_not_registered_is_told_with_its_model_id(
    is_registered: bool | None, words: str
) -> None:
    release = {"released": [], "kept": [DEPLOYMENT, MODEL]}
    told = compose(failure=FAILURE, isRegistered=is_registered, release=release)
    assert section(told, "Next step") == (
        "  The custom model was promoted before the run ended, so it stays served and kept; delete it in the Bedrock"
        f" console if nobody needs it.{words}\n  Ask the custom model with this modelId:\n  arn:deployment/1"
    )
