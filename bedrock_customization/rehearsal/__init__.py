"""Rehearsals: unmodified synthesised state machines, run offline in virtual time against a simulated AWS account."""

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.interpreter.services import UnsupportedDefinitionError
from bedrock_customization.rehearsal.rehearsal import Rehearsal
from bedrock_customization.rehearsal.run import Run

__all__ = ["Rehearsal", "Run", "UnsupportedDefinitionError", "UnsupportedTemplateError"]
