"""Rehearsals: unmodified synthesised state machines, run offline in virtual time against a simulated AWS account."""

try:
    from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
    from bedrock_customization.rehearsal.interpreter.services import StatesError, UnsupportedDefinitionError
    from bedrock_customization.rehearsal.permissions.creation import DeploymentDeniedError
    from bedrock_customization.rehearsal.rehearsal import Rehearsal
    from bedrock_customization.rehearsal.run import Run
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"{error.name}: rehearsals need it; `pip install 'bedrock-customization[rehearsal]'` brings all that they need",
        name=error.name,
    ) from error

__all__ = [
    "DeploymentDeniedError",
    "Rehearsal",
    "Run",
    "StatesError",
    "UnsupportedDefinitionError",
    "UnsupportedTemplateError",
]
