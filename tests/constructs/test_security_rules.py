"""cdk-nag and the CDK's own rules: what they find, and that the reasons given are exact."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import cdk_nag
import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam

from app import SampleStack
from bedrock_customization import CustomizationWorkflow, permissions
from tests.complete import CompleteStack
from tests.nag import Finding, findings, takes_exact_ids

# On an older release of the CDK the findings are shown, and it has no rules of its own.
pytestmark = pytest.mark.skipif(not takes_exact_ids(), reason="this release of the CDK takes no exact ids")
ROOT = Path(__file__).parents[2]
PACKS = {
    "NIST.800.53.R5": cdk_nag.NIST80053R5Checks,
    "HIPAA.Security": cdk_nag.HIPAASecurityChecks,
    "PCI.DSS.321": cdk_nag.PCIDSS321Checks,
    "Serverless": cdk_nag.ServerlessChecks,
}


def sample(app: App) -> Stack:
    return SampleStack(app, "Sample", email="team@example.com")


def complete(app: App) -> Stack:
    return CompleteStack(app, "Complete")


@pytest.mark.parametrize("build", [sample, complete])
@pytest.mark.parametrize("flags", [{}, {"@aws-cdk/aws-iam:minimizePolicies": True}], ids=["no flags", "minimized"])
def test_aws_solutions_passes(build: Any, flags: dict[str, Any]) -> None:
    assert findings(build, cdk_nag.AwsSolutionsChecks, context=flags) == set()


def test_without_options_only_access_logs_are_left_to_decide() -> None:
    found = findings(
        lambda app: CustomizationWorkflow(Stack(app, "Stack"), "Customization"), cdk_nag.AwsSolutionsChecks
    )
    assert found == {
        Finding("AwsSolutions-S1", f"Stack/Customization/{name}Bucket/Resource")
        for name in ("Training", "Validation", "Results")
    }


def test_what_somebody_else_allows_is_found_all_the_same() -> None:
    def build(app: App) -> None:
        workflow = CustomizationWorkflow(Stack(app, "Stack"), "Customization")
        for actions, resource in (("s3:*", "*"), ("s3:GetObject", "arn:aws:s3:::theirs/*")):
            statement = iam.PolicyStatement(actions=[actions], resources=[resource])
            workflow.state_machine.add_to_role_policy(statement)

    rules = {found.rule for found in findings(build, cdk_nag.AwsSolutionsChecks)}
    assert "AwsSolutions-IAM5[Action::s3:*]" in rules
    assert "AwsSolutions-IAM5[Resource::arn:aws:s3:::theirs/*]" in rules


def test_a_wildcard_without_a_reason_is_found() -> None:
    """A statement that somebody adds to the library has to be given its reason."""
    tables = "arn:aws:dynamodb:us-east-1:123456789012:table/*"

    def build(app: App) -> None:
        role = iam.Role(Stack(app, "Stack"), "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        permissions.allow(role, [iam.PolicyStatement(actions=["dynamodb:GetItem"], resources=[tables])])

    found = findings(build, cdk_nag.AwsSolutionsChecks)
    assert found == {Finding(f"AwsSolutions-IAM5[Resource::{tables}]", "Stack/Role/DefaultPolicy/Resource")}


def test_the_document_answers_every_finding_of_the_other_packs() -> None:
    """Rules by their names without the pack's, and whose resources they are about."""
    found = {
        (pack, one.rule.removeprefix(f"{pack}-"))
        for pack, checks in PACKS.items()
        for one in findings(complete, checks)
    }
    answered = set()
    for line in (ROOT / "docs/security.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 3 and (rule := re.fullmatch(r"`(\w+)`", cells[0])):
            assert cells[2]
            answered |= {(pack, rule[1]) for pack in cells[1].split(", ")}
    assert answered == found


def test_the_cdks_own_rules_pass() -> None:
    """In a process of their own, because they cannot be switched on in one that has begun without them."""
    program = """
from tempfile import mkdtemp
from aws_cdk import App, CfnResource, Stack
from app import SampleStack
from tests.complete import CompleteStack

def app(build):
    app = App(outdir=mkdtemp(), context={"@aws-cdk/core:validateAgainstDefaultRules": True})
    build(app)
    app.synth()

def wrong(app):
    CfnResource(Stack(app, "Stack"), "Queue", type="AWS::SQS::Queue", properties={"DelaySeconds": "soon"})

app(lambda app: (SampleStack(app, "Sample", email="team@example.com"), CompleteStack(app, "Complete")))
print("passed")
try:
    app(wrong)
except RuntimeError as error:
    print("refused" if "ValidationFailed" in str(error) else error)
"""
    environment = {**os.environ, "CDK_VALIDATION": "true"}
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert run.stdout.split() == ["passed", "refused"], run.stderr
