"""A function's threads act as the function and see what is its own, also while another function runs."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bedrock_customization.rehearsal import Rehearsal
from bedrock_customization.rehearsal.services import invocation
from bedrock_customization.rehearsal.services.lambda_functions import LambdaFunction
from bedrock_customization.rehearsal.services.task_root import TaskRoot
from tests.rehearsal.machines import single

CALLER = """
import os
from concurrent.futures import ThreadPoolExecutor
import boto3, gate

def ask(client):
    assert gate.other_runs.wait(60)
    print("asked")
    client.list_buckets()
    boto3.client("s3").list_buckets()
    seen = [os.environ.get(name) for name in ("AWS_LAMBDA_FUNCTION_NAME", "COLOUR", "SHAPE")]
    gate.caller_asked.set()
    return seen

def handler(event, context):
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, boto3.client("s3"))
        boto3.client("lambda").invoke(FunctionName="other")
        return asked.result()
"""
OTHER = """
import boto3, gate

def handler(event, context):
    gate.other_runs.set()
    assert gate.caller_asked.wait(60)
    boto3.client("sqs").list_queues()
    print("answered")
"""


def function(folder: Path, name: str, source: str, **environment: str) -> LambdaFunction:
    (folder / name).mkdir()
    (folder / name / "main.py").write_text(source)
    code = TaskRoot(folder / name)
    role = f"arn:aws:iam::123456789012:role/{name}"
    return LambdaFunction(name, name, code=code, command="main.handler", role_arn=role, environment=environment)


class Calls:
    """Notes who makes which call."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None, str | None]] = []

    def before(self, call: Any) -> None:
        self.seen.append((call.operation, call.principal.function, call.principal.role_arn))

    def after(self, call: Any, result: Any) -> None:
        pass


def test_a_thread_acts_as_its_function_while_the_function_invokes_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = SimpleNamespace(other_runs=threading.Event(), caller_asked=threading.Event())
    monkeypatch.setitem(sys.modules, "gate", gate)  # type: ignore[arg-type]
    rehearsal = Rehearsal.from_definitions(
        {"M": single("lambda:invoke", {"FunctionName": "caller"}, Output="{% $states.result.Payload %}")}
    )
    calls, functions = Calls(), rehearsal._world.functions
    rehearsal._world.api.interceptors.append(calls)
    functions.add(function(tmp_path, "caller", CALLER, COLOUR="red"))
    functions.add(function(tmp_path, "other", OTHER, SHAPE="round"))

    run = rehearsal.run("M", {})

    assert run.output == ["caller", "red", None], run.cause
    callers = {(name, role and role.rpartition("/")[2]) for operation, name, role in calls.seen if "List" in operation}
    assert callers == {("caller", "caller"), ("other", "other")}
    assert [who for operation, who, _ in calls.seen if operation == "ListBuckets"] == ["caller", "caller"]
    assert {(line.function, line.text) for line in rehearsal.logs} == {("caller", "asked"), ("other", "answered")}
    assert "COLOUR" not in os.environ


def test_functions_that_threads_invoke_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one ends only when the second one wants to begin, and the second one has not begun by then."""
    wanted = threading.Semaphore(0)

    class Lock:
        def __init__(self) -> None:
            self.lock = threading.Lock()

        def __enter__(self) -> None:
            wanted.release()
            self.lock.acquire()

        def __exit__(self, *error: object) -> None:
            self.lock.release()

    monkeypatch.setattr(invocation, "Lock", Lock)
    inside: list[int] = []
    most: list[int] = []
    both_wait = threading.Event()

    def invoke(number: int) -> None:
        with invocation.own_turn():
            inside.append(number)
            assert both_wait.wait(60)
            most.append(len(inside))
            inside.remove(number)

    account = Rehearsal.from_definitions({})._world.aws
    with account.active(), invocation.own_turn():
        threads = [threading.Thread(target=invoke, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        assert all(wanted.acquire(timeout=60) for _ in threads)
        both_wait.set()
        for thread in threads:
            thread.join()

    assert most == [1, 1]


def test_a_functions_variables_stay_with_its_threads_and_leave_the_process() -> None:
    before = dict(os.environ)
    account = Rehearsal.from_definitions({})._world.aws

    with account.active(), ThreadPoolExecutor(1) as pool:
        with invocation.own_environment({"COLOUR": "red"}):
            assert pool.submit(os.environ.get, "COLOUR").result() == "red"
            os.environ["SIZE"] = "large"
            with invocation.own_environment({"COLOUR": "blue"}):
                assert (os.environ["COLOUR"], os.environ["SIZE"]) == ("blue", "large")
                assert pool.submit(os.environ.get, "COLOUR").result() == "red"
            assert os.environ["COLOUR"] == "red"
            assert os.popen("echo $COLOUR $SIZE").read() == "red large\n"
        assert "COLOUR" not in os.environ
        assert os.popen("echo $COLOUR").read() == "\n"

    assert dict(os.environ) == before


def test_a_thread_may_use_the_account_that_its_starter_uses() -> None:
    account = Rehearsal.from_definitions({})._world.aws
    start = threading.Thread.start
    used = threading.Event()

    def use() -> None:
        with account.active():
            used.set()

    with account.active():
        threading.Thread(target=use, daemon=True).start()
        assert used.wait(10)
    assert threading.Thread.start is start
