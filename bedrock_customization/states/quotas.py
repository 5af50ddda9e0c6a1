"""The states that ask Service Quotas whether a run fits into the account."""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.task import expression, task

_NO_VALUE_OF_ITS_OWN = "ServiceQuotas.NoSuchResourceException"


def check_quota(scope: Construct, name: str, *, code: str, called: str, needed: str, remedy: str = "") -> sfn.Chain:
    """Fails with `QuotaTooLow`, and what to ask for, when a quota of Bedrock is lower than what the run needs.

    An account in which a quota was never changed has no value of its own: AWS's default then counts. A quota that
    cannot be asked stops nothing, since not every account may ask; that is added to the texts in `checkWarnings`.

    Args:
        scope: The construct that holds the states.
        name: What the states' names are made of.
        code: The quota's code.
        called: The quota's name.
        needed: What the run needs, a JSONata expression.
        remedy: What else would help, as the end of a sentence.
    """
    done = sfn.Pass.jsonata(scope, f"{name}IsChecked", outputs={})
    low = sfn.Fail.jsonata(
        scope,
        f"{name}IsTooLow",
        error="QuotaTooLow",
        cause=expression(f"""
            'The quota {code} of Amazon Bedrock is ' & $string($states.input.Quota.Value) & ' in this account and'
            & ' Region, and this run needs ' & $string({needed})
            & ". Ask Service Quotas for an increase of '{called}'{remedy}."
        """),
    )
    enough = (
        sfn.Choice.jsonata(scope, f"Is{name}Enough")
        .when(
            sfn.Condition.jsonata(
                expression(f"$exists($states.input.Quota.Value) and $states.input.Quota.Value < {needed}")
            ),
            low,
        )
        .otherwise(done)
    )
    quota = {"ServiceCode": "bedrock", "QuotaCode": code}
    own = task(scope, f"Get{name}", resource="aws-sdk:servicequotas:getServiceQuota", arguments=quota)
    default = task(
        scope, f"GetDefault{name}", resource="aws-sdk:servicequotas:getAWSDefaultServiceQuota", arguments=quota
    )
    unknown = expression(f"""
        $append($checkWarnings, [
            "The quota {code} ('{called}') could not be asked, so it is not known whether the run fits: "
            & $states.errorOutput.Error
        ])
    """)
    own.add_catch(default, errors=[_NO_VALUE_OF_ITS_OWN])
    for get in (own, default):
        get.add_catch(done, errors=["States.ALL"], assign={"checkWarnings": unknown})
        get.next(enough)
    return sfn.Chain.custom(own, [done], done)
