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
from bedrock_customization.rehearsal.physical_names import Place
from bedrock_customization.rehearsal.services.api import Api, Principal, SimulatedService
from bedrock_customization.rehearsal.services.api_error import ApiError
from bedrock_customization.rehearsal.services.bedrock.service import Bedrock
from bedrock_customization.rehearsal.services.event_bus import EventBus
from bedrock_customization.rehearsal.services.executions import Executions
from bedrock_customization.rehearsal.services.lambda_functions import FunctionError, LambdaFunctions
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
        self.executions = Executions(self.clock, self.bus.execution_changed)
        self.functions = LambdaFunctions(place.region, place.account, place.partition)
        self.notifications = Notifications(self.aws, self.clock, self._invoke_quietly)
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
        self.faults = Faults()
        self.api.interceptors.append(self.faults)
        tasks = TaskServices(self.api, self.executions, self.functions, self.bedrock, self.faults)
        self.executions.interpreter = Interpreter(tasks, seed=seed, observer=observer)

    def read(self, uri: str, role_arn: str) -> str:
        """An S3 object's text, read as a role."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        with self.aws.active():
            stored = self.api.call("s3", "GetObject", {"Bucket": bucket, "Key": key}, Principal(role_arn))
            return str(stored["Body"].read().decode("utf-8", errors="replace"))

    def write(self, uri: str, text: str, role_arn: str) -> None:
        """Write an S3 object as a role."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        with self.aws.active():
            request = {"Bucket": bucket, "Key": key, "Body": text.encode()}
            self.api.call("s3", "PutObject", request, Principal(role_arn))

    def _invoke_quietly(self, arn: str, event: Any) -> None:
        """Invoke a function as a service does that does not wait for its result."""
        try:
            self.functions.invoke(arn, event)
        except (ApiError, FunctionError) as error:
            self.bus.failures.append(f"{arn}: {error}")

    def _start_target(self, arn: str, input: Any, target: dict[str, Any]) -> None:
        principal = Principal(target.get("RoleArn"))
        try:
            if ":stateMachine:" in arn:
                request = {"stateMachineArn": arn, "input": json.dumps(input)}
                self.api.call("stepfunctions", "StartExecution", request, principal)
            elif ":lambda:" in arn:
                self._invoke_quietly(arn, input)
            elif ":sns:" in arn:
                text = input if isinstance(input, str) else json.dumps(input)
                self.api.call("sns", "Publish", {"TopicArn": arn, "Message": text}, principal)
            elif ":sqs:" in arn:
                self._send(arn, input)
            else:
                self.bus.failures.append(f"{arn}: the rehearsal starts no targets of this kind")
        except ApiError as error:
            self.bus.failures.append(f"{arn}: {error}")
            if "DeadLetterConfig" in target:
                self._send(target["DeadLetterConfig"]["Arn"], input)

    def _send(self, queue_arn: str, body: Any) -> None:
        url = self.api.call("sqs", "GetQueueUrl", {"QueueName": queue_arn.rsplit(":", 1)[-1]}, Principal())["QueueUrl"]
        text = body if isinstance(body, str) else json.dumps(body)
        self.api.call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": text}, Principal())
