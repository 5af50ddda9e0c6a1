"""Calls one handler as Lambda would, in a process that has the image's packages only; started by without_docker.py.

S3 is at the other end of standard input and output: each call is sent there and answered from there, as pickles.
"""

import importlib
import io
import os
import pickle
import socket
import sys
import threading
from pathlib import Path
from typing import Any

requests = os.fdopen(os.dup(0), "rb")
answers = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)  # what handlers print is not an answer
one_at_a_time = threading.Lock()


def ask(method: str, arguments: dict[str, Any]) -> Any:
    """Have S3 do something."""
    from botocore.exceptions import ClientError

    with one_at_a_time:
        pickle.dump(("s3", method, arguments), answers)
        answers.flush()
        outcome, value = pickle.load(requests)
    if outcome == "error":
        raise ClientError(*value)
    if "Body" in value:
        from botocore.response import StreamingBody

        value["Body"] = StreamingBody(io.BytesIO(value["Body"]), len(value["Body"]))
    return value


class S3:
    """An S3 client."""

    def upload_fileobj(self, file: Any, bucket: str, key: str, **_: Any) -> None:
        """Upload what can be read."""
        ask("put_object", {"Bucket": bucket, "Key": key, "Body": file.read()})

    def __getattr__(self, method: str) -> Any:
        return lambda **arguments: ask(method, arguments)


def check_confinement() -> None:
    """Fail where the function could do what it must not need: write to its folders, or reach a network."""
    for folder in (os.environ["PYTHONPATH"], os.environ["ENCODER_DIRECTORY"], os.environ["LAMBDA_TASK_ROOT"]):
        try:
            (Path(folder) / "written").touch()
        except PermissionError:
            continue
        raise AssertionError(f"{folder} can be written to")
    try:
        socket.create_connection(("192.0.2.1", 443), timeout=1)
    except OSError:
        return
    raise AssertionError("there is a network")


def main() -> None:
    """Call the handler that is named first, with the event that follows."""
    check_confinement()
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    command, event = pickle.load(requests)
    import boto3

    boto3.client = lambda service, **_: S3()
    module, _, name = command.rpartition(".")
    result = getattr(importlib.import_module(module), name)(event, None)
    foreign = {"transformers", "bert_score", "aws_cdk", "moto"} & sys.modules.keys()
    pickle.dump(("returned", result, sorted(foreign)), answers)
    answers.flush()


if __name__ == "__main__":
    main()
