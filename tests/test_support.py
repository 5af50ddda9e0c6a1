"""The helpers that other tests believe in."""

import socket

import boto3
import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk.assertions import Template

from tests.support import hide_asset_hashes, readable_definition

HASH = "0123456789abcdef" * 4


def template_with(definition: object) -> dict:
    return {
        "Resources": {
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {"DefinitionString": definition},
            },
            "Topic": {"Type": "AWS::SNS::Topic"},
        }
    }


def test_definition_of_a_synthesised_machine_is_readable() -> None:
    stack = Stack(App(), "Stack")
    topic_state = sfn.CustomState(
        stack,
        "Notify",
        state_json={
            "Type": "Task",
            "Resource": f"arn:{stack.partition}:states:::sns:publish",
            "Arguments": {"TopicArn": "topic"},
        },
    )
    sfn.StateMachine(stack, "Machine", definition_body=sfn.DefinitionBody.from_chainable(topic_state))
    template = Template.from_stack(stack)
    (logical_id,) = template.find_resources("AWS::StepFunctions::StateMachine")

    definition = readable_definition(template, logical_id)

    assert definition["States"]["Notify"]["Resource"] == "arn:${AWS::Partition}:states:::sns:publish"


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ({"Ref": "Topic"}, "${Topic}"),
        ({"Fn::GetAtt": ["Topic", "TopicName"]}, "${Topic.TopicName}"),
        ({"Fn::GetAtt": "Topic.TopicName"}, "${Topic.TopicName}"),
        ({"Fn::Sub": "${Topic}-x"}, "${Topic}-x"),
        ({"Fn::Sub": ["${name}/${Topic}/${!kept}", {"name": {"Ref": "Key"}}]}, "${Key}/${Topic}/${!kept}"),
        ({"Fn::Join": ["-", ["a", {"Fn::Join": ["", ["b", {"Ref": "C"}]]}]]}, "a-b${C}"),
    ],
)
def test_functions_become_placeholders(function: dict, expected: str) -> None:
    template = template_with({"Fn::Join": ["", ['{"Comment": "', function, '"}']]})
    assert readable_definition(template, "Machine") == {"Comment": expected}


def test_unknown_function_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="Fn::ImportValue"):
        readable_definition(template_with({"Fn::ImportValue": "definition"}), "Machine")


def test_resource_that_is_no_machine_is_refused() -> None:
    with pytest.raises(ValueError, match="'Topic' is no state machine"):
        readable_definition(template_with("{}"), "Topic")


def test_asset_hashes_are_hidden_and_other_text_is_not() -> None:
    assert hide_asset_hashes(f"{HASH}.zip") == "<asset hash>.zip"
    assert hide_asset_hashes(f"repository:{HASH}") == "repository:<asset hash>"
    assert hide_asset_hashes(HASH + "0") == HASH + "0"
    assert hide_asset_hashes(12) == 12


@pytest.mark.parametrize("address", [("192.0.2.1", 443), ("example.com", 443)])
def test_connections_beyond_this_machine_are_refused(address: tuple[str, int]) -> None:
    with pytest.raises(RuntimeError, match="only talk to loopback"):
        socket.create_connection(address, timeout=1)
    with socket.socket() as client, pytest.raises(RuntimeError, match="only talk to loopback"):
        client.connect(address)


def test_loopback_connections_work() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_aws_clients_have_made_up_credentials() -> None:
    session = boto3.Session()
    assert session.get_credentials().access_key == "testing"
    assert session.region_name == "us-east-1"


def test_snapshots_hide_hashes_and_bootstrap_noise(template_snapshot) -> None:
    assert {
        "Parameters": {"BootstrapVersion": {"Default": "/cdk-bootstrap"}, "Own": {"Type": "String"}},
        "Resources": {"Function": {"Code": {"S3Key": f"{HASH}.zip"}}},
        "Rules": {"CheckBootstrapVersion": {"Assertions": []}},
    } == template_snapshot
