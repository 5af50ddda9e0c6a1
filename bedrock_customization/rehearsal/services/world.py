"""All services of one rehearsal, put together."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from random import Random
from typing import Any

import botocore.session

from bedrock_customization.rehearsal.aws import SimulatedAccount
from bedrock_customization.rehearsal.clock import VirtualClock
from bedrock_customization.rehearsal.faults import Faults
from bedrock_customization.rehearsal.interpreter.engine import Interpreter
from bedrock_customization.rehearsal.interpreter.execution import Observer
from bedrock_customization.rehearsal.permissions.enforcement import Permissions
from bedrock_customization.rehearsal.physical_names import Place
from bedrock_customization.rehearsal.services.alarms import Alarm
from bedrock_customization.rehearsal.services.api import Api, Principal, SimulatedService
from bedrock_customization.rehearsal.services.api_error import ApiError
from bedrock_customization.rehearsal.services.bedrock.service import Bedrock
from bedrock_customization.rehearsal.services.bucket_events import BucketEvents
from bedrock_customization.rehearsal.services.event_bus import EventBus
from bedrock_customization.rehearsal.services.executions import Executions
from bedrock_customization.rehearsal.services.lambda_functions import LambdaFunctions
from bedrock_customization.rehearsal.services.notifications import Notifications
from bedrock_customization.rehearsal.services.service_quotas import ServiceQuotas
from bedrock_customization.rehearsal.services.task_services import TaskServices


@lru_cache
def place_of(account: str, region: str) -> Place:
    """Where stacks are deployed, with the partition that the Region belongs to."""
    for partition in botocore.session.Session().get_data("partitions")["partitions"]:
        if re.fullmatch(partition["regionRegex"], region):
            return Place("", account, region, partition["id"], partition["outputs"]["dnsSuffix"])
    raise ValueError(f"region: {region!r} is no AWS Region")


class World:
    """The simulated account with everything that runs in it.

    Args:
        place: The account, Region and partition.
        seed: Seeds everything that is made up.
        observer: Is told every history event.
    """

    def __init__(self, place: Place, seed: int, observer: Observer) -> None:
        self.place = place
        self.clock = VirtualClock()
        self.aws = SimulatedAccount(place.account, place.region, self.clock, seed)
        self.bus = EventBus(self.clock, place.account, place.region, self._start_target)
        self.alarms: list[Alarm] = []
        self.executions = Executions(self.clock, self.bus.execution_changed)
        self.functions = LambdaFunctions(place.region, place.account, place.partition)
        self.notifications = Notifications(self.aws, self.clock, self._deliver)
        self.bedrock = Bedrock(self.clock, place.region, place.account, place.partition, self)
        services: dict[str, SimulatedService] = {
            "bedrock": self.bedrock,
            "bedrock-runtime": self.bedrock,
            "events": self.bus,
            "lambda": self.functions,
            "service-quotas": ServiceQuotas(self.bedrock),
            "sns": self.notifications,
            "stepfunctions": self.executions,
        }
        self.api = Api(self.aws, services, Random(f"requests {seed}"))
        self.functions.api = self.api
        self.permissions = Permissions(place, self.aws, self.clock, self.bedrock.registry)
        self.faults = Faults()
        self.bucket_events = BucketEvents(self.aws, self.bus, place.partition)
        self.api.interceptors += [self.permissions, self.faults, self.bucket_events]
        self.tasks = TaskServices(
            self.api, self.executions, self.functions, self.bedrock, self.faults, self.permissions
        )
        self.executions.interpreter = Interpreter(self.tasks, seed=seed, observer=observer)

    def read(self, uri: str, role_arn: str, job_arn: str) -> str:
        """An S3 object's text, read as Bedrock does for a job, which also lists the bucket."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        principal = Principal(role_arn, service="bedrock.amazonaws.com", source_arn=job_arn)
        with self.aws.active():
            self.api.call("s3", "ListObjectsV2", {"Bucket": bucket, "Prefix": key, "MaxKeys": 1}, principal)
            stored = self.api.call("s3", "GetObject", {"Bucket": bucket, "Key": key}, principal)
            return str(stored["Body"].read().decode("utf-8", errors="replace"))

    def below(self, prefix: str, role_arn: str, job_arn: str) -> list[str]:
        """The URIs of the objects below a prefix, listed as Bedrock does for a job."""
        bucket, _, start = prefix.removeprefix("s3://").partition("/")
        principal = Principal(role_arn, service="bedrock.amazonaws.com", source_arn=job_arn)
        with self.aws.active():
            found = self.api.call("s3", "ListObjectsV2", {"Bucket": bucket, "Prefix": start}, principal)
        return [f"s3://{bucket}/{entry['Key']}" for entry in found.get("Contents", [])]

    def write(self, uri: str, text: str, role_arn: str, job_arn: str) -> None:
        """Write an S3 object as Bedrock does for a job, which also lists the bucket and reads what it wrote."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        principal = Principal(role_arn, service="bedrock.amazonaws.com", source_arn=job_arn)
        with self.aws.active():
            request = {"Bucket": bucket, "Key": key, "Body": text.encode()}
            self.api.call("s3", "PutObject", request, principal)
            self.api.call("s3", "ListObjectsV2", {"Bucket": bucket, "Prefix": key, "MaxKeys": 1}, principal)
            self.api.call("s3", "GetObject", {"Bucket": bucket, "Key": key}, principal)

    def raise_alarm(self, alarm: Alarm) -> None:
        """Let a CloudWatch alarm go off."""
        event = alarm.event(self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000"), self.place.account)
        for action in alarm.actions:
            service = "lambda.alarms.cloudwatch.amazonaws.com" if ":lambda:" in action else "cloudwatch.amazonaws.com"
            self._send_or_lose(action, event, Principal(service=service, source_arn=alarm.arn))

    def _start_target(self, arn: str, input: Any, target: dict[str, Any], rule_arn: str) -> None:
        scheduled = ":scheduler:" in rule_arn
        service = "scheduler.amazonaws.com" if scheduled else "events.amazonaws.com"
        # EventBridge Scheduler acts in the name of the schedule's group.
        source = re.sub(r":schedule/([^/]+)/.*", r":schedule-group/\1", rule_arn) if scheduled else rule_arn
        by_itself = Principal(service=service, source_arn=source)
        principal = (
            Principal(target["RoleArn"], service=service, source_arn=source) if "RoleArn" in target else by_itself
        )
        try:
            self._hand_over(arn, input, principal)
        except ApiError as error:
            self.bus.failures.append(f"{arn}: {error}")
            letters = target.get("DeadLetterConfig", {}).get("Arn")
            if letters:
                self._send_or_lose(letters, input, principal if scheduled else by_itself)

    def _send_or_lose(self, queue_arn: str, input: Any, principal: Principal) -> None:
        try:
            self._hand_over(queue_arn, input, principal)
        except ApiError as error:
            self.bus.failures.append(f"{queue_arn}: {error}")

    def _deliver(self, arn: str, message: Any, topic_arn: str) -> None:
        """Deliver a notification to a function or queue."""
        self._send_or_lose(arn, message, Principal(service="sns.amazonaws.com", source_arn=topic_arn))

    def _hand_over(self, arn: str, input: Any, principal: Principal) -> None:
        """Give something to a target: a state machine, function, topic or queue."""
        text = input if isinstance(input, str) else json.dumps(input)
        if ":stateMachine:" in arn:
            request = {"stateMachineArn": arn, "input": json.dumps(input)}
            self.api.call("stepfunctions", "StartExecution", request, principal)
        elif ":lambda:" in arn:
            result = self.api.call(
                "lambda", "Invoke", {"FunctionName": arn, "Payload": json.dumps(input).encode()}, principal
            )
            if "FunctionError" in result:
                self.bus.failures.append(f"{arn}: {result['Payload'].decode()}")
        elif ":sns:" in arn:
            self.api.call("sns", "Publish", {"TopicArn": arn, "Message": text}, principal)
        elif ":sqs:" in arn:
            name = {"QueueName": arn.rsplit(":", 1)[-1]}
            url = self.aws.forward(self.aws.client("sqs"), "GetQueueUrl", name)["QueueUrl"]
            self.api.call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": text}, principal)
        else:
            self.bus.failures.append(f"{arn}: the rehearsal starts no targets of this kind")
