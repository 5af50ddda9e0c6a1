"""Every permission of the workflows is enough, and is needed."""

import re

import pytest

from bedrock_customization.rehearsal.permissions.statements import Grant
from tests.mutation.permissions import JUSTIFIED, Assembly, removals
from tests.workflows.permission_cases import CASES

# What a role may do and never did over all cases, by the end of the role's path, and why it needs it all the same.
NEVER_USED = {
    ("Evaluation/Machine/Role", "s3:AbortMultipartUpload", "/runs/*"): "Step Functions writes large files in parts",
    ("Evaluation/Machine/Role", "s3:ListMultipartUploadParts", "/runs/*"): "Step Functions writes large files in parts",
    ("Evaluation/Machine/Role", "states:DescribeExecution", ":*"): "Step Functions follows a Map Run's children",
    ("Evaluation/Machine/Role", "states:StopExecution", ":*"): "Step Functions stops a Map Run's children",
}


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    return Assembly(tmp_path_factory.mktemp("cdk.out"))


def test_nothing_is_denied(assembly: Assembly) -> None:
    for rehearsal, case in zip(assembly.rehearsals, CASES, strict=True):
        assert rehearsal.permissions.denied == [], case.__name__
        assert rehearsal.permissions.unchecked == set()


def test_no_role_may_do_what_it_never_does(assembly: Assembly) -> None:
    granted = {anywhere(grant) for rehearsal in assembly.rehearsals for grant in rehearsal.permissions.granted}
    used = {anywhere(grant) for rehearsal in assembly.rehearsals for grant in rehearsal.permissions.used}
    print(*(f"{grant.holder:55} {grant.action:45} {grant.resource}" for grant in sorted(granted)), sep="\n")

    unused = granted - used
    unjustified = {grant for grant in unused if not any(is_about(reason, grant) for reason in NEVER_USED)}
    assert unjustified == set()
    assert [reason for reason in NEVER_USED if not any(is_about(reason, grant) for grant in unused)] == []


@pytest.mark.parametrize(("kind", "every"), [("statement", 2), ("action", 8), ("condition", 3)])
def test_a_removal_is_noticed(assembly: Assembly, kind: str, every: int) -> None:
    """Every second statement, and fewer of the rest; `python -m tests.mutation.permissions` removes all of them."""
    listed = [removal for removal in removals(assembly.template) if removal.kind == kind and removal.reason is None]
    assert listed
    unnoticed = [removal for removal in listed[::every] if assembly.noticed_by(removal) is None]
    assert unnoticed == []


def test_every_reason_is_needed(assembly: Assembly) -> None:
    """Each is about something that is there to be removed."""
    listed = removals(assembly.template)
    for beginning, what in JUSTIFIED:
        assert [removal for removal in listed if removal.logical_id.startswith(beginning) and removal.what == what]


def anywhere(grant: Grant) -> Grant:
    """The grant without the Region, because not every model is served in each."""
    return Grant(grant.holder, grant.action, re.sub(r"us-(east|west)-\d", "*", grant.resource))


def is_about(reason: tuple[str, str, str], grant: Grant) -> bool:
    holder, action, resource = reason
    return grant.holder.endswith(holder) and grant.action == action and grant.resource.endswith(resource)
