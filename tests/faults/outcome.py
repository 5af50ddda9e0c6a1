"""What must be true after a run, whatever went wrong in it."""

from __future__ import annotations

from collections.abc import Iterator

from bedrock_customization import OnSuccess
from bedrock_customization.rehearsal import Run
from bedrock_customization.states.notification import RELEASE_TIMED_OUT
from bedrock_customization.states.sweep import SWEEP_FAILED
from bedrock_customization.tags import KEPT_TAG
from tests.faults.account import EARLIER_RUN, Account
from tests.faults.cases import Fault, Place, visits
from tests.faults.scenarios import Scenario

# Errors that say of themselves that they pass; a run that meets one once, or a few times, must not even notice.
_PASSING = (
    "EC2Throttled",
    "ExecutionLimitExceeded",
    "InternalError",
    "InternalException",
    "InternalServer",
    "KMSThrottling",
    "KmsThrottling",
    "ModelNotReady",
    "ModelTimeout",
    "ResourceConflict",
    "ResourceNotReady",
    "ServiceException",
    "ServiceUnavailable",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
    "Throttled",
    "Throttling",
    "TooManyRequests",
    "TooManyUpdates",
)
UNCATCHABLE = ("States.Runtime", "States.DataLimitExceeded")
# States that a run survives, and why it may.
_SURVIVED = {
    "GetTrainingQuota": "not every account may ask Service Quotas",
    "GetModelUnitsQuota": "not every account may ask Service Quotas",
    "GetDefaultTrainingQuota": "not every account may ask Service Quotas",
    "GetDefaultModelUnitsQuota": "not every account may ask Service Quotas",
    "LookAtTraining": "the watch over a training never fails it",
    "RegisterModel": "the winner is served and kept by then",
    "AnnounceModel": "the winner is served and kept by then",
    "ReadCurrentModel": "the message then leaves out what was promoted before",
    "WriteNotification": "the message is published all the same",
    "Notify": "a message that cannot be published does not fail a good run",
}
# States whose answer counts against the coverage when it fails; with ten records there is no verdict then.
_ASKING = ("AskModel", "AskModelByInvokeModel")
_PUBLISHING = ("Notify", "NotifyOfWhatIsLeft")
_NOTIFYING = (
    "ReadRegistration",
    "ReadFailure",
    "WriteNotification",
    "ReadNotification",
    "DescribeItsWriter",
    "RewriteNotification",
    "Notify",
)
# States of one candidate, which does not fail the others.
_OF_A_CANDIDATE = (
    "Train",
    "DescribeTraining",
    "CreateDeployment",
    "GetDeployment",
    "CreateProvisionedModel",
    "GetProvisionedModel",
)
# Errors that are waited for at a state, because what others do at the time ends.
_WAITED_FOR = {("Train", "ServiceQuotaExceededException"), ("CreateDeployment", "ServiceQuotaExceededException")}


def problems(account: Account, run: Run, fault: Fault | None = None) -> list[str]:
    """Says what is wrong after a run and one sweep; nothing, if all is well."""
    return [
        *_problems_with_status(account, run, fault),
        *(_left_to_the_sweep(account) if fault is None else []),
        *(_rejected_models(account, run) if fault is None else []),
        *_leaks(account, run, fault),
        *_bought_twice(account),
        *_misreported(account, run, fault),
        *_not_in_words(account, run, fault),
        *_endless(account),
        *_problems_with_messages(account, run, fault),
        *_releases_that_failed_to_notify(account, fault),
        *_trespasses(account, fault),
    ]


def _problems_with_status(account: Account, run: Run, fault: Fault | None) -> Iterator[str]:
    expected = _expected_statuses(account, fault)
    if run.status not in expected:
        yield f"status: {run.status} ({run.error}: {str(run.cause)[:200]}), expected {' or '.join(sorted(expected))}"
    is_undecided = fault is not None and fault.at in _ASKING and not passes(fault)
    verdict = "INCONCLUSIVE" if is_undecided else account.scenario.verdict
    if run.status == "SUCCEEDED" and run.output["verdict"] != verdict:
        yield f"verdict: {run.output['verdict']}, expected {verdict}"


