"""What an error says, in words."""

from __future__ import annotations

from bedrock_customization.states.task import expression

# Fields of JSON that can be cut anywhere: a name is whole, a text ends at a quote that is not escaped, or with the cut.
# A backslash is written as \x5c, because JSONata counts brackets of a regular expression unless they follow one.
_NAME = r"""$match($cause, /"<field>":\s*"([^"\x5c]+)"/, 1).groups[0]"""
_TEXT = r"""$unescaped($match($cause, /"<field>":\s*"(|[\s\S]*?[^\x5c](?:\x5c\x5c)*)(?:"|\x5c?$)/, 1).groups[0])"""
_FIELDS = {
    "childsError": _NAME.replace("<field>", "Error"),
    "childsCause": _TEXT.replace("<field>", "Cause"),
    "child": _NAME.replace("<field>", "ExecutionArn"),
    "status": _NAME.replace("<field>", "Status"),
    "job": _NAME.replace("<field>", "JobName"),
    "jobsFailure": _TEXT.replace("<field>", "FailureMessage"),
    "functionsError": _NAME.replace("<field>", "errorType"),
    "functionsMessage": _TEXT.replace("<field>", "errorMessage"),
}
_FIRST_ERROR = r"""(
    $unescaped := function($text) {
        $replace($text, /(?:\x5cu[0-9a-fA-F]{4}|\x5c["\/bfnrt\x5c])+/, function($escapes) {
            $parse('"' & $escapes.match & '"')
        })
    };
    $ofFunction := function($message) {(
        $what := $contains($message, /signal: killed|out of memory/i) ? 'ran out of memory'
            : $contains($message, /Task timed out after/) ? 'took longer than it may';
        $exists($what)
            ? 'The function ' & $what & ' (' & $message & '). Give fewer or shorter records, and start again.'
            : $message
    )};
    $ofChild := function($arn, $status) {
        'The execution ' & $arn & ($status = 'ABORTED' ? ' was stopped.'
            : $status = 'TIMED_OUT' ? ' took longer than it may.'
                & ($contains($arn, '-evaluation-') ? ' Raise the timeout of the EvaluationWorkflow.' : '')
            : ' failed.')
    };
    $told := function($error, $cause, $level) {(
        <fields>
        $level = 5 or $not($contains($cause, /^(The cause could not be determined[^\{]*)?\s*\{/))
            ? {'error': $error, 'cause': $cause}
        : $exists($jobsFailure) ? {'error': 'TrainingFailed', 'cause': $jobsFailure}
        : $exists($job) and $exists($status)
            ? {'error': 'TrainingFailed', 'cause': 'The training job ' & $job & ' has the status ' & $status & '.'}
        : $exists($childsError) or $exists($childsCause)
            ? $told(
                $exists($childsError) ? $childsError : $error,
                $exists($childsCause) ? $childsCause : '',
                $level + 1
            )
        : $exists($child) ? {'error': $error, 'cause': $ofChild($child, $status)}
        : $exists($functionsMessage)
            ? {'error': $exists($functionsError) ? $functionsError : $error, 'cause': $ofFunction($functionsMessage)}
        : {'error': $error, 'cause': $cause}
    )};
    $first := $told(<error>, $exists(<cause>) ? <cause> : '', 0);
    $first.cause != '' ? {'error': $first.error, 'cause': $substring($first.cause, 0, 8000)}
        : {'error': $first.error, 'cause': ($first.error = 'States.Timeout' ? 'A call got no answer in time.'
            : 'No cause was given.') & ' The history of the execution shows which state it was.'}
)"""


def first_error(error: str, cause: str) -> str:
    """The first error in words, as `{"error", "cause"}`.

    A cause can be a function's error or a child execution's description, as JSON text within JSON text. Regular
    expressions find the first error in it and, unlike `$parse`, never fail on a text that was cut.

    Args:
        error: The error's name, a JSONata expression.
        cause: Its cause, a JSONata expression; it can be undefined.
    """
    fields = " ".join(f"${variable} := {value};" for variable, value in _FIELDS.items())
    return expression(_FIRST_ERROR.replace("<fields>", fields).replace("<error>", error).replace("<cause>", cause))
