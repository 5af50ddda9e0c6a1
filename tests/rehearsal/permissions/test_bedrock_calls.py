"""Which actions on which models, jobs and roles calls of Bedrock need."""

from dataclasses import replace
from typing import Any

import pytest

from bedrock_customization.rehearsal.permissions.calls.training import needs_of_service_role
from bedrock_customization.rehearsal.services.bedrock.resources import InferenceProfile
from tests.rehearsal.permissions.account import ACCOUNT, HERE, KEY, needed, needs

TAGS = [{"key": "team", "value": "blue"}]
GUARDRAIL = f"arn:aws:bedrock:{HERE}:guardrail/abc"
JOB = {
    "jobName": "a",
    "customModelName": "b",
    "roleArn": "arn:aws:iam::123456789012:role/Bedrock",
    "baseModelIdentifier": "amazon.nova-micro-v1:0:128k",
    "jobTags": TAGS,
    "customModelTags": TAGS,
}


@pytest.mark.parametrize(
    ("service", "operation", "request_", "expected"),
    [
        (
            "bedrock-runtime",
            "Converse",
            {"modelId": "amazon.nova-micro-v1:0"},
            [("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0")],
        ),
        (
            "bedrock-runtime",
            "ConverseStream",
            {"modelId": "arn:aws:bedrock:us-east-1::foundation-model/a.b"},
            [("bedrock:InvokeModelWithResponseStream", "arn:aws:bedrock:us-east-1::foundation-model/a.b")],
        ),
        (
            "bedrock-runtime",
            "InvokeModel",
            {"modelId": f"arn:aws:bedrock:{HERE}:provisioned-model/abc"},
            [("bedrock:InvokeModel", "arn:aws:bedrock:HERE:provisioned-model/abc")],
        ),
        (
            "bedrock-runtime",
            "Converse",
            {"modelId": "global.a.b"},
            [
                ("bedrock:InvokeModel", "arn:aws:bedrock:HERE:inference-profile/global.a.b"),
                ("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/a.b"),
                ("bedrock:InvokeModel", "arn:aws:bedrock:::foundation-model/a.b"),
            ],
        ),
        ("bedrock", "ListCustomModels", {}, [("bedrock:ListCustomModels", "*")]),
        (
            "bedrock",
            "CreateModelCustomizationJob",
            JOB,
            [
                (
                    "bedrock:CreateModelCustomizationJob",
                    "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0:128k",
                ),
                ("bedrock:CreateModelCustomizationJob", "arn:aws:bedrock:HERE:custom-model/*"),
                ("bedrock:CreateModelCustomizationJob", "arn:aws:bedrock:HERE:model-customization-job/*"),
                ("bedrock:TagResource", "arn:aws:bedrock:HERE:custom-model/*"),
                ("bedrock:TagResource", "arn:aws:bedrock:HERE:model-customization-job/*"),
                ("iam:PassRole", "arn:aws:iam::123456789012:role/Bedrock"),
            ],
        ),
        (
            "bedrock",
            "CreateCustomModelDeployment",
            {"modelDeploymentName": "a", "modelArn": f"arn:aws:bedrock:{HERE}:custom-model/x", "tags": TAGS},
            [
                ("bedrock:CreateCustomModelDeployment", "arn:aws:bedrock:HERE:custom-model/x"),
                ("bedrock:TagResource", "arn:aws:bedrock:HERE:custom-model-deployment/*"),
            ],
        ),
        (
            "bedrock",
            "UpdateCustomModelDeployment",
            {"customModelDeploymentIdentifier": "d", "modelArn": f"arn:aws:bedrock:{HERE}:custom-model/x"},
            [
                ("bedrock:UpdateCustomModelDeployment", "arn:aws:bedrock:HERE:custom-model-deployment/d"),
                ("bedrock:UpdateCustomModelDeployment", "arn:aws:bedrock:HERE:custom-model/x"),
            ],
        ),
        (
            "bedrock",
            "UpdateProvisionedModelThroughput",
            {"provisionedModelId": "p", "desiredModelId": "a.b"},
            [
                ("bedrock:UpdateProvisionedModelThroughput", "arn:aws:bedrock:HERE:provisioned-model/p"),
                ("bedrock:UpdateProvisionedModelThroughput", "arn:aws:bedrock:us-east-1::foundation-model/a.b"),
            ],
        ),
        (
            "bedrock",
            "UpdateProvisionedModelThroughput",
            {"provisionedModelId": "p", "desiredProvisionedModelName": "q"},
            [("bedrock:UpdateProvisionedModelThroughput", "arn:aws:bedrock:HERE:provisioned-model/p")],
        ),
        (
            "bedrock",
            "StopModelCustomizationJob",
            {"jobIdentifier": "gone"},
            [("bedrock:StopModelCustomizationJob", "arn:aws:bedrock:HERE:model-customization-job/gone")],
        ),
    ],
)
def test_a_call(service: str, operation: str, request_: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert needed(service, operation, request_) == expected


def test_tags_and_the_passed_service_are_condition_keys() -> None:
    create, *_, tag_job, pass_role = needs("bedrock", "CreateModelCustomizationJob", JOB)
    assert create.keys == tag_job.keys == {"aws:requesttag/team": ["blue"], "aws:tagkeys": ["team"]}
    assert pass_role.keys == {"iam:passedtoservice": ["bedrock.amazonaws.com"]}


@pytest.mark.parametrize(
    ("operation", "given", "shown"),
    [
        (
            "Converse",
            {"guardrailConfig": {"guardrailIdentifier": GUARDRAIL, "guardrailVersion": "1"}},
            f"{GUARDRAIL}:1",
        ),
        ("InvokeModel", {"guardrailIdentifier": "abc", "guardrailVersion": "2"}, f"{GUARDRAIL}:2"),
        ("InvokeModel", {"guardrailIdentifier": "abc", "guardrailVersion": "DRAFT"}, GUARDRAIL),
    ],
)
def test_a_guardrail_has_to_be_applied_and_is_a_condition_key(
    operation: str, given: dict[str, Any], shown: str
) -> None:
    *asking, applied = needs("bedrock-runtime", operation, {"modelId": "us.a.b"} | given)
    assert (applied.action, applied.resource) == ("bedrock:ApplyGuardrail", GUARDRAIL)
    assert [need.keys["bedrock:guardrailidentifier"] for need in asking] == [[shown]] * 4


@pytest.mark.parametrize(
    ("profile", "regions"),
    [("us.a.b", ["us-east-1", "us-east-2", "us-west-2"]), ("global.a.b", ["us-east-1", "unspecified"])],
)
def test_the_region_of_a_routed_model_is_the_one_that_is_asked(profile: str, regions: list[str]) -> None:
    first, *routed = needs("bedrock-runtime", "Converse", {"modelId": profile})
    assert "aws:requestedregion" not in first.keys
    assert [need.keys["aws:requestedregion"] for need in routed] == [[region] for region in regions]


def test_a_profile_of_the_accounts_own_shows_itself_and_the_region_that_it_routes_to() -> None:
    arn = f"arn:aws:bedrock:{HERE}:application-inference-profile/support"
    profile = InferenceProfile(name="support", arn=arn, created=0, token=None, request={}, source="us.a.b")
    account = replace(ACCOUNT, registry=replace(ACCOUNT.registry, profiles=[profile]))
    own, *routed = needs("bedrock-runtime", "Converse", {"modelId": arn}, account)
    assert own.resource == arn
    assert [(need.keys["bedrock:inferenceprofilearn"], need.keys["aws:requestedregion"]) for need in routed] == [
        ([arn], [region]) for region in ("us-east-1", "us-east-2", "us-west-2")
    ]


def test_a_job_uses_its_service_role_for_key_network_teacher_and_grader() -> None:
    request = JOB | {
        "customModelKmsKeyId": KEY,
        "vpcConfig": {"subnetIds": ["subnet-1"], "securityGroupIds": ["sg-1"]},
        "customizationConfig": {
            "distillationConfig": {"teacherModelConfig": {"teacherModelIdentifier": "us.a.b"}},
            "rftConfig": {"graderConfig": {"lambdaGrader": {"lambdaArn": f"arn:aws:lambda:{HERE}:function:grade"}}},
        },
    }
    actions = {(need.action, need.resource.replace(HERE, "HERE")) for need in needs_of_service_role(request, ACCOUNT)}
    assert {
        ("kms:CreateGrant", "arn:aws:kms:HERE:key/1"),
        ("ec2:CreateNetworkInterface", "arn:aws:ec2:HERE:network-interface/*"),
        ("ec2:CreateNetworkInterface", "arn:aws:ec2:HERE:subnet/subnet-1"),
        ("ec2:CreateNetworkInterface", "arn:aws:ec2:HERE:security-group/sg-1"),
        ("ec2:DescribeVpcs", "*"),
        ("bedrock:InvokeModel", "arn:aws:bedrock:HERE:inference-profile/us.a.b"),
        ("bedrock:InvokeModel", "arn:aws:bedrock:us-west-2::foundation-model/a.b"),
        ("lambda:InvokeFunction", "arn:aws:lambda:HERE:function:grade"),
    } <= actions
    assert needs_of_service_role(JOB, ACCOUNT) == []
