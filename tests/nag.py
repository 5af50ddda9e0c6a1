"""What cdk-nag and the CDK's own rules find in an app."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_cdk import Acknowledgment, App, Stack, Validations
from cdk_nag import NagPack


def takes_exact_ids() -> bool:
    """Whether this release of the CDK takes an id of cdk-nag that has a second `::`."""
    acknowledgment = Acknowledgment(id="AwsSolutions::AwsSolutions-IAM5[Resource::*]", reason="none")
    try:
        Validations.of(Stack()).acknowledge(acknowledgment)
    except RuntimeError:
        return False
    return True


@dataclass(frozen=True, order=True)
class Finding:
    """A rule that a construct does not keep.

    Args:
        rule: The rule's id.
        construct: The path of the construct.
    """

    rule: str
    construct: str


def findings(build: Callable[[App], Any], *packs: type[NagPack], context: dict[str, Any] | None = None) -> set[Finding]:
    """The findings that nobody acknowledged.

    Args:
        build: Adds stacks to the app.
        packs: The packs of rules.
        context: The app's context.
    """
    with TemporaryDirectory() as folder:
        app = App(outdir=folder, context=context)
        build(app)
        Validations.of(app).add_plugins(*(pack(app) for pack in packs))
        try:
            app.synth()
        except RuntimeError as error:
            if "ValidationFailed" not in str(error):
                raise
        reports = sorted(Path(folder).glob("*validation-report.json"))
        plugins = [plugin for report in reports for plugin in json.loads(report.read_text())["pluginReports"]]
    return {
        Finding(violation["ruleName"], construct["constructPath"])
        for plugin in plugins
        for violation in plugin.get("violations", [])
        for construct in violation["violatingConstructs"]
    }
