"""How the Bedrock resources of a run are named, and how they are told from others by their names."""

from __future__ import annotations

from bedrock_customization.states.task import expression

# Bedrock allows 63 characters in a name: the run's hash makes it unique, the redrive count keeps it so when a stopped
# run is taken up again, because a job's name stays taken for ever.
RESOURCE_NAME = expression("""
    $input.customModelName & '-' & $runId
    & ($count($candidates) > 1 ? $substringAfter($states.input.name, 'custom') : '')
    & ($states.context.Execution.RedriveCount > 0 ? '-r' & $states.context.Execution.RedriveCount : '')
""")

# What follows the hash: the candidate's number, and the redrive count.
_ENDING = "(-[0-9]{1,2})?(-r[0-9]+)?$"
# A regular expression that the name of every run's resource matches.
ANY_RUN = f"/-[0-9a-f]{{16}}{_ENDING}/"


def names_resource_of_run(name: str) -> str:
    """A JSONata condition: whether a resource is named as those of `$runId` are, rather than merely contains the id.

    A model that is customized further can well be named after the run that it comes from.

    Args:
        name: The name, a JSONata expression.
    """
    return f"$contains({name}, '-' & $runId) and $contains($substringAfter({name}, '-' & $runId), /^{_ENDING}/)"
