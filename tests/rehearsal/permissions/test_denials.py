"""Whom a Deny of a resource's policy hits, and what is refused because nothing known decides."""

from typing import Any

import pytest

from bedrock_customization.rehearsal import UnsupportedTemplateError
from bedrock_customization.rehearsal.permissions.context import RequestContext
from bedrock_customization.rehearsal.permissions.documents import PolicyKind, statements_of
from bedrock_customization.rehearsal.permissions.evaluation import Evaluation, Request
from bedrock_customization.rehearsal.permissions.policies import Policies, Role
from bedrock_customization.rehearsal.permissions.statements import Who
from tests.rehearsal.permissions.deciding import (
    BUCKET,
    EVENTS,
    KEY,
    OBJECT,
    ROLE,
    ROOT,
    SESSION,
    allow,
    decide,
    document,
)

QUEUE = "arn:aws:sqs:us-east-1:123456789012:letters"
OTHER = "arn:aws:iam::210987654321:root"


def but(principals: dict[str, Any]) -> dict[str, Any]:
    return {"Effect": "Deny", "NotPrincipal": principals, "Action": "*", "Resource": "*"}


@pytest.mark.parametrize(
    ("principal", "hit"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ROLE}, True),
        ({"AWS": SESSION}, True),
        ({"AWS": ROOT}, True),
        ({"AWS": "123456789012"}, True),
        ({"AWS": OTHER}, False),
        ({"Service": "events.amazonaws.com"}, False),
    ],
)
def test_a_denial_to_an_account_hits_all_its_roles(principal: Any, hit: bool) -> None:
    decision = decide([allow()], own=[allow(effect="Deny", Principal=principal)])
    assert (decision.reason == "with an explicit deny in a resource-based policy") is hit


@pytest.mark.parametrize(
    ("spared", "hit"),
    [
        ([ROLE, ROOT, SESSION], False),
        ([ROLE, "123456789012", SESSION], False),
        ([ROLE, ROOT], True),
        ([ROLE, SESSION], True),
        ([ROOT, SESSION], True),
        ([ROLE, ROOT, f"{SESSION}2"], True),
    ],
)
def test_a_denial_to_all_but_some_spares_who_is_named_with_account_role_and_session(
    spared: list[str], hit: bool
) -> None:
    assert (decide([allow()], own=[but({"AWS": spared})]).reason is not None) is hit


def test_a_denial_to_all_but_some_hits_every_role_with_a_boundary() -> None:
    everything, own = [allow("*", "*")], [but({"AWS": [ROLE, ROOT, SESSION]})]
    assert "explicit deny" in str(decide([allow()], own=own, boundary=everything).reason)


def test_a_denial_to_all_but_some_spares_a_service_that_it_names() -> None:
    sending = allow("sqs:SendMessage", QUEUE, Principal={"Service": "events.amazonaws.com"})
    for service, allowed in (("events.amazonaws.com", True), ("sns.amazonaws.com", False)):
        own = [sending, but({"Service": service})]
        assert (decide([], own=own, action="sqs:SendMessage", resource=QUEUE, who=EVENTS).reason is None) is allowed


def test_what_one_session_may_do_another_may_not() -> None:
    policies = Policies({ROLE: Role(ROLE, "Team", [])})
    own = document(allow(Principal={"AWS": SESSION}))
    policies.of_resources[BUCKET] = statements_of(own, "own", "Data", PolicyKind.RESOURCE)
    evaluation = Evaluation(policies)

    def allowed(session: str) -> bool:
        who = Who(ROLE, session, "123456789012")
        return evaluation.decide(who, Request("s3:GetObject", OBJECT, RequestContext({}))).reason is None

    assert allowed(SESSION)
    assert not allowed(f"{SESSION}2")


def test_a_variable_in_a_resource_that_is_not_known_is_refused_with_its_place() -> None:
    with pytest.raises(UnsupportedTemplateError, match=r"identity.Statement\[0\] .*aws:userid"):
        decide([allow(resource=f"{BUCKET}/${{aws:userid}}/*")])


@pytest.mark.parametrize("order", [1, -1])
def test_a_condition_that_fails_decides_before_and_after_one_that_is_not_known(order: int) -> None:
    conditions = [
        ("StringNotEquals", {"aws:PrincipalOrgID": "o-1"}),
        ("Bool", {"aws:SecureTransport": "false"}),
    ]
    denial = allow(effect="Deny", Condition=dict(conditions[::order]))
    assert decide([allow(), denial], keys={"aws:securetransport": ["true"]}).reason is None
    with pytest.raises(UnsupportedTemplateError, match="aws:PrincipalOrgID"):
        decide([allow(), denial], keys={"aws:securetransport": ["false"]})


def test_a_boundary_that_is_not_known_is_refused_where_it_decides() -> None:
    unknown = ["the policy is elsewhere"]
    words = r"Team: .*s3:GetObject.* permissions boundary is not known: the policy is elsewhere; .*enforce_permissions"
    with pytest.raises(UnsupportedTemplateError, match=words):
        decide([allow()], boundary=[], boundary_unknown=unknown)
    assert "identity-based" in str(decide([], boundary=[], boundary_unknown=unknown).reason)
    assert "explicit deny" in str(decide([allow(effect="Deny")], boundary=[], boundary_unknown=unknown).reason)
    assert decide([], own=[allow(Principal={"AWS": SESSION})], boundary=[], boundary_unknown=unknown).reason is None


def test_a_service_that_uses_a_key_which_no_stack_makes_is_refused() -> None:
    elsewhere = KEY.replace("key/1", "key/2")
    with pytest.raises(
        UnsupportedTemplateError, match=rf"events.amazonaws.com: .*kms:Decrypt on {elsewhere}.*no rehea"
    ):
        decide([], action="kms:Decrypt", resource=elsewhere, who=EVENTS)
    assert "resource-based" in str(decide([], action="kms:Decrypt", resource=KEY, who=EVENTS).reason)
    assert "identity-based" in str(decide([], action="kms:Decrypt", resource=elsewhere).reason)
