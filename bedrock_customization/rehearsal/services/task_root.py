"""Runs code as Lambda would see it: a function's own folder first on the path, its own modules, its own environment."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from bedrock_customization.rehearsal.services.invocation import own_environment

_SDK = {"boto3", "botocore", "s3transfer", "awslambdaric"}


class HandlerNotFoundError(Exception):
    """The handler that a function names cannot be imported."""


class TaskRoot:
    """A function's code: two functions may both have a module `handler` and never see each other's.

    Args:
        folders: The folders on its path: the code, then its layers.
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._modules: dict[str, ModuleType] = {}

    @contextmanager
    def entered(self, environment: Mapping[str, str]) -> Iterator[None]:
        """Inside, imports find this code first and the environment has these variables; afterwards all is as before."""
        own = self._own_names()
        hidden = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in own}
        path, wrote = list(sys.path), sys.dont_write_bytecode
        for name in hidden:
            del sys.modules[name]
        sys.modules.update(self._modules)
        sys.path[:0] = [str(folder) for folder in self._folders]
        sys.dont_write_bytecode = True
        importlib.invalidate_caches()
        try:
            with own_environment(environment):
                yield
        finally:
            self._modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in own}
            for name in self._modules:
                del sys.modules[name]
            sys.modules.update(hidden)
            sys.path[:] = path
            sys.dont_write_bytecode = wrote

    def load(self, handler: str) -> Callable[[Any, Any], Any]:
        """Import a handler; call it only inside `entered`.

        Args:
            handler: `<module>.<function>`, for example `dataset.handler.handler`.

        Raises:
            HandlerNotFoundError: The module does not import or has no such function.
        """
        module_name, _, function_name = handler.replace("/", ".").rpartition(".")
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            raise HandlerNotFoundError(f"Unable to import module '{module_name}': {error}") from error
        function = getattr(module, function_name, None)
        if not callable(function):
            raise HandlerNotFoundError(f"Handler '{function_name}' missing on module '{module_name}'")
        return function  # type: ignore[no-any-return]

    def _own_names(self) -> set[str]:
        names = set()
        vendored = set(_SDK)
        for folder in self._folders:
            for entry in folder.iterdir():
                if entry.name.endswith(".dist-info") and (entry / "RECORD").is_file():
                    records = (entry / "RECORD").read_text(encoding="utf-8").splitlines()
                    vendored |= {record.partition(",")[0].partition("/")[0].removesuffix(".py") for record in records}
                elif entry.is_dir() or entry.suffix == ".py":
                    names.add(entry.stem)
        return names - {name for name in vendored if name in sys.modules or name in _SDK}
