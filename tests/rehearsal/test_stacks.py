"""Stacks of any shape are rehearsed as they are synthesised."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn

from bedrock_customization.rehearsal import Rehearsal, UnsupportedDefinitionError, UnsupportedTemplateError
from tests.rehearsal.machines import machine, single

PYTHON = lambda_.Runtime.PYTHON_3_13


def state_machine(scope: Any, name: str, definition: dict[str, Any], **options: Any) -> sfn.StateMachine:
    body = sfn.DefinitionBody.from_string(cdk.Stack.of(scope).to_json_string(definition))
    return sfn.StateMachine(scope, name, definition_body=body, **options)


def invoke(function: lambda_.IFunction) -> dict[str, Any]:
    arguments = {"FunctionName": function.function_arn, "Payload": "{% $states.input %}"}
    return single("lambda:invoke", arguments, Output="{% $states.result.Payload %}")


def code(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


class Team(cdk.Stack):
    """A stack with one of everything that running needs."""

    def __init__(self, scope: Any, construct_id: str, folder: Path, **options: Any) -> None:
        super().__init__(scope, construct_id, **options)
        self.bucket = s3.Bucket(
            self, "Data", enforce_ssl=True, versioned=True, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        same = (
            "import os, names\n"
            "def handler(event, context):\n"
            "    return [names.NAME, os.environ['BUCKET'], context.function_name]\n"
        )
        self.first = self._function("First", folder / "first", {"handler.py": same, "names.py": "NAME = 'first'"})
        self.second = self._function("Second", folder / "second", {"handler.py": same, "names.py": "NAME = 'second'"})
        context = code(
            folder / "image",
            {
                "Dockerfile": "FROM scratch",
                "lambda_src/dataset/__init__.py": "",
                "lambda_src/dataset/handler.py": (
                    "def handler(event, context):\n    print('seen', event)\n    return {'image': event}\n"
                ),
            },
        )
        command = ["dataset.handler.handler"]
        image = lambda_.DockerImageCode.from_image_asset(str(context), cmd=command)
        self.image = lambda_.DockerImageFunction(self, "Image", code=image)
        inline = lambda_.Code.from_inline("def handler(event, context):\n    return 'inline'")
        self.inline = lambda_.Function(self, "Inline", runtime=PYTHON, handler="index.handler", code=inline)
        script = lambda_.Code.from_inline("exports.handler = async () => 1")
        self.script = lambda_.Function(self, "Script", runtime=lambda_.Runtime.NODEJS_22_X, handler="i.h", code=script)
        self.machines = {
            name: state_machine(self, f"Call{name}", invoke(getattr(self, name)))
            for name in ("first", "second", "image", "inline", "script")
        }
        for name, calling in self.machines.items():
            getattr(self, name).grant_invoke(calling)
        (folder / "definition.json").write_text(json.dumps(single("lambda:invoke", {"FunctionName": "${Function}"})))
        self.from_file = sfn.StateMachine(
            self,
            "FromFile",
            definition_body=sfn.DefinitionBody.from_file(str(folder / "definition.json")),
            definition_substitutions={"Function": self.image.function_arn},
        )
        self.image.grant_invoke(self.from_file)
        self.failing = state_machine(
            self, "Failing", machine(Fail={"Type": "Fail", "Error": "Broken", "Cause": "on purpose"})
        )
        self.cleanup = state_machine(self, "Cleanup", machine(Done={"Type": "Pass", "End": True}))
        self.rule = events.Rule(
            self,
            "OnFailure",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                    "stateMachineArn": [self.failing.state_machine_arn],
                },
            ),
            targets=[
                targets.SfnStateMachine(
                    self.cleanup,
                    input=events.RuleTargetInput.from_object(
                        {
                            "execution": events.EventField.from_path("$.detail.executionArn"),
                            "words": f"it {events.EventField.from_path('$.detail.status')}",
                        }
                    ),
                    dead_letter_queue=sqs.Queue(self, "DeadLetters"),
                )
            ],
        )
        self.schedule = events.Rule(
            self,
            "Hourly",
            schedule=events.Schedule.rate(cdk.Duration.hours(1)),
            targets=[targets.SfnStateMachine(self.cleanup, input=events.RuleTargetInput.from_object({"sweep": True}))],
        )
        self.topic = sns.Topic(self, "Topic", enforce_ssl=True)
        self.topic.add_subscription(subscriptions.EmailSubscription("team@example.com"))
        publish = single("sns:publish", {"TopicArn": self.topic.topic_arn, "Subject": "Done", "Message": {"n": 1}})
        self.notify = state_machine(self, "Notify", publish)
        self.topic.grant_publish(self.notify)
        logs.LogGroup(self, "Log")
        nested = cdk.NestedStack(self, "Nested")
        self.inner_bucket = s3.Bucket(nested, "Inner")
        self.inner = state_machine(
            nested, "Names", machine(Names={"Type": "Pass", "Output": [self.bucket.bucket_name], "End": True})
        )
        self.outer = state_machine(
            self, "InnerName", machine(Name={"Type": "Pass", "Output": self.inner_bucket.bucket_arn, "End": True})
        )

    def _function(self, name: str, folder: Path, files: dict[str, str]) -> lambda_.Function:
        return lambda_.Function(
            self,
            name,
            runtime=PYTHON,
            handler="handler.handler",
            code=lambda_.Code.from_asset(str(code(folder, files))),
            environment={"BUCKET": self.bucket.bucket_name},
        )


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("team")
    yield Team(cdk.App(outdir=str(folder / "cdk.out")), "Team", folder)


@pytest.fixture
def rehearsal(team: Team) -> Rehearsal:
    return Rehearsal.from_stack(team)


def test_functions_with_modules_of_the_same_name_do_not_meet(team: Team, rehearsal: Rehearsal) -> None:
    bucket = rehearsal.bucket_name(team.bucket)

    for _ in range(2):
        first, second = (rehearsal.run(team.machines[name], {}).output for name in ("first", "second"))
        assert (first[0], second[0]) == ("first", "second")
        assert first[1] == second[1] == bucket
        assert "First" in first[2]


def test_an_image_function_runs_from_its_build_context(team: Team, rehearsal: Rehearsal) -> None:
    assert rehearsal.run(team.machines["image"], {"a": 1}).output == {"image": {"a": 1}}
    assert [line.text for line in rehearsal.logs] == ["seen {'a': 1}"]


def test_inline_code_runs(team: Team, rehearsal: Rehearsal) -> None:
    assert rehearsal.run(team.machines["inline"], {}).output == "inline"


def test_a_function_in_another_language_is_refused_by_name_with_the_remedy(team: Team, rehearsal: Rehearsal) -> None:
    with pytest.raises(
        UnsupportedDefinitionError, match=r"Script\w+ \(AWS::Lambda::Function\) has the runtime nodejs22.x.*handlers="
    ):
        rehearsal.run(team.machines["script"], {})


@pytest.mark.parametrize("key", ["construct", "path", "logical id"])
def test_a_handler_can_stand_for_a_function(team: Team, key: str) -> None:
    names = {
        "construct": team.script,
        "path": "Team/Script",
        "logical id": team.get_logical_id(team.script.node.default_child),
    }
    rehearsal = Rehearsal.from_stack(team, handlers={names[key]: lambda event, context: "stand-in"})

    assert rehearsal.run(team.machines["script"], {}).output == "stand-in"


def test_a_definition_in_an_asset_has_its_substitutions(team: Team, rehearsal: Rehearsal) -> None:
    assert rehearsal.run(team.from_file, {}).output["Payload"] == {"image": {}}


def test_a_rule_starts_its_target_when_an_execution_fails(team: Team, rehearsal: Rehearsal) -> None:
    failed = rehearsal.run(team.failing, {"secret": 1})

    assert [execution.status for execution in rehearsal.executions] == ["FAILED", "SUCCEEDED"]
    assert rehearsal.executions[1].input == {"execution": failed.arn, "words": "it FAILED"}
    assert [event["detail"]["status"] for event in rehearsal.events] == ["RUNNING", "FAILED", "RUNNING", "SUCCEEDED"]
    detail = rehearsal.events[1]["detail"]
    assert (detail["status"], detail["error"], detail["cause"]) == ("FAILED", "Broken", "on purpose")
    assert json.loads(detail["input"]) == {"secret": 1}
    assert rehearsal.run(team.cleanup, {}).status == "SUCCEEDED"
    assert len(rehearsal.executions) == 3


def test_a_schedule_can_be_fired(team: Team, rehearsal: Rehearsal) -> None:
    (swept,) = rehearsal.fire(team.schedule)

    assert (swept.status, swept.input) == ("SUCCEEDED", {"sweep": True})
    with pytest.raises(KeyError, match="no schedule"):
        rehearsal.fire(team.rule)


def test_subscribers_get_what_is_published(team: Team, rehearsal: Rehearsal) -> None:
    assert rehearsal.run(team.notify, {}).status == "SUCCEEDED"

    (message,) = rehearsal.inbox
    assert (message.protocol, message.endpoint, message.subject) == ("email", "team@example.com", "Done")
    assert json.loads(message.message) == {"n": 1}


def test_nested_stacks_refer_to_each_other(team: Team, rehearsal: Rehearsal) -> None:
    rehearsal.upload(team.inner_bucket, "a", "inner")

    assert rehearsal.run(team.inner, {}).output == [rehearsal.bucket_name(team.bucket)]
    assert rehearsal.run(team.outer, {}).output == f"arn:aws:s3:::{rehearsal.bucket_name(team.inner_bucket)}"
    assert rehearsal.download(team.inner_bucket, "a") == b"inner"


def test_an_assembly_is_rehearsed_by_stack_name_and_construct_path(team: Team, rehearsal: Rehearsal) -> None:
    directory = cdk.Stage.of(team).synth().directory
    again = Rehearsal.from_assembly(directory, "Team")

    again.upload("Team/Data", "a", "x")
    again.run("Failing", {})

    assert again.keys("Data") == ["a"]
    assert again.bucket_name("Data") == rehearsal.bucket_name(team.bucket)
    with pytest.raises(KeyError, match="no stack 'Taem'; it has Team"):
        Rehearsal.from_assembly(directory, "Taem")
    with pytest.raises(KeyError, match="no bucket 'Dota'; the stack has Data"):
        again.upload("Dota", "a", "x")
    with pytest.raises(FileNotFoundError, match="no cloud assembly"):
        Rehearsal.from_assembly(Path(directory) / "gone", "Team")


def test_what_running_does_not_need_is_listed_not_refused(rehearsal: Rehearsal) -> None:
    assert any("AWS::Logs::LogGroup" in name for name in rehearsal.left_out)


def app(folder: Path) -> cdk.App:
    return cdk.App(outdir=str(folder / "cdk.out"))


def test_the_stacks_own_account_and_region_win(tmp_path: Path) -> None:
    stack = cdk.Stack(app(tmp_path), "Here", env=cdk.Environment(account="210987654321", region="eu-central-1"))
    names = machine(Names={"Type": "Pass", "Output": [stack.account, stack.partition, stack.region], "End": True})
    here = state_machine(stack, "Names", names)
    bucket = s3.Bucket(stack, "Data")
    rehearsal = Rehearsal.from_stack(stack, region="us-west-2")

    run = rehearsal.run(here, {})
    rehearsal.upload(bucket, "a", "x")

    assert run.output == ["210987654321", "aws", "eu-central-1"]
    assert run.arn.startswith("arn:aws:states:eu-central-1:210987654321:execution:")


def test_a_stack_without_an_environment_takes_any_partition(tmp_path: Path) -> None:
    stack = cdk.Stack(app(tmp_path), "Anywhere")
    bucket = s3.Bucket(stack, "Data")
    arn = state_machine(stack, "Arn", machine(Arn={"Type": "Pass", "Output": bucket.arn_for_objects("*"), "End": True}))
    rehearsal = Rehearsal.from_stack(stack, region="cn-north-1")

    assert rehearsal.run(arn, {}).output.startswith("arn:aws-cn:s3:::")
    rehearsal.upload(bucket, "a", "x")
    assert rehearsal.download(bucket, "a") == b"x"


def test_stacks_that_import_from_each_other(tmp_path: Path) -> None:
    both = app(tmp_path)
    data = cdk.Stack(both, "DataStack")
    bucket = s3.Bucket(data, "Data")
    use = cdk.Stack(both, "UseStack")
    names = state_machine(use, "Names", machine(Names={"Type": "Pass", "Output": bucket.bucket_name, "End": True}))
    rehearsal = Rehearsal.from_stack(use)
    rehearsal.upload(bucket, "a", "x")

    name = rehearsal.run(names, {}).output

    assert rehearsal.download(name, "a") == b"x"


def test_a_stack_in_a_stage_without_asset_staging(tmp_path: Path) -> None:
    unstaged = cdk.App(outdir=str(tmp_path / "cdk.out"), context={"aws:cdk:disable-asset-staging": True})
    stack = Team(cdk.Stage(unstaged, "Prod"), "Team", tmp_path)
    rehearsal = Rehearsal.from_stack(stack)

    assert rehearsal.run(stack.machines["image"], {}).output == {"image": {}}
    assert rehearsal.run(stack.machines["second"], {}).output[0] == "second"
    again = Rehearsal.from_assembly(cdk.Stage.of(stack).synth().directory, "Prod/Team")
    assert again.run("Failing", {}).error == "Broken"


def test_an_app_is_no_stack(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"^stack: got .*App object.*; it must be a Stack: pass one of the app's"):
        Rehearsal.from_stack(app(tmp_path))  # type: ignore[arg-type]


def test_a_handler_for_a_function_that_there_is_not_is_refused(team: Team) -> None:
    def handler(event: Any, context: Any) -> Any:
        return event

    with pytest.raises(KeyError, match=r"handlers: there is no function 'Nope'; the stack has First\w+, .*the ARN"):
        Rehearsal.from_stack(team, handlers={"Nope": handler})
    Rehearsal.from_stack(team, handlers={"arn:aws:lambda:us-east-1:123456789012:function:Nope": handler})


def test_a_handler_can_stand_for_an_imported_function(tmp_path: Path) -> None:
    stack = cdk.Stack(app(tmp_path), "Imports")
    function = lambda_.Function.from_function_name(stack, "Theirs", "theirs")
    calls = state_machine(stack, "Calls", invoke(function))
    function.grant_invoke(calls)

    rehearsal = Rehearsal.from_stack(stack, handlers={"theirs": lambda event, context: "stand-in"})

    assert rehearsal.run(calls, {}).output == "stand-in"


def test_a_value_for_a_parameter_that_there_is_not_is_refused(tmp_path: Path) -> None:
    stack = cdk.Stack(app(tmp_path), "Asks")
    cdk.CfnParameter(stack, "TeamName")

    with pytest.raises(KeyError, match=r"parameters: there is no parameter 'Nope'; there are TeamName, "):
        Rehearsal.from_stack(stack, parameters={"TeamName": "blue", "Nope": 1})


def test_parameters_must_have_values(tmp_path: Path) -> None:
    stack = cdk.Stack(app(tmp_path), "Asks")
    name = cdk.CfnParameter(stack, "TeamName")
    tells = state_machine(stack, "Tells", machine(Tell={"Type": "Pass", "Output": name.value_as_string, "End": True}))
    wanted = r"Tells\w+.Properties.DefinitionString .* parameters=\{'TeamName'"

    assert Rehearsal.from_stack(stack, parameters={"TeamName": "blue"}).run(tells, {}).output == "blue"
    with pytest.raises(UnsupportedTemplateError, match=wanted):
        Rehearsal.from_stack(stack).run(tells, {})


def test_an_attribute_that_only_a_deployment_knows_is_refused_where_it_is_needed(tmp_path: Path) -> None:
    stack = cdk.Stack(app(tmp_path), "Custom")
    custom = cdk.CustomResource(stack, "LookUp", service_token="arn:aws:lambda:us-east-1:123456789012:function:x")
    answer = machine(Use={"Type": "Pass", "Output": custom.get_att_string("Answer"), "End": True})
    uses = state_machine(stack, "Uses", answer)
    other = state_machine(stack, "Other", machine(Done={"Type": "Pass", "End": True}))
    rehearsal = Rehearsal.from_stack(stack)

    assert rehearsal.run(other, {}).status == "SUCCEEDED"
    with pytest.raises(UnsupportedTemplateError, match=r"Uses\w+.Properties.DefinitionString .* Answer of LookUp"):
        rehearsal.run(uses, {})


def test_an_unknown_event_pattern_operator_is_refused_when_it_would_decide(tmp_path: Path) -> None:
    odd = {"output": events.Match.cidr("10.0.0.0/8")}

    def rehearse(source: str) -> str:
        stack = cdk.Stack(app(tmp_path / source), "Rules")
        events.Rule(stack, "Odd", event_pattern=events.EventPattern(source=[source], detail=odd))
        done = state_machine(stack, "Done", machine(Done={"Type": "Pass", "End": True}))
        return Rehearsal.from_stack(stack).run(done, {}).status

    assert rehearse("aws.ec2") == "SUCCEEDED"
    with pytest.raises(
        UnsupportedTemplateError, match=r"Odd\w+.Properties.*EventPattern.detail.output .* operator cidr"
    ):
        rehearse("aws.states")


def test_conditions_decide_what_exists(tmp_path: Path) -> None:
    stack = cdk.Stack(app(tmp_path), "Conditional")
    never = cdk.CfnCondition(stack, "Never", expression=cdk.Fn.condition_equals(cdk.Aws.REGION, "mars-1"))
    topic = sns.CfnTopic(stack, "Topic")
    topic.cfn_options.condition = never
    choice = cdk.Fn.condition_if(never.logical_id, "mars", "earth").to_string()
    where = state_machine(stack, "Where", machine(Where={"Type": "Pass", "Output": choice, "End": True}))
    role = iam.CfnRole(stack, "Role", assume_role_policy_document={}, path="/team/")
    roles = state_machine(stack, "RoleArn", machine(Role={"Type": "Pass", "Output": role.attr_arn, "End": True}))
    rehearsal = Rehearsal.from_stack(stack)

    assert rehearsal.run(where, {}).output == "earth"
    assert ":role/team/Conditional-Role-" in rehearsal.run(roles, {}).output
