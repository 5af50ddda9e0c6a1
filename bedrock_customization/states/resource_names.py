"""How the Bedrock resources of a run are named, and how they are told from others by their names."""

from __future__ import annotations

from bedrock_customization.states.task import expression

# Bedrock allows 63 characters in a name: the run's hash makes it unique.
RESOURCE_NAME = expression("""
    $input.customModelName & '-' & $runId
    & ($count($candidates) > 1 ? $substringAfter($states.input.name, 'custom') : '')
""")

_REDRIVES = "$states.context.Execution.RedriveCount"
# A job's name stays taken for ever, so a run that is redriven while it trains needs another one. A variable would keep
# the count that it was assigned with, so the state that names the job has to count.
JOB_NAME = f"$resourceName & ({_REDRIVES} > 0 ? '-r' & {_REDRIVES} : '')"

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
