"""Resolves a CloudFormation template: every value as the deployed stack would have it.

Values are resolved when they are asked for, so that only what running needs must be known.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.physical_names import Place, references

_NO_VALUE = object()
_SUBSTITUTION = re.compile(r"\$\{(!?)([^}]*)\}")
_FUNCTIONS = {
    "Fn::Join",
    "Fn::Sub",
    "Fn::Select",
    "Fn::Split",
    "Fn::If",
    "Fn::FindInMap",
    "Fn::GetAtt",
    "Fn::ImportValue",
}
_FUNCTIONS |= {"Fn::Base64", "Fn::ToJsonString", "Fn::GetAZs", "Fn::Length", "Ref"}


class Template:
    """A template in the place where it is deployed.

    Args:
        body: The template.
        place: Where it is deployed.
        parameters: Values of its parameters; a parameter without one has its default.
        imports: Gives the value of an export of another stack; raises KeyError if there is none.
        nested: Gives an output of a nested stack, by the nested stack's logical id.
        dynamic: Replaces the dynamic references in a value; raises KeyError if it cannot.
        path: What error messages call the template.
    """

    def __init__(
        self,
        body: dict[str, Any],
        place: Place,
        *,
        parameters: Mapping[str, Any],
        imports: Callable[[str], Any],
        nested: Callable[[str, str], Any],
        dynamic: Callable[[Any], Any],
        path: str,
    ) -> None:
        self.body = body
        self.place = place
        self.path = path
        self._parameters = parameters
        self._imports = imports
        self._nested = nested
        self._dynamic = dynamic
        self._resolving: list[str] = []

    def resources(self, *kinds: str) -> Iterator[tuple[str, str]]:
        """The logical ids and types of the resources that exist by the template's conditions, in its order."""
        for logical_id, resource in self.body.get("Resources", {}).items():
            if (not kinds or resource["Type"] in kinds) and self._condition(resource.get("Condition")):
                yield logical_id, resource["Type"]

    def kind(self, logical_id: str) -> str:
        """A resource's type."""
        return str(self.body["Resources"][logical_id]["Type"])

    def properties(self, logical_id: str, *names: str) -> dict[str, Any]:
        """A resource's resolved properties: the named ones, or all."""
        written = self.body["Resources"][logical_id].get("Properties") or {}
        resolved = {
            name: self.resolve(value, f"{logical_id}.Properties.{name}")
            for name, value in written.items()
            if not names or name in names
        }
        known = {name: value for name, value in resolved.items() if value is not _NO_VALUE}
        return {name: self._dynamically(value, f"{logical_id}.Properties.{name}") for name, value in known.items()}

    def reference(self, logical_id: str) -> str:
        """What `Ref` gives for a resource: its physical id."""
        return str(self._attributes(logical_id)[0])

    def arn(self, logical_id: str) -> str:
        """A resource's ARN."""
        return str(self._attributes(logical_id)[1]["Arn"])

    def output(self, name: str) -> Any:
        """The value of one of the template's outputs."""
        return self.resolve(self.body["Outputs"][name]["Value"], f"Outputs.{name}")

    def exports(self) -> dict[str, str]:
        """The outputs' names by the name under which they are exported."""
        return {
            self.resolve(output["Export"]["Name"], f"Outputs.{name}"): name
            for name, output in self.body.get("Outputs", {}).items()
            if "Export" in output
        }

    def resolve(self, value: Any, where: str) -> Any:
        """A value with every intrinsic function replaced by what it gives.

        Args:
            value: Any part of the template.
            where: Where it stands, for error messages.

        Raises:
            UnsupportedTemplateError: Something that the value needs is not known.
        """
        if isinstance(value, list):
            items = [self.resolve(item, where) for item in value]
            return [item for item in items if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            function, argument = next(iter(value.items()))
            if function in _FUNCTIONS:
                return self._call(function, argument, where)
            if function.startswith("Fn::"):
                raise self._unsupported(where, f"uses {function}, which the rehearsal does not know")
        resolved = {key: self.resolve(item, f"{where}.{key}") for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NO_VALUE}

    def _dynamically(self, value: Any, where: str) -> Any:
        try:
            return self._dynamic(value)
        except KeyError as error:
            raise self._unsupported(where, f"has {error.args[0]}, which no stack of the rehearsal makes") from error

    def _call(self, function: str, argument: Any, where: str) -> Any:
        if function == "Ref":
            return self._ref(argument, where)
        if function == "Fn::GetAtt":
            logical_id, _, attribute = (
                argument.partition(".") if isinstance(argument, str) else (argument[0], "", argument[1])
            )
            return self._get_attribute(logical_id, self.resolve(attribute, where), where)
        if function == "Fn::Sub":
            return self._sub(argument, where)
        if function == "Fn::If":
            name, yes, no = argument
            return self.resolve(yes if self._condition(name) else no, where)
        given = self.resolve(argument, where)
        if function == "Fn::Join":
            return str(given[0]).join(_text(item) for item in given[1])
        if function == "Fn::Split":
            return str(given[1]).split(given[0])
        if function == "Fn::Select":
            return given[1][int(given[0])]
        if function == "Fn::FindInMap":
            return self._find_in_map(given, where)
        if function == "Fn::ImportValue":
            try:
                return self._imports(given)
            except KeyError:
                raise self._unsupported(where, f"imports {given!r}, which no stack of the assembly exports") from None
        if function == "Fn::Base64":
            return base64.b64encode(str(given).encode()).decode()
        if function == "Fn::ToJsonString":
            return json.dumps(given, separators=(",", ":"))
        if function == "Fn::Length":
            return len(given)
        return [f"{given or self.place.region}{zone}" for zone in "abc"]

    def _ref(self, name: str, where: str) -> Any:
        pseudo = {
            "AWS::AccountId": self.place.account,
            "AWS::Region": self.place.region,
            "AWS::Partition": self.place.partition,
            "AWS::URLSuffix": self.place.url_suffix,
            "AWS::StackName": self.place.stack,
            "AWS::StackId": self.place.arn(
                "cloudformation", f"stack/{self.place.stack}/00000000-0000-0000-0000-000000000000"
            ),
            "AWS::NotificationARNs": [],
            "AWS::NoValue": _NO_VALUE,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self._parameters:
            return self._parameters[name]
        if name in self.body.get("Parameters", {}):
            return self._parameter_default(name, where)
        if name not in self.body.get("Resources", {}):
            raise self._unsupported(where, f"refers to {name}, which the template does not have")
        return self._attributes(name)[0]

    def _parameter_default(self, name: str, where: str) -> Any:
        parameter = self.body["Parameters"][name]
        kind = parameter.get("Type", "String")
        if "Default" not in parameter or kind.startswith("AWS::SSM::Parameter::Value"):
            raise self._unsupported(where, f"needs the parameter {name}; pass parameters={{{name!r}: ...}}")
        default = parameter["Default"]
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            return [item.strip() for item in str(default).split(",")]
        return default

    def _attributes(self, logical_id: str) -> tuple[str, dict[str, Any]]:
        if logical_id in self._resolving:
            raise self._unsupported(logical_id, f"refers to itself: {' -> '.join([*self._resolving, logical_id])}")
        self._resolving.append(logical_id)
        try:
            kind = self.kind(logical_id)
            written = self.body["Resources"][logical_id].get("Properties") or {}
            names = [name for name in written if _identifies(name)]
            return references(logical_id, kind, self.properties(logical_id, *names) if names else {}, self.place)
        finally:
            self._resolving.pop()

    def _get_attribute(self, logical_id: str, attribute: str, where: str) -> Any:
        if logical_id not in self.body.get("Resources", {}):
            raise self._unsupported(where, f"refers to {logical_id}, which the template does not have")
        kind = self.kind(logical_id)
        if kind == "AWS::CloudFormation::Stack" and attribute.startswith("Outputs."):
            return self._nested(logical_id, attribute.removeprefix("Outputs."))
        attributes = self._attributes(logical_id)[1]
        if kind == "AWS::SSM::Parameter" and attribute in ("Value", "Type"):
            return self.properties(logical_id, attribute)[attribute]
        if attribute not in attributes or kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource":
            raise self._unsupported(
                where, f"needs the attribute {attribute} of {logical_id} ({kind}), which the rehearsal does not know"
            )
        return attributes[attribute]

    def _sub(self, argument: Any, where: str) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument

        def replaced(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in own:
                return _text(self.resolve(own[name], where))
            if "." in name:
                logical_id, _, attribute = name.partition(".")
                return _text(self._get_attribute(logical_id, attribute, where))
            return _text(self._ref(name, where))

        return _SUBSTITUTION.sub(replaced, text)

    def _find_in_map(self, path: list[Any], where: str) -> Any:
        value = self.body.get("Mappings", {})
        for key in path[:3]:
            if not isinstance(value, dict) or key not in value:
                raise self._unsupported(where, f"looks up {' / '.join(map(str, path))}, which the mappings do not have")
            value = value[key]
        return value

    def _condition(self, name: str | None) -> bool:
        if name is None:
            return True
        return self._holds(self.body.get("Conditions", {})[name], f"Conditions.{name}")

    def _holds(self, condition: dict[str, Any], where: str) -> bool:
        operator, arguments = next(iter(condition.items()))
        if operator == "Condition":
            return self._condition(arguments)
        if operator == "Fn::Equals":
            left, right = (self.resolve(argument, where) for argument in arguments)
            return bool(_text(left) == _text(right))
        parts = (self._holds(argument, where) for argument in arguments)
        if operator == "Fn::Not":
            return not next(parts)
        if operator == "Fn::And":
            return all(parts)
        if operator == "Fn::Or":
            return any(parts)
        raise self._unsupported(where, f"uses {operator}, which the rehearsal does not know")

    def _unsupported(self, where: str, what: str) -> UnsupportedTemplateError:
        logical_id = where.split(".", 1)[0]
        kind = self.body.get("Resources", {}).get(logical_id, {}).get("Type")
        return UnsupportedTemplateError(f"{self.path}: {where}{f' ({kind})' if kind else ''} {what}")


def _identifies(property_name: str) -> bool:
    """Whether a property can be part of a resource's name, ARN or id."""
    return property_name.endswith("Name") or property_name in {
        "CidrBlock",
        "DeploymentPreference",
        "FifoQueue",
        "FifoTopic",
        "Path",
        "RoutingConfiguration",
        "StateMachineArn",
        "VpcId",
    }


def _text(value: Any) -> str:
    if value is _NO_VALUE:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
