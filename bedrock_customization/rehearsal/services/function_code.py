"""Finds the code of a stack's Lambda functions in the assembly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bedrock_customization.assets import DESCRIPTIONS, asset_root
from bedrock_customization.rehearsal.assembly import Assets, UnsupportedTemplateError
from bedrock_customization.rehearsal.deployment import DeployedStack
from bedrock_customization.rehearsal.services.lambda_functions import LambdaFunction
from bedrock_customization.rehearsal.services.task_root import TaskRoot
from bedrock_customization.rehearsal.template import Template


def functions_of(stack: DeployedStack, assets: Assets) -> list[LambdaFunction]:
    """The functions of a deployed stack.

    Args:
        stack: The stack.
        assets: The assembly's assets, where their code is.
    """
    return [
        _function(template, logical_id, stack, assets)
        for template, logical_id in stack.resources("AWS::Lambda::Function")
    ]


def _function(template: Template, logical_id: str, stack: DeployedStack, assets: Assets) -> LambdaFunction:
    properties = template.properties(
        logical_id,
        "Code",
        "Description",
        "Handler",
        "ImageConfig",
        "Layers",
        "MemorySize",
        "PackageType",
        "Role",
        "Runtime",
        "Timeout",
    )
    function = LambdaFunction(
        template.reference(logical_id),
        template.arn(logical_id),
        role_arn=properties.get("Role"),
        memory=int(properties.get("MemorySize", 128)),
        timeout=int(properties.get("Timeout", 3)),
    )
    where = f"{template.path}: {logical_id} (AWS::Lambda::Function)"
    remedy = f"pass handlers={{{logical_id!r}: ...}} with a Python function that stands for it"
    if properties.get("PackageType") == "Image":
        function.image = True
        problem = _use_image(function, properties, assets)
    else:
        problem = _use_zip(function, properties, assets, stack)
    if problem:
        function.refusal = f"{where} {problem}; {remedy}"
        return function
    try:
        variables = template.properties(logical_id, "Environment").get("Environment", {}).get("Variables", {})
    except UnsupportedTemplateError as error:
        function.refusal = f"{error}; {remedy}"
        return function
    function.environment = {name: str(value) for name, value in variables.items()}
    return function


def _use_image(function: LambdaFunction, properties: Mapping[str, Any], assets: Assets) -> str | None:
    context = assets.image_folder(str(properties["Code"].get("ImageUri", "")))
    command = properties.get("ImageConfig", {}).get("Command") or [""]
    if context is None and command[0] and properties.get("Description") == DESCRIPTIONS.get(command[0]):
        # A function of this library, whose image was built elsewhere from these sources.
        context = asset_root()
    if context is None:
        return "runs an image that the assembly does not build"
    if not (context / "lambda_src").is_dir() or not command[0]:
        return "runs an image without a folder lambda_src/ in its build context or without a command"
    function.code, function.command = TaskRoot(context / "lambda_src"), command[0]
    return None


def _use_zip(
    function: LambdaFunction, properties: Mapping[str, Any], assets: Assets, stack: DeployedStack
) -> str | None:
    runtime = str(properties.get("Runtime", ""))
    if not runtime.startswith("python"):
        return f"has the runtime {runtime or 'of an image'}; the rehearsal runs Python functions"
    code = properties["Code"]
    folder = _inline(code["ZipFile"], assets) if "ZipFile" in code else assets.folder(str(code.get("S3Key", "")))
    if folder is None:
        return "has its code in an S3 object that is no asset of the assembly"
    layers = _layers(properties.get("Layers", ()), assets, stack)
    function.code, function.command = TaskRoot(folder, *layers), str(properties.get("Handler", ""))
    return None


def _layers(arns: list[str], assets: Assets, stack: DeployedStack) -> list[Path]:
    folders = []
    for template, logical_id in stack.resources("AWS::Lambda::LayerVersion"):
        if template.reference(logical_id) in arns:
            content = template.properties(logical_id, "Content")["Content"]
            folder = assets.folder(str(content.get("S3Key", "")))
            if folder is not None:
                folders += [path for path in (folder / "python", folder) if path.is_dir()][:1]
    return folders


def _inline(source: str, assets: Assets) -> Path:
    folder = assets.scratch()
    (folder / "index.py").write_text(source, encoding="utf-8")
    return folder
