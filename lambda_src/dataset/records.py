"""What every schema of training data comes down to: a record of system texts and turns."""

import re
from dataclasses import dataclass, field
from typing import Any

CHARACTERS_PER_TOKEN = 6
"""AWS's rule of thumb for estimates (Bedrock user guide, "Prepare data for fine-tuning text-to-text models")."""
TOKEN_RULE = (
    f"{CHARACTERS_PER_TOKEN} characters a token, but each character of Chinese, Japanese, Korean and Thai is one"
)

# The rule of thumb is one for languages that are written with spaces and an alphabet.
_DENSE = re.compile("[\u0e00-\u0e7f\u1100-\u11ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True)
class Turn:
    """What one side said.

    Args:
        role: `user` or `assistant`.
        text: The text.
        media: What it holds beside text, each as kind and format, for example `image/png`.
        reasoning: The reasoning before the text.
    """

    role: str
    text: str
    media: tuple[str, ...] = ()
    reasoning: str = ""


@dataclass(frozen=True)
class Record:
    """One record of any schema, reduced to its texts."""

    system: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()

    @property
    def prompt(self) -> str:
        """All turns before the answer that is to be learned; system texts are left out, since records share them."""
        turns = self.turns[:-1] if self.completion is not None else self.turns
        return "\n".join(turn.text for turn in turns)

    @property
    def completion(self) -> str | None:
        """The answer to be learned, which is the last turn if it is the assistant's."""
        return self.turns[-1].text if self.turns and self.turns[-1].role == "assistant" else None

    @property
    def texts(self) -> list[str]:
        """All texts of the record."""
        return [*self.system, *(text for turn in self.turns for text in (turn.reasoning, turn.text) if text)]

    @property
    def media(self) -> list[str]:
        """What the record holds beside texts."""
        return [one for turn in self.turns for one in turn.media]

    @property
    def tokens(self) -> int:
        """An estimate of its tokens by `TOKEN_RULE`, rounded up."""
        texts = self.texts
        dense = sum(0 if text.isascii() else len(_DENSE.findall(text)) for text in texts)
        return dense - (dense - sum(map(len, texts))) // CHARACTERS_PER_TOKEN


@dataclass
class Parsed:
    """A line's record and what was wrong with it.

    Args:
        record: The record with all texts that could be read.
        faults: Pairs of a finding's kind and what was wrong, in words.
    """

    record: Record = field(default_factory=Record)
    faults: list[tuple[str, str]] = field(default_factory=list)

    def faults_by_kind(self) -> dict[str, list[str]]:
        """Return what was wrong for each kind, so that a kind counts a line once."""
        grouped: dict[str, list[str]] = {}
        for kind, detail in self.faults:
            grouped.setdefault(kind, []).append(detail)
        return grouped


def check_text(value: dict[str, Any], name: str, path: str, faults: list[tuple[str, str]]) -> str:
    """Return a text field that must be there and must not be blank; whatever is wrong is added to the faults.

    Args:
        value: The object that holds the field.
        name: The field's name.
        path: Where the object is in the record, for example `messages[0].`; empty for the record itself.
        faults: Where faults are added.

    Returns:
        The text, or an empty one if there is none.
    """
    if name not in value:
        faults.append(("missingField", f"{path}{name} is missing"))
        return ""
    text = value[name]
    if not isinstance(text, str):
        faults.append(("wrongType", f"{path}{name} is {type_name(text)}, not a string"))
        return ""
    if not text.strip():
        faults.append(("emptyText", f"{path}{name} is blank"))
    return text


def check_names(value: dict[str, Any], allowed: frozenset[str], path: str, faults: list[tuple[str, str]]) -> None:
    """Add a fault for the fields of an object that its schema does not have."""
    if extra := [name for name in value if name not in allowed]:
        names = ", ".join(f"{path}{name}" for name in extra)
        faults.append(("unknownField", f"{names} {'is' if len(extra) == 1 else 'are'} not in the schema"))


def type_name(value: Any) -> str:
    """Return what JSON calls a value's type, with its article."""
    if value is None:
        return "null"
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "an array",
        dict: "an object",
    }
    return names[type(value)]
