"""The states that ask Bedrock, before anything is paid for, whether what was planned can be done."""

from __future__ import annotations

from aws_cdk import Aws, Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import Serving, ServingMode
from bedrock_customization.states.task import NOT_FOUND, expression, task

# The codes of Service Quotas for Amazon Bedrock.
CUSTOM_MODELS_IN_CREATION = "L-C02E1E99"
NO_COMMITMENT_MODEL_UNITS = "L-BE77399C"


def preflight(scope: Construct, *, serving: Serving) -> sfn.Chain:
    """Checks the lifecycle of every model, the quotas of training and serving, and that base models answer.

    Reads `candidates` and `baseModels`. Fails with `InvalidInput` or `QuotaTooLow`, and what to do. A quota that
    cannot be read stops nothing: not every account may ask Service Quotas.

    Args:
        scope: The construct that holds the states.
        serving: How candidates are served.
    """
    chain = _check_lifecycles(scope).next(
        _check_quota(
            scope,
            "TrainingQuota",
            code=CUSTOM_MODELS_IN_CREATION,
            needed="($count($candidates[job != null]) > 0 ? 1 : 0)",
            remedy="'Custom models with a creating status per account'",
        )
    )
    if serving.mode is not ServingMode.ON_DEMAND and serving.commitment is None:
        chain = chain.next(
            _check_quota(
                scope,
                "ModelUnitsQuota",
                code=NO_COMMITMENT_MODEL_UNITS,
                needed=f"($count($candidates[serving = 'provisioned']) * {serving.model_units})",
                remedy=(
                    "'Model units no-commitment Provisioned Throughputs across custom models', or give fewer "
                    "candidates, which are served at the same time"
                ),
            )
        )
    return chain.next(_ask_base_models(scope))


def _check_lifecycles(scope: Construct) -> sfn.Chain:
    checked = sfn.Pass.jsonata(scope, "ModelIsActive", outputs={})
    missing = sfn.Fail.jsonata(
        scope,
        "ModelNotFound",
        error="InvalidInput",
        cause=expression(f"""
            $model.field & ': Bedrock has no model ' & $model.identifier & ' in {Aws.REGION} that this account may use.'
            & ' Give a model of the Region, or deploy the workflow where the model is.'
        """),
    )
    not_active = sfn.Fail.jsonata(
        scope,
        "ModelNotActive",
        error="InvalidInput",
        cause=expression("""
            $model.field & ': ' & $model.identifier & ' has the status ' & $model.status & '. '
            & ($model.field = 'customModelArn' ? 'Give a custom model that is Active.'
                : 'Bedrock starts no new customization of it; choose an active model.')
        """),
    )
    take = sfn.Pass.jsonata(
        scope,
        "TakeModel",
        assign={
            "model": expression("""
                $states.input.customModelArn != null
                    ? {'field': 'customModelArn', 'identifier': $states.input.customModelArn}
                    : {'field': 'baseModelIdentifier', 'identifier': $states.input.baseModelIdentifier}
            """)
        },
    )
    get_custom = task(
        scope,
        "GetCustomModel",
        resource="aws-sdk:bedrock:getCustomModel",
        arguments={"ModelIdentifier": "{% $model.identifier %}"},
        # The API gives no status for models that were made before it had one.
        assign={
            "model": expression("""
                $merge([$model, {'status': $exists($states.result.ModelStatus)
                    ? $states.result.ModelStatus : 'Active'}])
            """)
        },
    )
    get_foundation = task(
        scope,
        "GetFoundationModel",
        resource="aws-sdk:bedrock:getFoundationModel",
        arguments={"ModelIdentifier": "{% $model.identifier %}"},
        assign={
            "model": expression("""
                $merge([$model, {'status': $exists($states.result.ModelDetails.ModelLifecycle)
                    ? $states.result.ModelDetails.ModelLifecycle.Status : 'ACTIVE'}])
            """)
        },
    )
    is_active = (
        sfn.Choice.jsonata(scope, "IsModelActive")
        .when(sfn.Condition.jsonata("{% $model.status in ['Active', 'ACTIVE'] %}"), checked)
        .otherwise(not_active)
    )
    for get in (get_custom, get_foundation):
        get.add_catch(missing, errors=[NOT_FOUND, "Bedrock.ValidationException"])
        get.next(is_active)
    is_custom = (
        sfn.Choice.jsonata(scope, "IsModelCustom")
        .when(sfn.Condition.jsonata("{% $contains($model.identifier, ':custom-model/') %}"), get_custom)
        .otherwise(get_foundation)
    )
    return sfn.Chain.start(
        sfn.Map.jsonata(
            scope,
            "CheckLifecycles",
            items=sfn.ProvideItems.jsonata("{% $candidates %}"),
            outputs={},
        ).item_processor(take.next(is_custom))
    )


def _check_quota(scope: Construct, name: str, *, code: str, needed: str, remedy: str) -> sfn.Chain:
    done = sfn.Pass.jsonata(scope, f"{name}IsChecked", outputs={})
    low = sfn.Fail.jsonata(
        scope,
        f"{name}IsTooLow",
        error="QuotaTooLow",
        cause=expression(f"""
            'The quota {code} of Amazon Bedrock is ' & $string($states.input.Quota.Value) & ' in this account and'
            & ' Region, and this run needs ' & $string({needed})
            & '. Ask Service Quotas for an increase of ' & "{remedy}."
        """),
    )
    get = task(
        scope,
        f"Get{name}",
        resource="aws-sdk:servicequotas:getServiceQuota",
        arguments={"ServiceCode": "bedrock", "QuotaCode": code},
    )
    get.add_catch(done, errors=["States.ALL"])
    get.next(
        sfn.Choice.jsonata(scope, f"Is{name}Enough")
        .when(
            sfn.Condition.jsonata(
                expression(f"$exists($states.input.Quota.Value) and $states.input.Quota.Value < {needed}")
            ),
            low,
        )
        .otherwise(done)
    )
    return sfn.Chain.custom(get, [done], done)


def _ask_base_models(scope: Construct) -> sfn.Map:
    ask = task(
        scope,
        "AskBaseModel",
        resource="aws-sdk:bedrockruntime:converse",
        arguments={
            "ModelId": "{% $states.input.modelId %}",
            "Messages": [{"Role": "user", "Content": [{"Text": "Are you there? Answer with one word."}]}],
            "InferenceConfig": {"MaxTokens": 8, "Temperature": 0},
        },
        timeout=Duration.minutes(2),
        output={},
    )
    refused = sfn.Fail.jsonata(
        scope,
        "BaseModelDoesNotAnswer",
        error="InvalidInput",
        cause=expression("""
            'baseInferenceModelIdentifier: the base model ' & $refusal.modelId & ' cannot be asked: ' & $refusal.cause
            & ' Ask for access to the model in the Bedrock console, or give the id or inference profile to ask instead.'
        """),
    )
    ask.add_catch(
        refused,
        errors=[f"BedrockRuntime.{name}Exception" for name in ("AccessDenied", "ResourceNotFound", "Validation")],
        assign={
            "refusal": {
                "modelId": "{% $states.input.modelId %}",
                "cause": "{% $substring($states.errorOutput.Cause, 0, 2000) %}",
            }
        },
    )
    return sfn.Map.jsonata(
        scope,
        "AskBaseModels",
        comment="A base model that cannot be asked would be noticed only after the training",
        items=sfn.ProvideItems.jsonata("{% $baseModels %}"),
        max_concurrency=1,
        outputs={},
    ).item_processor(ask)
