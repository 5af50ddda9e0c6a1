"""Permissions boundaries and managed policies that another stack makes, or none."""

from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn

from bedrock_customization.rehearsal import Rehearsal, UnsupportedTemplateError
from tests.rehearsal.permissions.stacks import allow, state_machine


@pytest.fixture
def app(tmp_path: Path) -> cdk.App:
    return cdk.App(outdir=str(tmp_path / "cdk.out"))


def managed(scope: cdk.Stack, *actions: str) -> iam.ManagedPolicy:
    statement = iam.PolicyStatement(actions=list(actions), resources=["*"])
    return iam.ManagedPolicy(scope, "Managed", statements=[statement])


@pytest.mark.parametrize(("action", "status"), [("s3:ListAllMyBuckets", "SUCCEEDED"), ("s3:GetObject", "FAILED")])
def test_a_boundary_of_another_stack_limits(app: cdk.App, action: str, status: str) -> None:
    boundary, stack = managed(cdk.Stack(app, "Company"), action), cdk.Stack(app, "Team")
    iam.PermissionsBoundary.of(stack).apply(boundary)
    listing = state_machine(stack, "Listing", "aws-sdk:s3:listBuckets", {})
    allow(listing, "s3:ListAllMyBuckets")

    assert Rehearsal.from_stack(stack).run(listing, {}).status == status


@pytest.mark.parametrize(("action", "status"), [("s3:ListAllMyBuckets", "SUCCEEDED"), ("s3:GetObject", "FAILED")])
def test_a_managed_policy_of_another_stack_allows(app: cdk.App, action: str, status: str) -> None:
    policy, stack = managed(cdk.Stack(app, "Company"), action), cdk.Stack(app, "Team")
    listing = state_machine(stack, "Listing", "aws-sdk:s3:listBuckets", {})
    listing.role.add_managed_policy(policy)

    assert Rehearsal.from_stack(stack).run(listing, {}).status == status


def test_a_boundary_from_elsewhere_is_refused_where_it_decides(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Team")
    imported = iam.ManagedPolicy.from_managed_policy_name(stack, "Imported", "company")
    iam.PermissionsBoundary.of(stack).apply(imported)
    denied = state_machine(stack, "Denied", "aws-sdk:s3:listBuckets", {})
    listing = state_machine(stack, "Listing", "aws-sdk:s3:listBuckets", {})
    allow(listing, "s3:ListAllMyBuckets")
    rehearsal = Rehearsal.from_stack(stack)

    assert "because no identity-based policy" in rehearsal.run(denied, {}).cause
    words = r"Team/Listing/Role: .*s3:ListAllMyBuckets.*policy/company is in no rehearsed stack; .*enforce_permissions"
    with pytest.raises(UnsupportedTemplateError, match=words):
        rehearsal.run(listing, {})
    assert Rehearsal.from_stack(stack, enforce_permissions=False).run(listing, {}).status == "SUCCEEDED"


def test_a_boundary_from_elsewhere_is_refused_where_a_creation_hangs_on_it(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Team")
    imported = iam.ManagedPolicy.from_managed_policy_name(stack, "Imported", "company")
    iam.PermissionsBoundary.of(stack).apply(imported)
    options = sfn.LogOptions(destination=logs.LogGroup(stack, "Log"), level=sfn.LogLevel.ALL)
    state_machine(stack, "Listing", "aws-sdk:s3:listBuckets", {}, logs=options)

    with pytest.raises(UnsupportedTemplateError, match=r"logs:CreateLogDelivery.*policy/company"):
        Rehearsal.from_stack(stack)


def test_a_boundary_that_comes_from_no_value_is_none(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Team")
    listing = state_machine(stack, "Listing", "aws-sdk:s3:listBuckets", {})
    allow(listing, "s3:ListAllMyBuckets")
    role = listing.role.node.default_child
    assert isinstance(role, iam.CfnRole)
    role.add_property_override("PermissionsBoundary", {"Ref": "AWS::NoValue"})

    assert Rehearsal.from_stack(stack).run(listing, {}).status == "SUCCEEDED"


def test_a_boundary_whose_name_is_not_known_is_refused_where_it_decides(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Team")
    listing = state_machine(stack, "Listing", "aws-sdk:s3:listBuckets", {})
    allow(listing, "s3:ListAllMyBuckets")
    role = listing.role.node.default_child
    assert isinstance(role, iam.CfnRole)
    role.permissions_boundary = cdk.Fn.import_value("CompanyBoundary")

    with pytest.raises(UnsupportedTemplateError, match=r"permissions boundary is not known: .*CompanyBoundary"):
        Rehearsal.from_stack(stack).run(listing, {})


def test_a_managed_policy_can_name_its_roles(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Team")
    listing = state_machine(stack, "Listing", "aws-sdk:s3:listBuckets", {})
    managed(stack, "s3:ListAllMyBuckets").attach_to_role(listing.role)

    assert Rehearsal.from_stack(stack).run(listing, {}).status == "SUCCEEDED"