def _expected_statuses(account: Account, fault: Fault | None) -> set[str]:
    scenario = account.scenario
    is_released_in_time = fault is not None and (
        (fault.kind, fault.at) == ("lost response", "Release") or fault.kind == "gone"
    )
    if scenario.status == "FAILED" and scenario.verdict is not None and is_released_in_time:
        # Two releases look for longer, and what somebody else deleted is released.
        return {"FAILED", "SUCCEEDED"}
    if fault is None or passes(fault):
        return {scenario.status}
    if fault.kind == "stop":
        return {"ABORTED"}
    if scenario.swept_at and (fault.kind == "gone" or fault.error == "ExecutionDoesNotExist"):
        # The run needs what is gone; one that Step Functions does not know is taken for over.
        return {scenario.status, "FAILED"}
    if fault.machine and Place(fault.machine, fault.at) not in visits(scenario).before_the_end:
        return {scenario.status}
    if _is_survived(scenario, fault):
        return {scenario.status}
    if scenario.swept_at and fault.machine == "Release":
        # It can be the sweep's release that the fault strikes.
        return {scenario.status, "FAILED"}
    # A run that fails can still be stopped where its scenario stops it, or take longer than it may.
    return {"FAILED", scenario.status} - {"SUCCEEDED"}


def _is_survived(scenario: Scenario, fault: Fault) -> bool:
    if fault.at in _ASKING:
        return fault.kind != "abort" and fault.error != "States.Runtime"
    if fault.kind == "abort" or fault.error in UNCATCHABLE:
        return False
    if fault.at in _OF_A_CANDIDATE and "candidates" in scenario.changes:
        return True
    # What cannot be found or released, the release tries again at its next look.
    looks = ("Find", "LookFor", "ReadTagsOf", "Delete", "Stop")
    return fault.at in _SURVIVED or (fault.machine == "Release" and fault.at.startswith(looks))


def passes(fault: Fault) -> bool:
    """Whether a fault passes when the call is made again; a function's own calls are not repeated by the rehearsal."""
    if not fault.machine:
        return False
    passing = fault.kind == "error" and (fault.error.startswith(_PASSING) or (fault.at, fault.error) in _WAITED_FOR)
    return passing or fault.kind in ("throttled", "lost response", "hang")


def _left_to_the_sweep(account: Account) -> Iterator[str]:
    """Where neither run nor rule were hindered, the sweep finds nothing to do."""
    if account.scenario.undelivered or account.leftovers:
        return
    billed = {resource.arn for resource in account.rehearsal.bedrock.billed}
    if released := [arn for arn in account.billed_before_the_sweep if arn not in billed]:
        yield f"left to the sweep: {released}"
    if account.messages_before_the_sweep != len(account.rehearsal.inbox):
        yield "the message was left to the sweep"


def _rejected_models(account: Account, run: Run) -> Iterator[str]:
    """What was trained and is not better is deleted."""
    if run.status == "SUCCEEDED" and run.output["verdict"] == "NOT_BETTER" and not account.leftovers:
        for model in account.rehearsal.bedrock.registry.models:
            if model.arn not in account.arns_of_neighbours:
                yield f"{model.arn} is not better and still there"


def _leaks(account: Account, run: Run, fault: Fault | None) -> Iterator[str]:
    rehearsal = account.rehearsal
    billed = [billed for billed in rehearsal.bedrock.billed if billed.arn not in account.arns_of_neighbours]
    text = "".join(message.message for message in rehearsal.inbox)
    if run.status == "SUCCEEDED":
        model = run.output.get("model")
        if run.output["verdict"] == "BETTER" and model is None:
            yield "the winner was not promoted"
        is_served = model is not None and account.scenario.on_success is OnSuccess.KEEP_SERVING
        kept = [model["modelId"]] if is_served else []
        # Somebody else can have deleted it.
        if [resource.arn for resource in billed] not in (
            [kept] if fault is None or fault.kind != "gone" else [kept, []]
        ):
            yield f"billed: {billed}, expected {kept}"
    else:
        promoted = [resource for resource in billed if KEPT_TAG in rehearsal.bedrock.registry.tagged(resource.arn).tags]
        if len(promoted) > 1 or promoted != billed:
            yield f"billed: {billed}, of which {promoted} was promoted before the end"
        cut = fault is not None and (fault.kind in ("stop", "abort") or fault.error in UNCATCHABLE)
        if promoted and not cut and "ReadCurrentModel" not in run.states:
            yield f"{promoted} was kept by a promotion that failed"
    for leftover in account.leftovers:
        yield from (
            f"{resource.arn} of a forgotten run is still billed" for resource in billed if resource.arn in leftover.arns
        )
    models = [model for model in rehearsal.bedrock.registry.models if model.arn not in account.arns_of_neighbours]
    listed = models if "could not be listed" not in text else []
    for resource in [*billed, *listed]:
        if text and resource.name not in text.partition("Still billed")[2]:
            yield f"the message does not say that {resource.arn} is still billed"


def _bought_twice(account: Account) -> Iterator[str]:
    """A repeated call makes nothing a second time, not even for a while."""
    for what, arns in account.created.arns.items():
        if len(arns) > 1:
            yield f"{what}: made {len(arns)} times"


