"""One simulated AWS account: moto's state, kept apart from every other one in this process, and its clients.

moto keeps its state in module-level dictionaries, and botocore reads credentials from the environment. An account
therefore lends both to the process only while something of its rehearsal runs, and puts back what was there before.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from datetime import datetime
from functools import lru_cache
from typing import Any

import boto3
import botocore.client
import botocore.httpsession
import moto.s3.models
import moto.ssm.models
from botocore.exceptions import EndpointConnectionError
from moto.core.base_backend import BackendDict
from moto.core.models import botocore_stubber
from moto.moto_api._internal import mock_random
from moto.s3.models import s3_backends

from bedrock_customization.rehearsal.clock import VirtualClock

ApiCall = Callable[[botocore.client.BaseClient, str, dict[str, Any]], Any]
"""Answers an API call that a boto3 client makes: the client, the operation's name, its parameters."""

_MODULES_WITH_TIME: list[Any] = [moto.s3.models, moto.ssm.models]
_PROCESS_LOCK = threading.RLock()
_IN_USE: list[Any] = BackendDict._instances  # type: ignore[misc]
_SEND_REALLY = botocore.httpsession.URLLib3Session.send
_CALL_REALLY = botocore.client.BaseClient._make_api_call
_START_REALLY = threading.Thread.start
_FOREIGN_SETTINGS = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)


class SimulatedAccount:
    """An AWS account in one Region, held in memory.

    Args:
        account: The account's 12 digits.
        region: The Region that clients use unless they name another.
        clock: The virtual time, which S3 objects and parameters show.
        seed: Seeds every identifier that moto makes up.
    """

    def __init__(self, account: str, region: str, clock: VirtualClock, seed: int) -> None:
        self.account = account
        self.region = region
        self._clock = clock
        self.answer: ApiCall = self.forward
        self._backends: list[tuple[Any, dict[str, Any]]] = []
        self._buckets: dict[str, Any] = {}
        self._session: boto3.Session | None = None
        self._entered: ContextVar[bool] = ContextVar("entered", default=False)
        mine, mock_random_state = mock_random.getstate(), mock_random
        mock_random_state.seed(seed)
        self._random = mock_random_state.getstate()
        mock_random_state.setstate(mine)

    def forward(self, client: botocore.client.BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        """Let moto answer the call."""
        return _CALL_REALLY(client, operation, parameters)

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of this account; use it only while the account is `active`.

        Args:
            service: The service's name in boto3.
            region: The Region; default: the account's.
        """
        return _client(service, region or self.region)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make this the account that boto3 reaches, in the whole process, and put everything back afterwards."""
        if self._entered.get():
            yield
            return
        with _PROCESS_LOCK:
            entered, before = self._entered.set(True), _State.taken()
            try:
                self._enter()
                yield
            finally:
                self._leave()
                before.restore()
                self._entered.reset(entered)

    def _enter(self) -> None:
        _install_backends(self._backends, self._buckets)
        mock_random.setstate(self._random)
        botocore_stubber.enabled = True
        for module in _MODULES_WITH_TIME:
            module.utcnow = self._now
        boto3.DEFAULT_SESSION = self._session or _shared_session()
        account = self

        def call(client: botocore.client.BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
            return account.answer(client, operation, parameters)

        botocore.client.BaseClient._make_api_call = call
        botocore.httpsession.URLLib3Session.send = _refuse_network
        threading.Thread.start = _start_in_context  # type: ignore[method-assign, assignment]
        for name in list(os.environ):
            if name in _FOREIGN_SETTINGS or name.startswith("AWS_ENDPOINT_URL"):
                del os.environ[name]
        os.environ.update(
            {
                "AWS_ACCESS_KEY_ID": "rehearsal",
                "AWS_SECRET_ACCESS_KEY": "rehearsal",
                "AWS_DEFAULT_REGION": self.region,
                "AWS_REGION": self.region,
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_MAX_ATTEMPTS": "1",
                "MOTO_ACCOUNT_ID": self.account,
            }
        )

    def _now(self) -> datetime:
        return self._clock.now().replace(tzinfo=None)

    def _leave(self) -> None:
        self._backends = _taken_backends()
        self._buckets = dict(s3_backends.bucket_accounts)
        self._random = mock_random.getstate()
        self._session = boto3.DEFAULT_SESSION


@lru_cache
def _shared_session() -> boto3.Session:
    """A session without a Region: it holds nothing of an account, only models that are costly to load."""
    return boto3.Session(aws_access_key_id="rehearsal", aws_secret_access_key="rehearsal")


@lru_cache
def _client(service: str, region: str) -> botocore.client.BaseClient:
    return _shared_session().client(service, region_name=region)


class _State:
    """What a process-wide activation changes, as it was found."""

    @classmethod
    def taken(cls) -> _State:
        state = cls()
        state.backends = _taken_backends()
        state.buckets = dict(s3_backends.bucket_accounts)
        state.random = mock_random.getstate()
        state.stubbed = botocore_stubber.enabled
        state.clocks = [module.utcnow for module in _MODULES_WITH_TIME]
        state.session = boto3.DEFAULT_SESSION
        state.call = botocore.client.BaseClient._make_api_call
        state.send = botocore.httpsession.URLLib3Session.send
        state.start = threading.Thread.start
        state.environment = dict(os.environ)
        return state

    backends: list[tuple[Any, dict[str, Any]]]
    buckets: dict[str, Any]
    random: Any
    stubbed: bool
    clocks: list[Any]
    session: boto3.Session | None
    call: Any
    send: Any
    start: Any
    environment: dict[str, str]

    def restore(self) -> None:
        _install_backends(self.backends, self.buckets)
        mock_random.setstate(self.random)
        botocore_stubber.enabled = self.stubbed
        for module, utcnow in zip(_MODULES_WITH_TIME, self.clocks, strict=True):
            module.utcnow = utcnow
        boto3.DEFAULT_SESSION = self.session
        botocore.client.BaseClient._make_api_call = self.call
        botocore.httpsession.URLLib3Session.send = self.send
        threading.Thread.start = self.start  # type: ignore[method-assign]
        for name in set(os.environ) - set(self.environment):
            del os.environ[name]
        for name, value in self.environment.items():
            if os.environ.get(name) != value:
                os.environ[name] = value


def _taken_backends() -> list[tuple[Any, dict[str, Any]]]:
    return [(backend, dict(backend)) for backend in _IN_USE]


def _install_backends(backends: list[tuple[Any, dict[str, Any]]], buckets: dict[str, Any]) -> None:
    for backend in _IN_USE:
        backend.clear()
    _IN_USE.clear()
    for backend, accounts in backends:
        backend.update(accounts)
        _IN_USE.append(backend)
    s3_backends.bucket_accounts.clear()
    s3_backends.bucket_accounts.update(buckets)


def _refuse_network(session: object, request: Any) -> Any:
    raise EndpointConnectionError(
        endpoint_url=request.url,
        error="a rehearsal never reaches the network; the service of this endpoint is not simulated",
    )


def _start_in_context(thread: threading.Thread) -> None:
    """A thread goes on in the context of whoever starts it: who calls AWS, and with which environment."""
    context, run = copy_context(), thread.run
    thread.run = lambda: context.run(run)  # type: ignore[method-assign]
    _START_REALLY(thread)
