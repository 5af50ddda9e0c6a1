"""State machines made of the CDK's own constructs are rehearsed as they are synthesised."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from bedrock_customization.rehearsal import Rehearsal, UnsupportedDefinitionError

PYTHON = lambda_.Runtime.PYTHON_3_13
Data = sfn.JsonPath


def function(scope: Any, name: str, body: str, **options: Any) -> lambda_.Function:
    return lambda_.Function(
        scope, name, runtime=PYTHON, handler="index.handler", code=lambda_.Code.from_inline(body), **options
    )


def machine(scope: Any, name: str, chain: Any, **options: Any) -> sfn.StateMachine:
    return sfn.StateMachine(scope, name, definition_body=sfn.DefinitionBody.from_chainable(chain), **options)


class Orders(cdk.Stack):
    """An order is priced line by line, stored, read and told to everybody."""

    def __init__(self, scope: Any) -> None:
        super().__init__(scope, "Orders")
        price = (
            "def handler(event, context):\n"
            "    if event['sku'] == 'bad':\n"
            "        raise ValueError('no such sku')\n"
            "    return {'sku': event['sku'], 'price': 10 * event['count']}\n"
        )
        pricing = function(self, "Pricing", price)
        self.bucket = s3.Bucket(self, "Bucket")
        failed = sfn.Fail(
            self,
            "Failed",
            error_path="$.error.Error",
            cause_path=Data.format("order {} failed", Data.string_at("$.id")),
        )
        each = tasks.LambdaInvoke(
            self,
            "Price",
            lambda_function=pricing,
            payload=sfn.TaskInput.from_object(
                {"sku": Data.string_at("$.line.sku"), "count": Data.number_at("$.line.count")}
            ),
            result_selector={"priced.$": "$.Payload"},
            output_path="$.priced",
        )
        lines = sfn.Map(
            self,
            "Lines",
            items_path="$.lines",
            max_concurrency=2,
            item_selector={"line": Data.object_at("$$.Map.Item.Value"), "order": Data.string_at("$.id")},
            result_path="$.priced",
        )
        lines.item_processor(each)
        lines.add_catch(failed, result_path="$.error")
        told = sfn.Parallel(self, "Tell", result_path="$.told", result_selector={"events.$": "$[2].FailedEntryCount"})
        for branch in self._branches():
            told.branch(branch)
        done = sfn.Pass(
            self,
            "Done",
            parameters={
                "count.$": "States.ArrayLength($.priced)",
                "cheap.$": "$.priced[?(@.price < 25)].sku",
                "row.$": "$.row",
                "events.$": "$.told.events",
            },
        )
        cooled = sfn.Wait(self, "Cool", time=sfn.WaitTime.seconds_path("$.cool")).next(told)
        is_dear = sfn.Condition.and_(
            sfn.Condition.is_present("$.priced[0].price"), sfn.Condition.number_greater_than("$.priced[0].price", 25)
        )
        stored, row = self._stored()
        choice = sfn.Choice(self, "Dear?").when(is_dear, cooled).otherwise(told)
        lines.next(stored).next(row).next(choice)
        told.next(done)
        self.orders = machine(self, "Orders", lines, timeout=cdk.Duration.minutes(5))

    def _branches(self) -> list[Any]:
        topic = sns.Topic(self, "Topic")
        topic.add_subscription(subscriptions.EmailSubscription("team@example.com"))
        message = sfn.TaskInput.from_json_path_at("$.row")
        subject = Data.format("Order {}", Data.string_at("$.id"))
        entry = tasks.EventBridgePutEventsEntry(
            detail=sfn.TaskInput.from_object({"id": Data.string_at("$.id")}),
            event_bus=events.EventBus(self, "Bus"),
            detail_type="Order",
            source="orders",
        )
        return [
            tasks.SnsPublish(self, "Mail", topic=topic, message=message, subject=subject),
            tasks.SqsSendMessage(self, "Send", queue=sqs.Queue(self, "Queue"), message_body=message),
            tasks.EventBridgePutEvents(self, "Put", entries=[entry]),
            tasks.CallAwsService(
                self,
                "PutObject",
                service="s3",
                action="putObject",
                iam_resources=[self.bucket.arn_for_objects("*")],
                parameters={
                    "Bucket": self.bucket.bucket_name,
                    "Key": Data.format("orders/{}.json", Data.string_at("$.id")),
                    "Body": Data.object_at("$.row"),
                },
            ),
        ]

    def _stored(self) -> tuple[Any, Any]:
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        table = dynamodb.Table(self, "Table", partition_key=key)
        identifier = tasks.DynamoAttributeValue.from_string(Data.string_at("$.id"))
        total = tasks.DynamoAttributeValue.number_from_string(Data.string_at("States.Format('{}', $.priced[0].price)"))
        stored = tasks.DynamoPutItem(
            self, "Store", table=table, item={"id": identifier, "total": total}, result_path=Data.DISCARD
        )
        selected = {"id.$": "$.Item.id.S", "total.$": "$.Item.total.N"}
        row = tasks.DynamoGetItem(
            self, "Load", table=table, key={"id": identifier}, result_path="$.row", result_selector=selected
        )
        return stored, row


def test_tasks_of_many_services() -> None:
    stack = Orders(cdk.App())
    lines = [{"sku": "a", "count": 3}, {"sku": "b", "count": 2}]
    with Rehearsal.from_stack(stack) as rehearsal:
        run = rehearsal.run(stack.orders, {"id": "o1", "cool": 30, "lines": lines})
        assert run.status == "SUCCEEDED", run.cause
        row = {"id": "o1", "total": "30"}
        assert run.output == {"count": 2, "cheap": ["b"], "row": row, "events": 0}
        assert run.duration == 30
        (mail,) = rehearsal.inbox
        assert (mail.subject, json.loads(mail.message)) == ("Order o1", row)
        assert json.loads(rehearsal.download(stack.bucket, "orders/o1.json")) == row
        failed = rehearsal.run(stack.orders, {"id": "o2", "cool": 0, "lines": [{"sku": "bad", "count": 1}]})
        assert (failed.error, failed.cause) == ("ValueError", "order o2 failed")


def test_a_distributed_map_over_files() -> None:
    stack = cdk.Stack(cdk.App(), "Batch")
    bucket = s3.Bucket(stack, "Bucket")
    seen = function(stack, "Seen", "def handler(event, context):\n    return event")

    def over(name: str, reader: Any, **options: Any) -> sfn.DistributedMap:
        state = sfn.DistributedMap(stack, name, item_reader=reader, result_path=f"$.{name}", **options)
        state.item_processor(
            tasks.LambdaInvoke(stack, f"{name} seen", lambda_function=seen, payload_response_only=True)
        )
        return state

    key = Data.string_at("$.key")
    chain = (
        over(
            "objects",
            sfn.S3ObjectsItemReader(bucket=bucket, prefix="in/"),
            item_selector={"k.$": "$$.Map.Item.Value.Key"},
        )
        .next(
            over(
                "rows",
                sfn.S3CsvItemReader(bucket=bucket, key=key, csv_headers=sfn.CsvHeaders.use_first_row(), max_items=3),
                item_batcher=sfn.ItemBatcher(max_items_per_batch=2, batch_input={"from.$": "$.key"}),
            )
        )
        .next(
            over(
                "lines",
                sfn.S3JsonLItemReader(bucket=bucket, key="rows.jsonl"),
                result_writer=sfn.ResultWriter(bucket=bucket, prefix="out"),
            )
        )
    )
    batch = machine(stack, "Machine", chain)
    with Rehearsal.from_stack(stack) as rehearsal:
        rehearsal.upload(bucket, "in/a.txt", "a")
        rehearsal.upload(bucket, "in/rows.csv", "id,name\n1,a\n2,b\n3,c\n4,d\n")
        rehearsal.upload(bucket, "rows.jsonl", '{"id":1}\n{"id":2}\n')
        run = rehearsal.run(batch, {"key": "in/rows.csv"})
        assert run.status == "SUCCEEDED", run.cause
        assert run.output["objects"] == [{"k": "in/a.txt"}, {"k": "in/rows.csv"}]
        first = [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}]
        assert run.output["rows"] == [
            {"BatchInput": {"from": "in/rows.csv"}, "Items": first},
            {"BatchInput": {"from": "in/rows.csv"}, "Items": [{"id": "3", "name": "c"}]},
        ]
        assert run.output["lines"]["ResultWriterDetails"]["Key"] in rehearsal.keys(bucket, "out/")


def test_a_nested_execution_started_by_a_schedule() -> None:
    stack = cdk.Stack(cdk.App(), "Nested")
    chain = sfn.Pass(stack, "Shout", parameters={"said.$": "States.Format('{}!', $.word)"})
    child = machine(stack, "Child", chain)
    start = tasks.StepFunctionsStartExecution(
        stack,
        "Start",
        state_machine=child,
        integration_pattern=sfn.IntegrationPattern.RUN_JOB,
        input=sfn.TaskInput.from_object({"word": Data.string_at("$.word")}),
        associate_with_parent=True,
        output_path="$.Output",
    )
    parent = machine(stack, "Parent", start)
    group = scheduler.ScheduleGroup(stack, "Group")
    word = scheduler.ScheduleTargetInput.from_object({"word": "tick"})
    schedule = scheduler.Schedule(
        stack,
        "Schedule",
        schedule=scheduler.ScheduleExpression.rate(cdk.Duration.hours(1)),
        schedule_group=group,
        target=scheduler_targets.StepFunctionsStartExecution(parent, input=word),
    )
    with Rehearsal.from_stack(stack) as rehearsal:
        outputs = [run.output for run in rehearsal.fire(schedule)]
        # The schedule's role trusts its group, not the schedule itself.
        assert rehearsal.undelivered == []
        assert outputs == [{"said": "tick!"}, {"said": "tick!"}]


def test_constructs_of_level_one_are_named_by_themselves() -> None:
    stack = cdk.Stack(cdk.App(), "LevelOne")
    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "${Word}", "End": True}}}
    low = sfn.CfnStateMachine(
        stack,
        "Machine",
        role_arn="arn:aws:iam::123456789012:role/any",
        definition_string=json.dumps(definition),
        definition_substitutions={"Word": "hello"},
    )
    with Rehearsal.from_stack(stack) as rehearsal:
        assert rehearsal.run(low, {}).output == "hello"


def test_a_secret_is_read_by_its_arn() -> None:
    stack = cdk.Stack(cdk.App(), "Secrets")
    generated = secretsmanager.SecretStringGenerator(
        secret_string_template=json.dumps({"user": "team"}), generate_string_key="password"
    )
    secret = secretsmanager.Secret(stack, "Secret", generate_secret_string=generated)
    read = tasks.CallAwsService(
        stack,
        "Read",
        service="secretsmanager",
        action="getSecretValue",
        iam_resources=[secret.secret_arn],
        parameters={"SecretId": secret.secret_arn},
        result_selector={"secret.$": "States.StringToJson($.SecretString)"},
    )
    reading = machine(stack, "Machine", read)
    with Rehearsal.from_stack(stack) as rehearsal:
        run = rehearsal.run(reading, {})
        assert run.output["secret"]["user"] == "team"
        assert "password" in run.output["secret"]


def test_dynamic_references_are_resolved() -> None:
    stack = cdk.Stack(cdk.App(), "References")
    secret = secretsmanager.Secret(
        stack, "Secret", secret_string_value=cdk.SecretValue.unsafe_plain_text(json.dumps({"user": "team"}))
    )
    ssm.StringParameter(stack, "Limit", parameter_name="/team/limit", string_value="5")
    environment = {
        "USER": secret.secret_value_from_json("user").unsafe_unwrap(),
        "LIMIT": cdk.Fn.join("", ["at most ", "{{resolve:ssm:/team/limit:1}}"]),
    }
    body = "import os\ndef handler(event, context):\n    return [os.environ['USER'], os.environ['LIMIT']]"
    asking = machine(
        stack,
        "Machine",
        tasks.LambdaInvoke(
            stack,
            "Ask",
            lambda_function=function(stack, "Function", body, environment=environment),
            payload_response_only=True,
        ),
    )
    with Rehearsal.from_stack(stack) as rehearsal:
        assert rehearsal.run(asking, {}).output == ["team", "at most 5"]


def test_a_dynamic_reference_to_nothing_is_refused_by_name() -> None:
    stack = cdk.Stack(cdk.App(), "Nothing")
    environment = {"LIMIT": "{{resolve:ssm:/elsewhere}}"}
    unknown = function(stack, "Function", "def handler(event, context): ...", environment=environment)
    asking = machine(stack, "Machine", tasks.LambdaInvoke(stack, "Ask", lambda_function=unknown))
    with Rehearsal.from_stack(stack) as rehearsal, pytest.raises(UnsupportedDefinitionError) as caught:
        rehearsal.run(asking, {})
    assert "has {{resolve:ssm:/elsewhere}}, which no stack of the rehearsal makes" in str(caught.value)
    assert "pass handlers=" in str(caught.value)


def test_a_bucket_that_notifies_event_bridge_starts_what_waits_for_its_objects() -> None:
    stack = cdk.Stack(cdk.App(), "Uploads")
    bucket = s3.Bucket(stack, "Bucket", event_bridge_enabled=True)
    copied = tasks.CallAwsService(
        stack,
        "Keep",
        service="s3",
        action="putObject",
        iam_resources=[bucket.arn_for_objects("kept/*")],
        parameters={
            "Bucket": bucket.bucket_name,
            "Key": Data.string_at("States.Format('kept/{}', $.detail.object.key)"),
            "Body": Data.object_at("$.detail.object"),
        },
        result_path=Data.DISCARD,
    )
    removed = tasks.CallAwsService(
        stack,
        "Remove",
        service="s3",
        action="deleteObject",
        iam_resources=[bucket.arn_for_objects("in/*")],
        parameters={"Bucket": bucket.bucket_name, "Key": Data.string_at("$.detail.object.key")},
    )
    keeping = machine(stack, "Keeping", copied.next(removed))
    events.Rule(
        stack,
        "Rule",
        event_pattern=events.EventPattern(
            source=["aws.s3"],
            detail_type=["Object Created"],
            detail={"bucket": {"name": [bucket.bucket_name]}, "object": {"key": [{"prefix": "in/"}]}},
        ),
        targets=[targets.SfnStateMachine(keeping)],
    )
    with Rehearsal.from_stack(stack) as rehearsal:
        rehearsal.upload(bucket, "elsewhere.txt", "not for the rule")
        rehearsal.upload(bucket, "in/a.txt", "four")
        (run,) = rehearsal.executions
        assert run.status == "SUCCEEDED", run.cause
        assert run.input["detail"]["object"] == {
            "key": "in/a.txt",
            "size": 4,
            "etag": "8cbad96aced40b3838dd9f07f6ef5772",
            "sequencer": run.input["detail"]["object"]["sequencer"],
        }
        # What the run writes is an event, too.
        told = [
            (event["detail-type"], event["detail"]["object"]["key"])
            for event in rehearsal.events
            if event["source"] == "aws.s3"
        ]
        assert told == [
            ("Object Created", "elsewhere.txt"),
            ("Object Created", "in/a.txt"),
            ("Object Created", "kept/in/a.txt"),
            ("Object Deleted", "in/a.txt"),
        ]
        assert rehearsal.left_out == []


def test_a_function_called_by_its_alias_tells_its_version() -> None:
    stack = cdk.Stack(cdk.App(), "Aliases")
    live = lambda_.Alias(
        stack, "Live", alias_name="live", version=function(stack, "Function", "def handler(e, c): ...").current_version
    )
    calling = machine(stack, "Machine", tasks.LambdaInvoke(stack, "Call", lambda_function=live))
    with Rehearsal.from_stack(stack) as rehearsal:
        output = rehearsal.run(calling, {}).output
    assert output["ExecutedVersion"] == "1"
    assert list(output) == ["ExecutedVersion", "Payload", "SdkHttpMetadata", "SdkResponseMetadata", "StatusCode"]
