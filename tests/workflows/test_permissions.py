"""Every permission of the workflows is enough, and is needed."""

import re

import pytest

from bedrock_customization.rehearsal import Rehearsal
from bedrock_customization.rehearsal.permissions.statements import Grant
from tests.mutation.permissions import JUSTIFIED, Assembly, removals
from tests.workflows.permission_cases import CASES

# What a role may do and never did over all cases, by the end of the role's path, and why it needs it all the same.
NEVER_USED = {
    ("Customization/Machine/Role", "bedrock:GetCustomModel", "custom-model/*"): "a run starts from an existing model",
    ("Customization/Machine/Role", "bedrock:InvokeModel", "application-inference-profile/*"): (
        "profiles of a team's own, which the rehearsal has none of"
    ),
    ("Evaluation/Machine/Role", "bedrock:InvokeModel", "application-inference-profile/*"): (
        "profiles of a team's own, which the rehearsal has none of"
    ),
    ("Evaluation/Machine/Role", "s3:AbortMultipartUpload", "/runs/*"): "large results are written in parts",
    ("Evaluation/Machine/Role", "s3:ListMultipartUploadParts", "/runs/*"): "large results are written in parts",
    ("Evaluation/Machine/Role", "states:DescribeExecution", ":*"): "Step Functions follows a Map Run's children",
    ("Evaluation/Machine/Role", "states:StopExecution", ":*"): "Step Functions stops a Map Run's children",
    ("Evaluation/Machine/Role", "states:RedriveExecution", "/*:*"): "somebody redrives an execution with a Map Run",
}


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    return Assembly(tmp_path_factory.mktemp("cdk.out"))


@pytest.fixture(scope="module")
def rehearsals(assembly: Assembly) -> list[Rehearsal]:
    return [case(assembly.directory) for case in CASES]


def test_nothing_is_denied(rehearsals: list[Rehearsal]) -> None:
    for rehearsal, case in zip(rehearsals, CASES, strict=True):
        assert rehearsal.permissions.denied == [], case.__name__
        assert rehearsal.permissions.unchecked == set()


def test_no_role_may_do_what_it_never_does(rehearsals: list[Rehearsal]) -> None:
    granted = {anywhere(grant) for rehearsal in rehearsals for grant in rehearsal.permissions.granted}
    used = {anywhere(grant) for rehearsal in rehearsals for grant in rehearsal.permissions.used}
    print(*(f"{grant.holder:55} {grant.action:45} {grant.resource}" for grant in sorted(granted)), sep="\n")

    unused = granted - used
    unjustified = {grant for grant in unused if not any(is_about(reason, grant) for reason in NEVER_USED)}
    assert unjustified == set()
    assert [reason for reason in NEVER_USED if not any(is_about(reason, grant) for grant in unused)] == []


def test_removing_a_statement_is_noticed(assembly: Assembly) -> None:
    """A sample; `python -m tests.mutation.permissions` removes every one."""
    listed = [removal for removal in removals(assembly.template) if removal.actions not in JUSTIFIED]
    for removal in listed[::12]:
        assert assembly.noticed_by(removal), removal


def anywhere(grant: Grant) -> Grant:
    """The grant without the Region, because not every model is served in each."""
    return Grant(grant.holder, grant.action, re.sub(r"us-(east|west)-\d", "*", grant.resource))


def is_about(reason: tuple[str, str, str], grant: Grant) -> bool:
    holder, action, resource = reason
    return grant.holder.endswith(holder) and grant.action == action and grant.resource.endswith(resource)
