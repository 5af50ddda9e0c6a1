"""Decisions within one account: identity, resource and key policies, boundaries, explicit denials, trust."""

from typing import Any

import pytest

from bedrock_customization.rehearsal import UnsupportedTemplateError
from bedrock_customization.rehearsal.permissions.context import RequestContext
from bedrock_customization.rehearsal.permissions.documents import PolicyKind, statements_of
from bedrock_customization.rehearsal.permissions.evaluation import Evaluation
from bedrock_customization.rehearsal.permissions.policies import Policies, Role
from bedrock_customization.rehearsal.permissions.statements import ANY_RESOURCE, Grant, Who
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


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        (allow(), True),
        (allow(action="S3:getobject"), True),
        (allow(action="s3:Get*"), True),
        (allow(action="s3:GetObjec?"), True),
        (allow(action="*"), True),
        (allow(action="s3:GetObjectVersion"), False),
        (allow(action=["s3:PutObject", "s3:GetObject"]), True),
        (allow(resource=f"{BUCKET}/*"), True),
        (allow(resource=f"{BUCKET}/runs/?"), True),
        (allow(resource="*"), True),
        (allow(resource="arn:aws:s3:*"), True),
        (allow(resource=f"{BUCKET}/RUNS/*"), False),
        (allow(resource=BUCKET), False),
        (allow(resource="arn:aws:s3:us-east-1::data/*"), False),
        ({"Effect": "Allow", "NotAction": "s3:PutObject", "Resource": "*"}, True),
        ({"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"}, False),
        ({"Effect": "Allow", "Action": "*", "NotResource": f"{BUCKET}/secret/*"}, True),
        ({"Effect": "Allow", "Action": "*", "NotResource": f"{BUCKET}/runs/*"}, False),
        (allow(Condition={"StringEquals": {"s3:prefix": "x"}}), False),
        (allow(resource=f"{BUCKET}/${{aws:PrincipalTag/folder}}/*"), True),
        (allow(resource=f"{BUCKET}/${{aws:PrincipalTag/other}}*"), False),
    ],
)
def test_an_identity_policy(statement: dict[str, Any], allowed: bool) -> None:
    decision = decide([statement], keys={"aws:principaltag/folder": ["runs"]})
    assert decision.reason == (None if allowed else "because no identity-based policy allows the s3:GetObject action")


@pytest.mark.parametrize(
    ("principal", "allowed"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ROLE}, True),
        ({"AWS": ["arn:aws:iam::123456789012:role/Other", SESSION]}, True),
        ({"AWS": "arn:aws:iam::123456789012:role/Other"}, False),
        ({"AWS": ROOT}, False),
        ({"AWS": "123456789012"}, False),
        ({"Service": "states.amazonaws.com"}, False),
    ],
)
def test_a_resource_policy_is_enough_when_it_names_the_role(principal: Any, allowed: bool) -> None:
    decision = decide([], own=[allow(Principal=principal)])
    assert (decision.reason is None) is allowed


def test_an_explicit_denial_wins_wherever_it_stands() -> None:
    denial = allow(effect="Deny")
    assert decide([allow(), denial]).reason == "with an explicit deny in an identity-based policy"
    own = decide([allow()], own=[allow(effect="Deny", Principal="*")])
    assert own.reason == "with an explicit deny in a resource-based policy"
    boundary = decide([allow()], boundary=[allow(), denial])
    assert boundary.reason == "with an explicit deny in a permissions boundary"
    assert decide([allow()], own=[allow(effect="Deny", Principal={"AWS": f"{ROLE}2"})]).reason is None


def test_tls_only() -> None:
    tls = allow(
        "s3:*", [BUCKET, f"{BUCKET}/*"], "Deny", Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}
    )
    assert decide([allow()], own=[tls], keys={"aws:securetransport": ["true"]}).reason is None
    assert "explicit deny" in str(decide([allow()], own=[tls], keys={"aws:securetransport": ["false"]}).reason)


def test_a_boundary_limits_what_is_allowed() -> None:
    assert decide([allow()], boundary=[allow("s3:*", "*")]).reason is None
    reason = "because no permissions boundary allows the s3:GetObject action"
    assert decide([allow()], boundary=[allow("s3:PutObject", "*")]).reason == reason
    assert decide([allow()], boundary=[]).reason == reason
    assert decide([], boundary=[allow("s3:*", "*")]).reason is not None


@pytest.mark.parametrize(("principal", "limited"), [(ROLE, True), (SESSION, False), ("*", True)])
def test_a_boundary_limits_what_a_resource_allows_to_the_role_but_not_to_its_session(
    principal: str, limited: bool
) -> None:
    own = [allow(Principal={"AWS": principal})]
    assert (decide([], own=own, boundary=[allow("s3:PutObject", "*")]).reason is not None) is limited
    denial = allow(effect="Deny")
    assert "permissions boundary" in str(decide([], own=own, boundary=[denial]).reason)


