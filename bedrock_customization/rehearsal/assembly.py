"""Reads a cloud assembly, the folder that `cdk synth` writes: templates and the assets that they name."""

from __future__ import annotations

import json
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class UnsupportedTemplateError(Exception):
    """A template uses something that running needs and the rehearsal does not know; says what and where."""


@dataclass
class Assets:
    """The files and images that templates refer to, by the name under which they would be published."""

    files: dict[str, Path] = field(default_factory=dict)
    images: dict[str, Path] = field(default_factory=dict)
    _unpacked: dict[str, Path] = field(default_factory=dict)
    _scratch: list[tempfile.TemporaryDirectory[str]] = field(default_factory=list)

    def scratch(self) -> Path:
        """A new empty folder, which goes when the assets go."""
        self._scratch.append(tempfile.TemporaryDirectory(prefix="rehearsal-"))
        return Path(self._scratch[-1].name)

    def folder(self, object_key: str) -> Path | None:
        """The folder with an asset's files; a zip file is unpacked. None if no asset has this object key."""
        path = self.files.get(object_key.rsplit("/", 1)[-1])
        if path is None or path.is_dir():
            return path
        if object_key not in self._unpacked:
            if not zipfile.is_zipfile(path):
                return None
            target = self.scratch()
            with zipfile.ZipFile(path) as archive:
                archive.extractall(target)
            self._unpacked[object_key] = target
        return self._unpacked[object_key]

    def image_folder(self, image_uri: str) -> Path | None:
        """The build context of an image asset, by the image's URI; None if the image is no asset."""
        return self.images.get(image_uri.rsplit(":", 1)[-1])

    def text(self, location: str) -> str | None:
        """The text of a file asset, by an object key or URL that ends in its name; None if there is none."""
        path = self.files.get(location.rsplit("/", 1)[-1])
        return path.read_text(encoding="utf-8") if path is not None and path.is_file() else None


@dataclass(frozen=True)
class SynthesizedStack:
    """One stack of an assembly.

    Args:
        name: The stack's name in CloudFormation.
        template: Its template.
        account: The account that it names, or None if it fits any.
        region: The Region that it names, or None if it fits any.
        display_name: Its path in the app, for example `Prod/Team`.
        paths: The logical id of each resource by its construct's path, for example `Stack/Bucket/Resource`.
    """

    name: str
    template: dict[str, Any]
    account: str | None
    region: str | None
    display_name: str = ""
    paths: dict[str, str] = field(default_factory=dict)


class CloudAssembly:
    """A cloud assembly on disk.

    Args:
        directory: The assembly's folder, for example `cdk.out`.
    """

    def __init__(self, directory: Path) -> None:
        manifest = directory / "manifest.json"
        if not manifest.is_file():
            raise FileNotFoundError(
                f"directory: {directory} is no cloud assembly (it has no manifest.json); run `cdk synth` first"
            )
        self.assets = Assets()
        self.stacks: dict[str, SynthesizedStack] = {}
        self._read(directory, json.loads(manifest.read_text(encoding="utf-8")))

    def stack(self, name: str) -> SynthesizedStack:
        """A stack, by its artifact id, its name in CloudFormation, or its path in the app.

        Raises:
            KeyError: The assembly has no such stack.
        """
        if name in self.stacks:
            return self.stacks[name]
        named = [stack for stack in self.stacks.values() if name in (stack.name, stack.display_name)]
        if not named:
            raise KeyError(
                f"stack_name: the assembly has no stack {name!r}; it has {', '.join(sorted(self.stacks)) or 'none'}"
            )
        return named[0]

    def _read(self, directory: Path, manifest: dict[str, Any]) -> None:
        for artifact_id, artifact in manifest.get("artifacts", {}).items():
            properties = artifact.get("properties", {})
            kind = artifact["type"]
            if kind == "aws:cloudformation:stack":
                account, region = artifact.get("environment", "").removeprefix("aws://").partition("/")[::2]
                self.stacks[artifact_id] = SynthesizedStack(
                    name=properties.get("stackName", artifact_id),
                    template=json.loads((directory / properties["templateFile"]).read_text(encoding="utf-8")),
                    account=None if account.startswith("unknown") else account or None,
                    region=None if region.startswith("unknown") else region or None,
                    display_name=artifact.get("displayName", artifact_id),
                    paths=_logical_ids(directory, artifact),
                )
            elif kind == "cdk:asset-manifest":
                self._read_assets(directory / properties["file"])
            elif kind == "cdk:cloud-assembly":
                nested = directory / properties["directoryName"]
                self._read(nested, json.loads((nested / "manifest.json").read_text(encoding="utf-8")))

    def _read_assets(self, manifest: Path) -> None:
        listed = json.loads(manifest.read_text(encoding="utf-8"))
        for asset in listed.get("files", {}).values():
            source = asset.get("source", {}).get("path")
            for destination in asset["destinations"].values() if source else ():
                self.assets.files[destination["objectKey"].rsplit("/", 1)[-1]] = (manifest.parent / source).resolve()
        for asset in listed.get("dockerImages", {}).values():
            source = asset.get("source", {}).get("directory")
            for destination in asset["destinations"].values() if source else ():
                self.assets.images[destination["imageTag"]] = (manifest.parent / source).resolve()


def _logical_ids(directory: Path, artifact: dict[str, Any]) -> dict[str, str]:
    metadata = dict(artifact.get("metadata", {}))
    if "additionalMetadataFile" in artifact:
        metadata |= json.loads((directory / artifact["additionalMetadataFile"]).read_text(encoding="utf-8"))
    return {
        path.lstrip("/"): entry["data"]
        for path, entries in metadata.items()
        for entry in entries
        if entry["type"] == "aws:cdk:logicalId"
    }
