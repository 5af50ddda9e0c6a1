"""Map in DISTRIBUTED mode: Map Runs, ItemReader, ItemBatcher, ResultWriter, tolerated failures."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

import pytest
import trio

from bedrock_customization.rehearsal.interpreter.execution import Execution
from bedrock_customization.rehearsal.interpreter.services import StatesError
from bedrock_customization.rehearsal.interpreter.states import distributed_map
from tests.rehearsal.interpreter.machines import CALL, GET, LIST, PUT, TestServices, run, types

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
TASK = {"Type": "Task", "Resource": CALL, "End": True}


def map_state(kind: str = "STANDARD", inner: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind},
        "StartAt": "In",
        "States": {"In": inner or {"Type": "Pass", "End": True}},
    }
    return {"M": {"Type": "Map", "ItemProcessor": processor, "Label": "Label", "End": True, **fields}}


def reader(kind: str = "JSONL", **config: Any) -> dict[str, Any]:
    arguments = {"Bucket": "{% $states.input.bucket %}", "Key": "data", "VersionId": "v1"}
    return {"Resource": GET, "Arguments": arguments, "ReaderConfig": {"InputType": kind, **config}}


def read(body: str | bytes, item_reader: dict[str, Any], **fields: Any) -> Execution:
    data = body.encode() if isinstance(body, str) else body
    return run(map_state(ItemReader=item_reader, **fields), {"bucket": "b"}, TestServices(objects={"data": data}))


def test_events_as_recorded() -> None:
    execution = run(map_state(Items=["a", "b"]))
    assert [(event["id"], event["previousEventId"], event["type"]) for event in execution.history] == [
        (1, 0, "ExecutionStarted"),
        (2, 0, "MapStateEntered"),
        (3, 2, "MapStateStarted"),
        (4, 3, "MapRunStarted"),
        (5, 4, "MapRunSucceeded"),
        (6, 5, "MapStateSucceeded"),
        (7, 4, "MapStateExited"),
        (8, 7, "ExecutionSucceeded"),
    ]
    assert execution.history[2]["mapStateStartedEventDetails"] == {"length": 2}
    arn = execution.history[3]["mapRunStartedEventDetails"]["mapRunArn"]
    assert re.fullmatch(f"arn:aws:states:eu-west-1:111122223333:mapRun:Machine/Label:{UUID}", arn)
    assert execution.output == ["a", "b"]
    assert execution.states == ["M", "In", "In"]


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_children_are_executions(kind: str) -> None:
    shown = {"Type": "Pass", "Output": "{% $states.context %}", "End": True}
    execution = run(map_state(kind, shown, Items=[{"a": None}]))
    (child,) = execution.children
    assert (child.status, child.input, types(child)[0]) == ("SUCCEEDED", {"a": None}, "ExecutionStarted")
    context = execution.output[0]
    assert context["Execution"]["Id"] == child.arn
    assert context["Execution"]["Input"] == {"a": None}
    assert context["StateMachine"] == {
        "Id": "arn:aws:states:eu-west-1:111122223333:stateMachine:Machine/Label",
        "Name": "Machine/Label",
    }
    family = "execution" if kind == "STANDARD" else "express"
    assert child.arn.startswith(f"arn:aws:states:eu-west-1:111122223333:{family}:Machine/Label:")
    assert "Map" not in context


@pytest.mark.parametrize(
    ("kind", "body", "config", "expected"),
    [
        ("JSONL", '{"a": 1}\n[2]\n\nnull\n"x"', {}, [{"a": 1}, [2], None, "x"]),
        ("JSONL", '{"a": "line\u2028separator"}\r\n1\r\n', {}, [{"a": "line\u2028separator"}, 1]),
        ("JSONL", "", {}, []),
        ("JSONL", "1\n2\n3", {"MaxItems": 2}, [1, 2]),
        ("JSONL", "1\n2\n3", {"MaxItems": 0}, [1, 2, 3]),
        ("JSONL", "1\n2\n3", {"MaxItems": "{% $length($states.input.bucket) %}"}, [1]),
        ("JSON", '[1, {"b": 2}]', {}, [1, {"b": 2}]),
        ("JSON", '{"x": 1, "y": null}', {}, [{"Key": "x", "Value": 1}, {"Key": "y", "Value": None}]),
        ("JSON", '{"a": {"b/c": [[5]]}}', {"ItemsPointer": "/a/b~1c/0"}, [5]),
        (
            "CSV",
            'h,"k"\n1,"a,b"\n,\n',
            {"CSVHeaderLocation": "FIRST_ROW"},
            [{"h": "1", "k": "a,b"}, {"h": "", "k": ""}],
        ),
        (
            "CSV",
            "1;2\n3",
            {"CSVHeaderLocation": "GIVEN", "CSVHeaders": ["h", "k"], "CSVDelimiter": "SEMICOLON"},
            [{"h": "1", "k": "2"}, {"h": "3", "k": ""}],
        ),
        ("CSV", "h\n1,2\n", {"CSVHeaderLocation": "FIRST_ROW"}, [{"h": "1"}]),
        ("CSV", "h,k,h,k\n1,2,3,4\n", {"CSVHeaderLocation": "FIRST_ROW"}, [{"h": "3", "k": "4"}]),
    ],
)
def test_item_reader(kind: str, body: str, config: dict[str, Any], expected: list[Any]) -> None:
    execution = read(body, reader(kind, **config))
    assert (execution.output, execution.error, execution.cause) == (expected, None, None)
    assert execution.history[2]["mapStateStartedEventDetails"] == {"length": 0}
    assert read(gzip.compress(body.encode()), reader(kind, **config)).output == expected


def test_item_reader_lists_objects() -> None:
    services = TestServices(objects={f"in/{name}": b"x" for name in "abcde"} | {"out/z": b"x"})
    item_reader = {"Resource": LIST, "Arguments": {"Bucket": "b", "Prefix": "{% 'in/' %}"}}
    selector = {"key": "{% $states.context.Map.Item.Value.Key %}", "index": "{% $states.context.Map.Item.Index %}"}
    execution = run(map_state(ItemReader=item_reader, ItemSelector=selector), {}, services)
    assert execution.output == [{"key": f"in/{name}", "index": index} for index, name in enumerate("abcde")]
    execution = run(map_state(ItemReader={**item_reader, "ReaderConfig": {"MaxItems": 3}}), {}, services)
    assert [item["Key"] for item in execution.output] == ["in/a", "in/b", "in/c"]


@pytest.mark.parametrize(
    ("body", "item_reader", "cause"),
    [
        ("5", reader("JSON"), "Attempting to map over non-iterable node."),
        (
            '{"a": 5}',
            reader("JSON", ItemsPointer="/b"),
            "The provided ReaderConfig.ItemsPointer does not match any valid path in the JSON structure.",
        ),
        ("[1", reader("JSON"), "S3://b/data is not JSON: "),
        ("1\n{", reader("JSONL"), "S3://b/data is not JSONL: "),
        (b"\xff", reader("JSONL"), "S3://b/data is not JSONL: "),
        ("1", {**reader(), "Arguments": {"Bucket": "b", "Key": "absent"}}, "The specified key does not exist."),
    ],
)
def test_failed_item_reader_as_recorded(body: str, item_reader: dict[str, Any], cause: str) -> None:
    execution = read(body, item_reader)
    assert execution.error == "States.ItemReaderFailed"
    assert (execution.cause or "").startswith(cause)
    assert types(execution)[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]
    assert execution.history[-3]["mapRunFailedEventDetails"] == {"error": execution.error, "cause": execution.cause}


def test_failed_expression_of_an_item_reader() -> None:
    execution = read("1", {**reader(), "Arguments": {"Bucket": "b", "Key": "{% $states.input.absent %}"}})
    assert execution.error == "States.QueryEvaluationError"
    assert "specified for the field 'ItemReader/Arguments/Key'" in (execution.cause or "")


def test_items_may_be_an_object() -> None:
    context = {"Type": "Pass", "End": True}
    selector = "{% $states.context.Map.Item %}"
    execution = run(map_state("STANDARD", context, Items="{% $states.input %}", ItemSelector=selector), {"x": 1})
    assert execution.output == [{"Index": 0, "Value": 1, "Key": "x", "Source": "STATE_DATA"}]


@pytest.mark.parametrize(
    ("batcher", "expected"),
    [
        ({"MaxItemsPerBatch": 2}, [[1, 2], [3, 4], [5]]),
        ({"MaxItemsPerBatch": "{% $states.input.n %}"}, [[1, 2, 3], [4, 5]]),
        ({"MaxItemsPerBatch": 10}, [[1, 2, 3, 4, 5]]),
        # {"Items":[1,2]} has 15 bytes.
        ({"MaxInputBytesPerBatch": 15}, [[1, 2], [3, 4], [5]]),
        ({"MaxInputBytesPerBatch": 16}, [[1, 2], [3, 4], [5]]),
        ({"MaxInputBytesPerBatch": 17, "MaxItemsPerBatch": 4}, [[1, 2, 3], [4, 5]]),
        ({"MaxInputBytesPerBatch": 200, "MaxItemsPerBatch": 4}, [[1, 2, 3, 4], [5]]),
    ],
)
def test_item_batcher(batcher: dict[str, Any], expected: list[list[int]]) -> None:
    execution = run(map_state(Items=[1, 2, 3, 4, 5], ItemBatcher=batcher), {"n": 3})
    assert execution.output == [{"Items": batch} for batch in expected]


def test_batch_input_and_item_selector() -> None:
    batcher = {"MaxItemsPerBatch": 2, "BatchInput": {"of": "{% $states.input.name %}"}}
    selector = {"value": "{% $states.context.Map.Item.Value %}"}
    items = "{% $states.input.list %}"
    execution = run(
        map_state(Items=items, ItemBatcher=batcher, ItemSelector=selector), {"name": "n", "list": [1, 2, 3]}
    )
    assert execution.output == [
        {"BatchInput": {"of": "n"}, "Items": [{"value": 1}, {"value": 2}]},
        {"BatchInput": {"of": "n"}, "Items": [{"value": 3}]},
    ]


@pytest.mark.parametrize("batcher", [None, {"MaxItemsPerBatch": 5}])
def test_item_above_256_kib(batcher: dict[str, Any] | None) -> None:
    fields = {"ItemBatcher": batcher} if batcher else {}
    line = json.dumps("x" * 262_143)
    assert read(line, reader(), **fields).error == "States.DataLimitExceeded"
    smaller = {"ItemSelector": "{% $length($states.context.Map.Item.Value) %}"}
    assert read(line, reader(), **fields, **smaller).status == "SUCCEEDED"


def failing(*items: Any, seconds: float = 1) -> TestServices:
    async def answer(item: Any) -> Any:
        await trio.sleep(seconds)
        if item in items:
            raise StatesError("E", f"item {item}")
        return item

    return TestServices(answer)


@pytest.mark.parametrize(
    ("fields", "failed", "succeeds"),
    [
        ({}, 0, True),
        ({}, 1, False),
        ({"ToleratedFailureCount": 2}, 2, True),
        ({"ToleratedFailureCount": 2}, 3, False),
        ({"ToleratedFailureCount": "{% 1 + 1 %}"}, 2, True),
        ({"ToleratedFailurePercentage": 30}, 3, True),
        ({"ToleratedFailurePercentage": 29.9}, 3, False),
        ({"ToleratedFailurePercentage": "{% 30 %}"}, 3, True),
        ({"ToleratedFailurePercentage": 100}, 10, True),
        ({"ToleratedFailurePercentage": 50, "ToleratedFailureCount": 1}, 2, False),
        ({"ToleratedFailurePercentage": 10, "ToleratedFailureCount": 5}, 2, False),
        ({"ToleratedFailurePercentage": 20, "ToleratedFailureCount": 2}, 2, True),
    ],
)
def test_tolerated_failures(fields: dict[str, Any], failed: int, succeeds: bool) -> None:
    execution = run(map_state("EXPRESS", TASK, Items=list(range(10)), **fields), {}, failing(*range(failed)))
    if succeeds:
        assert execution.output == list(range(failed, 10))
    else:
        assert execution.error == "States.ExceedToleratedFailureThreshold"
        assert execution.cause == "The specified tolerated failure threshold was exceeded"
        assert types(execution)[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]


def test_every_item_of_a_failed_batch_counts() -> None:
    def answer(batch: dict[str, Any]) -> Any:
        if 3 in batch["Items"]:
            raise StatesError("E")
        return batch["Items"]

    fields = {"Items": list(range(6)), "ItemBatcher": {"MaxItemsPerBatch": 2}}
    states = map_state("STANDARD", TASK, ToleratedFailureCount=1, **fields)
    assert run(states, {}, TestServices(answer)).error == "States.ExceedToleratedFailureThreshold"
    states = map_state("STANDARD", TASK, ToleratedFailureCount=2, **fields)
    assert run(states, {}, TestServices(answer)).output == [[0, 1], [4, 5]]


def test_children_that_still_run_are_aborted_when_too_many_failed() -> None:
    async def answer(item: int) -> int:
        await trio.sleep(item)
        if item == 2:
            raise StatesError("E")
        return item

    services = TestServices(answer)
    execution = run(map_state("STANDARD", TASK, Items=[1, 2, 3, 4], MaxConcurrency=3), {}, services)
    assert [child.status for child in execution.children] == ["SUCCEEDED", "FAILED", "ABORTED", "ABORTED"]
    assert (execution.duration, services.cancelled) == (2, 2)


def test_failed_map_run_is_caught_and_retried_from_the_first_item() -> None:
    services = failing(1)
    states = map_state("STANDARD", TASK, Items=[0, 1], Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}])
    states["M"]["Catch"] = [{"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "Next": "C"}]
    execution = run({**states, "C": {"Type": "Succeed"}}, {}, services)
    assert execution.output["Error"] == "States.ExceedToleratedFailureThreshold"
    assert sorted(item for _, item in services.calls) == [0, 0, 1, 1]
    arns = {
        event["mapRunStartedEventDetails"]["mapRunArn"]
        for event in execution.history
        if event["type"] == "MapRunStarted"
    }
    assert len(arns) == 2


@pytest.mark.parametrize(("concurrency", "most"), [(3, 3), (0, 20), ("{% 2 %}", 2)])
def test_concurrency(concurrency: Any, most: int) -> None:
    services = failing()
    execution = run(map_state("EXPRESS", TASK, Items=list(range(20)), MaxConcurrency=concurrency), {}, services)
    assert (services.most_running, execution.output) == (most, list(range(20)))


def test_express_child_has_five_minutes() -> None:
    states = map_state("EXPRESS", TASK, Items=[1], ToleratedFailureCount=1)
    execution = run(states, {}, failing(seconds=301))
    assert (execution.output, execution.children[0].status, execution.duration) == ([], "TIMED_OUT", 300)
    states = map_state("STANDARD", TASK, Items=[1])
    assert run(states, {}, failing(seconds=301)).output == [1]


def writer(**config: Any) -> dict[str, Any]:
    arguments = {"Bucket": "results", "Prefix": "{% 'runs/' & $states.input.run & '/' %}"}
    return {"Resource": PUT, "Arguments": arguments, **({"WriterConfig": config} if config else {})}


def written(services: TestServices, states: dict[str, Any]) -> tuple[Execution, dict[str, Any], str]:
    execution = run(states, {"run": "1"}, services)
    manifest = services.json("/manifest.json")
    return execution, manifest, manifest["MapRunArn"].rsplit(":", 1)[-1]


def test_result_writer_writes_executions() -> None:
    services = failing("b")
    states = map_state("STANDARD", TASK, Items=["a", "b", "c"], ResultWriter=writer(), ToleratedFailureCount=1)
    execution, manifest, run_id = written(services, states)
    folder = f"runs/1/{run_id}"
    assert execution.output == {
        "MapRunArn": manifest["MapRunArn"],
        "ResultWriterDetails": {"Bucket": "results", "Key": f"{folder}/manifest.json"},
    }
    assert set(services.objects) == {
        f"{folder}/{name}" for name in ("manifest.json", "FAILED_0.json", "SUCCEEDED_0.json")
    }
    sizes = {key: len(services.objects[f"{folder}/{key}_0.json"]) for key in ("FAILED", "SUCCEEDED")}
    assert manifest == {
        "DestinationBucket": "results",
        "MapRunArn": execution.history[3]["mapRunStartedEventDetails"]["mapRunArn"],
        "ResultFiles": {
            "FAILED": [{"Key": f"{folder}/FAILED_0.json", "Size": sizes["FAILED"]}],
            "PENDING": [],
            "SUCCEEDED": [{"Key": f"{folder}/SUCCEEDED_0.json", "Size": sizes["SUCCEEDED"]}],
        },
    }
    first, failed, _ = execution.children
    assert services.json("SUCCEEDED_0.json")[0] == {
        "ExecutionArn": first.arn,
        "Input": '"a"',
        "InputDetails": {"Included": True},
        "Name": first.name,
        "Output": '"a"',
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        "StartDate": "2026-01-01T00:00:00.000Z",
        "StateMachineArn": "arn:aws:states:eu-west-1:111122223333:stateMachine:Machine/Label",
        "Status": "SUCCEEDED",
        "StopDate": "2026-01-01T00:00:01.000Z",
    }
    (record,) = services.json("FAILED_0.json")
    assert (record["Status"], record["Error"], record["Cause"], record["Input"]) == ("FAILED", "E", "item b", '"b"')
    assert record["Name"] == failed.name
    assert "Output" not in record


@pytest.mark.parametrize(
    ("transformation", "expected"), [("COMPACT", [[1, 2], 3, {"a": None}]), ("FLATTEN", [1, 2, 3, {"a": None}])]
)
@pytest.mark.parametrize("output_type", ["JSON", "JSONL"])
def test_result_writer_transforms(transformation: str, expected: list[Any], output_type: str) -> None:
    services = TestServices()
    config = {"Transformation": transformation, "OutputType": output_type}
    written(services, map_state(Items=[[1, 2], 3, {"a": None}], ResultWriter=writer(**config)))
    if output_type == "JSON":
        assert services.json("SUCCEEDED_0.json") == expected
    else:
        (body,) = [body for key, body in services.objects.items() if key.endswith("SUCCEEDED_0.jsonl")]
        assert body.endswith(b"\n")
        assert [json.loads(line) for line in body.decode().splitlines()] == expected


def test_failed_children_are_always_described() -> None:
    services = failing(1)
    config = {"Transformation": "FLATTEN", "OutputType": "JSONL"}
    states = map_state("STANDARD", TASK, Items=[1, [2]], ToleratedFailureCount=1, ResultWriter=writer(**config))
    written(services, states)
    assert services.json("FAILED_0.jsonl")["Error"] == "E"
    assert services.json("SUCCEEDED_0.jsonl") == 2


def test_results_are_written_when_too_many_items_failed() -> None:
    services = failing(1)
    states = map_state("STANDARD", TASK, Items=[0, 1, 2, 3], MaxConcurrency=1, ResultWriter=writer())
    execution, manifest, _ = written(services, states)
    assert execution.error == "States.ExceedToleratedFailureThreshold"
    assert [record["Input"] for record in services.json("SUCCEEDED_0.json")] == ["0"]
    assert [record["Input"] for record in services.json("FAILED_0.json")] == ["1"]
    assert [record["Input"] for record in services.json("PENDING_0.json")] == ["2", "3"]
    assert len(manifest["ResultFiles"]["PENDING"]) == 1


def test_result_writer_without_items_writes_a_manifest() -> None:
    services = TestServices()
    _, manifest, _ = written(services, map_state(Items=[], ResultWriter=writer()))
    assert manifest["ResultFiles"] == {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    assert len(services.objects) == 1


def test_two_map_runs_never_write_the_same_key() -> None:
    services = TestServices()
    states = map_state(Items=[1], ResultWriter=writer())
    run(states, {"run": "1"}, services, seed=1)
    run(states, {"run": "1"}, services, seed=2)
    assert len(services.objects) == 4


def test_failed_result_writer() -> None:
    class Refusing(TestServices):
        async def call(self, resource: str, arguments: Any, caller: Any) -> Any:
            raise StatesError("S3.AccessDenied", "no")

    execution = run(map_state(Items=[1], ResultWriter=writer()), {"run": "1"}, Refusing())
    assert (execution.error, execution.cause) == ("States.ResultWriterFailed", "no")
    assert types(execution)[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [({"Transformation": "FLATTEN"}, [1, 2, 3]), ({"Transformation": "COMPACT"}, [[1, 2], 3])],
)
def test_result_writer_may_only_transform(config: dict[str, str], expected: list[Any]) -> None:
    services = TestServices()
    execution = run(map_state(Items=[[1, 2], 3], ResultWriter={"WriterConfig": config}), {}, services)
    assert (execution.output, services.objects) == (expected, {})


def test_result_above_256_kib_needs_a_result_writer() -> None:
    big = {"Type": "Pass", "Output": "{% $pad('', 150000, 'x') %}", "End": True}
    execution = run(map_state("STANDARD", big, Items=[1, 2]))
    assert execution.error == "States.DataLimitExceeded"
    services = TestServices()
    assert (
        run(map_state("STANDARD", big, Items=[1, 2], ResultWriter=writer()), {"run": "1"}, services).status
        == "SUCCEEDED"
    )


def test_calls_of_children_name_the_machine_and_the_child() -> None:
    services = TestServices()
    execution = run(map_state("EXPRESS", TASK, Items=[1]), {}, services)
    caller = services.callers[0]
    assert (caller.state_machine.name, caller.execution_arn, caller.state) == (
        "Machine",
        execution.children[0].arn,
        "In",
    )


def test_only_some_children_keep_their_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed_map, "KEPT_HISTORIES", 2)
    states = map_state("EXPRESS", TASK, Items=list(range(8)), ToleratedFailureCount=8)
    execution = run(states, {}, failing(4, 5, 6))
    assert [bool(child.history) for child in execution.children] == [True, True, False, False, True, True, False, False]
    assert [child.status for child in execution.children][3:6] == ["SUCCEEDED", "FAILED", "FAILED"]


def test_same_seed_makes_the_same_identifiers() -> None:
    def arns(seed: int) -> list[str]:
        return [child.arn for child in run(map_state(Items=[1, 2]), seed=seed).children]

    assert arns(1) == arns(1)
    assert arns(1) != arns(2)