def test_a_denial_can_leave_out_actions_and_resources() -> None:
    everything = allow("*", "*")
    but_writing = {"Effect": "Deny", "NotAction": "s3:Get*", "Resource": "*"}
    assert decide([everything, but_writing]).reason is None
    assert decide([everything, but_writing], action="s3:PutObject").reason is not None
    but_runs = {"Effect": "Deny", "Action": "s3:*", "NotResource": f"{BUCKET}/runs/*"}
    assert decide([everything, but_runs]).reason is None
    assert decide([everything, but_runs], resource=f"{BUCKET}/secret").reason is not None


def test_a_denial_holds_only_when_all_its_conditions_do() -> None:
    denial = allow(
        effect="Deny",
        Condition={"StringEquals": {"s3:prefix": "x"}, "Null": {"aws:RequestTag/team": "true"}},
    )
    assert decide([allow(), denial], keys={"s3:prefix": ["y"]}).reason is None
    assert decide([allow(), denial], keys={"s3:prefix": ["x"], "aws:requesttag/team": ["blue"]}).reason is None
    assert decide([allow(), denial], keys={"s3:prefix": ["x"]}).reason is not None


def test_a_role_is_passed_to_the_named_service_only() -> None:
    passing = allow("iam:PassRole", ROLE, Condition={"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}})
    for service, allowed in (("bedrock.amazonaws.com", True), ("lambda.amazonaws.com", False)):
        keys = {"iam:passedtoservice": [service]}
        assert (decide([passing], action="iam:PassRole", resource=ROLE, keys=keys).reason is None) is allowed


@pytest.mark.parametrize(
    ("identity", "own", "allowed"),
    [
        ([allow("kms:Decrypt", KEY)], [allow("kms:*", "*", Principal={"AWS": ROOT})], True),
        ([], [allow("kms:*", "*", Principal={"AWS": ROOT})], False),
        ([allow("kms:Decrypt", KEY)], [], False),
        (
            [allow("kms:Decrypt", KEY)],
            [allow("kms:*", "*", Principal={"AWS": "arn:aws:iam::123456789012:role/X"})],
            False,
        ),
        ([], [allow("kms:Decrypt", "*", Principal={"AWS": ROLE})], True),
    ],
)
def test_a_keys_policy_allows_or_leaves_it_to_identity_policies(identity: Any, own: Any, allowed: bool) -> None:
    assert (decide(identity, own=own, action="kms:Decrypt", resource=KEY).reason is None) is allowed


def test_a_service_needs_the_resources_policy() -> None:
    queue = "arn:aws:sqs:us-east-1:123456789012:letters"
    named = allow("sqs:SendMessage", queue, Principal={"Service": "events.amazonaws.com"})
    named["Condition"] = {"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/mine"}}
    for rule, allowed in (("mine", True), ("theirs", False)):
        keys = {"aws:sourcearn": [f"arn:aws:events:us-east-1:123456789012:rule/{rule}"]}
        decision = decide([], own=[named], action="sqs:SendMessage", resource=queue, keys=keys, who=EVENTS)
        assert (decision.reason is None) is allowed


def test_trust() -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "events.amazonaws.com"}}
    condition = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    statements = statements_of(document({**trust, "Condition": condition}), "trust", "Team", PolicyKind.TRUST)
    role = Role(ROLE, "Team", statements)
    evaluation = Evaluation(Policies({ROLE: role}))

    def assume(who: Who, account: str) -> bool:
        return evaluation.may_assume(role, who, RequestContext({"aws:sourceaccount": [account]})).reason is None

    assert assume(EVENTS, "123456789012")
    assert not assume(EVENTS, "210987654321")
    assert not assume(Who(services=("lambda.amazonaws.com",)), "123456789012")


def test_a_resource_that_is_not_known_takes_any_statement_about_the_action() -> None:
    assert decide([allow("ec2:RunInstances", OBJECT)], action="ec2:RunInstances", resource=ANY_RESOURCE).reason is None
    assert decide([allow("ec2:StopInstances", "*")], action="ec2:RunInstances", resource=ANY_RESOURCE).reason
    denial = allow("ec2:*", OBJECT, "Deny")
    allowed = allow("ec2:*", "*")
    assert decide([allowed, denial], action="ec2:RunInstances", resource=ANY_RESOURCE).reason is None


def test_what_decides_and_is_not_known_is_refused_with_its_place() -> None:
    odd = allow(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})
    with pytest.raises(UnsupportedTemplateError, match=r"identity.Statement\[0\] .*aws:PrincipalOrgID"):
        decide([odd])
    assert decide([odd], action="s3:PutObject").reason is not None
    with pytest.raises(UnsupportedTemplateError, match=r"Team: .*s3:GetObject.* the policy is elsewhere"):
        decide([], unknown=["the policy is elsewhere"])
    assert decide([allow()], unknown=["the policy is elsewhere"]).reason is None


def test_what_was_used_is_told_by_action_and_resource() -> None:
    statement = allow(["s3:GetObject", "s3:PutObject", "s3:Get*"], [OBJECT, f"{BUCKET}/*", "arn:aws:s3:::other/*"])
    assert set(decide([statement]).grants) == {
        Grant("Team", action, resource)
        for action in ("s3:GetObject", "s3:Get*")
        for resource in (OBJECT, f"{BUCKET}/*")
    }
    assert decide([], own=[allow(Principal={"AWS": ROLE})]).grants == (
        Grant("Data/Policy", "s3:GetObject", f"to {ROLE}"),
    )