def _misreported(account: Account, run: Run, fault: Fault | None) -> Iterator[str]:
    """What a run tells as kept is there, and what it tells as released is not."""
    if run.status != "SUCCEEDED" or account.scenario.alone:
        return
    if fault is not None and fault.kind == "gone" and Place(fault.machine, fault.at) == Place("Release", "ReadTags"):
        # It was there when the run told.
        return
    registry = account.rehearsal.bedrock.registry
    there = {resource.arn for resource in (*registry.models, *registry.deployments, *registry.provisioned)}
    for kept in run.output["kept"]:
        if kept["arn"] not in there:
            yield f"{kept['name']} is told as kept and gone"
    for released in run.output["released"]:
        if released["arn"] in there:
            yield f"{released['name']} is told as released and still there"


def _not_in_words(account: Account, run: Run, fault: Fault | None) -> Iterator[str]:
    """A run that failed says why in words, and that the release failed if it did; an evaluation alone sends no mail."""
    if run.status != "FAILED" or run.error is None or account.scenario.alone:
        return
    if not run.cause or run.cause.startswith("{"):
        yield f"the cause is not in words: {run.cause!r:.100}"
    named = "could not be released" if run.error == RELEASE_TIMED_OUT else run.error
    for message in account.rehearsal.inbox:
        if named not in message.message:
            yield f"the message does not name the error {run.error}"
    at_release = fault is not None and (fault.machine, fault.at) == ("Main", "Release")
    if at_release and fault.kind != "abort" and fault.error not in UNCATCHABLE and run.error != "ReleaseFailed":
        yield f"a release that failed is told as {run.error}"


def _endless(account: Account) -> Iterator[str]:
    """A call that never returns is given up by its state, long before the execution is."""
    for execution in account.rehearsal.executions:
        if execution.status == "TIMED_OUT" and execution.status != account.scenario.status:
            yield f"{execution.state_machine_arn} was ended by nothing but its own time-out"


def _problems_with_messages(account: Account, run: Run, fault: Fault | None) -> Iterator[str]:
    inbox = account.rehearsal.inbox
    if account.scenario.alone:
        if inbox:
            yield f"messages: {len(inbox)} of an evaluation"
        return
    written = f"runs/{account.run_id(run)}/notification.json" in account.rehearsal.keys(account.results_bucket)
    if fault is not None and fault.at in _PUBLISHING and fault.kind == "error" and not passes(fault):
        # SNS does not take the message, so that only the object and an alarm can tell.
        if not inbox and not written:
            yield "neither a message nor notification.json"
        return
    unknown = fault is not None and _is_unknown_whether_sent(fault)
    most = 2 if unknown else 1
    if not 1 <= len(inbox) <= most:
        yield f"messages: {[message.subject for message in inbox]}"
    for message in inbox:
        if run.arn not in message.message:
            yield "the message does not name the run"
        # A run whose release left something has a verdict, and fails all the same.
        ended_badly = run.status != "SUCCEEDED" and run.error != RELEASE_TIMED_OUT
        if message.subject.endswith((": failed", ": was stopped")) != ended_badly and not unknown:
            yield f"subject: {message.subject!r} of a run that {run.status}"


def _releases_that_failed_to_notify(account: Account, fault: Fault | None) -> Iterator[str]:
    """A release that cannot notify is no failed release, of which an alarm says that something may still be billed."""
    if fault is None or fault.machine != "Release" or fault.at not in _NOTIFYING:
        return
    if fault.kind != "abort" and fault.error not in UNCATCHABLE:
        for execution in account.rehearsal.executions:
            is_release = "ReleaseMachine" in execution.state_machine_arn and execution.error != SWEEP_FAILED
            if is_release and execution.status == "FAILED":
                yield f"a release failed because of {fault.at}"


def _is_unknown_whether_sent(fault: Fault) -> bool:
    """Whether nobody can know that the message was sent: at least once is then better than at most once."""
    lost = fault.at in _PUBLISHING and fault.kind == "lost response"
    undescribed = fault.at == "DescribeItsWriter" and fault.error == "States.DataLimitExceeded"
    after = ("IsTheRunReleased", "RunReleased", RELEASE_TIMED_OUT, "LeftUnnotified")
    return lost or undescribed or (fault.at in after and fault.kind in ("abort", "stop"))


def _trespasses(account: Account, fault: Fault | None) -> Iterator[str]:
    rehearsal = account.rehearsal
    for neighbour in account.neighbours:
        if not neighbour.is_untouched():
            yield f"{neighbour.job.name} was touched"
    if rehearsal.download(account.results_bucket, EARLIER_RUN) != b"{}":
        yield f"{EARLIER_RUN} was overwritten"
    # A run that fails before it is stopped starts the release itself, and meets the rule's trouble instead of the rule.
    expected = {account.scenario.undelivered} | ({0} if fault is not None else set())
    if len(rehearsal.undelivered) not in expected:
        yield f"undelivered: {rehearsal.undelivered}"
