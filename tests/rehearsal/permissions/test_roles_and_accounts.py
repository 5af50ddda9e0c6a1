"""Roles that are assumed, and resources of another account."""

from pathlib import Path

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from botocore.exceptions import ClientError

from bedrock_customization.rehearsal import Rehearsal
from tests.rehearsal.permissions.stacks import allow, in_handler, output, state_machine


@pytest.fixture
def stack(tmp_path: Path) -> cdk.Stack:
    return cdk.Stack(cdk.App(outdir=str(tmp_path / "cdk.out")), "Team")


@pytest.mark.parametrize(
    ("trusted", "granted", "words"),
    [
        ("account", True, ""),
        ("account", False, "sts:AssumeRole"),
        ("caller", False, ""),
        ("service", True, "no resource-based policy allows the sts:AssumeRole action"),
    ],
)
def test_a_handler_that_assumes_a_role_acts_as_it(stack: cdk.Stack, trusted: str, granted: bool, words: str) -> None:
    bucket, role_name = s3.Bucket(stack, "Data"), "target"

    def grant(caller: lambda_.Function) -> None:
        principals = {
            "account": iam.AccountRootPrincipal(),
            "caller": iam.ArnPrincipal(caller.role.role_arn),
            "service": iam.ServicePrincipal("ec2.amazonaws.com"),
        }
        role = iam.Role(stack, "Role", assumed_by=principals[trusted], role_name=role_name)
        bucket.grant_put(role)
        if granted:
            assume = iam.PolicyStatement(actions=["sts:AssumeRole"], resources=[role.role_arn])
            caller.add_to_role_policy(assume)

    def write() -> str:
        role_arn = f"arn:aws:iam::123456789012:role/{role_name}"
        issued = boto3.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="writer")["Credentials"]
        keys = {"aws_access_key_id": "AccessKeyId", "aws_secret_access_key": "SecretAccessKey"}
        client = boto3.client("s3", **{name: issued[key] for name, key in keys.items()})
        client.put_object(Bucket=name, Key="a", Body=b"x")
        try:
            client.delete_object(Bucket=name, Key="a")
        except ClientError as error:
            return str(error)
        return "deleted"

    rehearsal = in_handler(stack, write, grant=grant)
    name = rehearsal.bucket_name(bucket)
    answer = output(rehearsal)

    if words:
        assert words in answer["error"]["Message"]
    else:
        assert ":assumed-role/target/writer is not authorized to perform: s3:DeleteObject" in answer["result"]
    assert rehearsal.keys(bucket) == ([] if words else ["a"])


def test_a_resource_of_another_account_is_that_accounts(stack: cdk.Stack) -> None:
    theirs = "arn:aws:lambda:us-east-1:999999999999:function:theirs"
    calling = state_machine(stack, "Calling", "lambda:invoke", {"FunctionName": theirs})
    own = {"StringEquals": {"aws:ResourceAccount": stack.account}}
    allow(calling, "lambda:InvokeFunction", conditions=own)
    rehearsal = Rehearsal.from_stack(stack, handlers={"theirs": lambda event, context: None})

    assert f"lambda:InvokeFunction on resource: {theirs}" in rehearsal.run(calling, {}).cause
