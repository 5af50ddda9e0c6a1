"""What an error says, in words."""

from __future__ import annotations

from bedrock_customization.states.task import expression

_FIRST_ERROR = r"""(
    $error := <error>;
    $flat := $replace(<cause>, /\\+"/, '"');
    $function := $match($flat, /"errorMessage":\s*"(.*?)",\s*"errorType":\s*"(.*?)"/, 1);
    $job := $match($flat, /"FailureMessage":\s*"(.*?)"\s*(?:,|\})/, 1);
    $childsError := $match($flat, /"Error":\s*"(.*?)"/, 1);
    $childsCause := $match($flat, /"Cause":\s*"(.*?)"\s*(?:,\s*"[A-Z]\w*":|\})/, 1);
    $child := $match($flat, /"ExecutionArn":\s*"(.*?)"/, 1);
    $childsEnd := $match($flat, /"Status":\s*"(ABORTED|TIMED_OUT)"/, 1);
    $found := $exists($function) ? {'error': $function.groups[1], 'cause': $function.groups[0]}
        : $exists($job) ? {'error': 'TrainingFailed', 'cause': $job.groups[0]}
        : $exists($childsError) and $exists($childsCause)
            ? {'error': $childsError.groups[0], 'cause': $childsCause.groups[0]}
        : $exists($child) and $exists($childsEnd)
            ? {'error': $error, 'cause': 'The execution ' & $child.groups[0]
                & ($childsEnd.groups[0] = 'ABORTED' ? ' was stopped.' : ' took longer than it may.')}
        : {'error': $error, 'cause': $flat};
    {'error': $found.error, 'cause': $substring($replace($found.cause, /\\+n/, '\n'), 0, 8000)}
)"""


def first_error(error: str, cause: str) -> str:
    """The first error in words, as `{"error", "cause"}`.

    A cause can be a function's error or a child execution's description, as JSON text within JSON text. Regular
    expressions find the first error in it and, unlike `$parse`, never fail on a text that was cut.

    Args:
        error: The error's name, a JSONata expression.
        cause: Its cause, a JSONata expression.
    """
    return expression(_FIRST_ERROR.replace("<error>", error).replace("<cause>", cause))
