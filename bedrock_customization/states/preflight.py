"""The states that ask Bedrock, before anything is paid for, whether what was planned can be done."""

from __future__ import annotations

from aws_cdk import Aws, Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import Serving, ServingMode
from bedrock_customization.states.quotas import check_quota
from bedrock_customization.states.task import NOT_FOUND, expression, task, tell_timeout

# The codes of Service Quotas for Amazon Bedrock.
CUSTOM_MODELS_IN_CREATION = "L-C02E1E99"
NO_COMMITMENT_MODEL_UNITS = "L-BE77399C"

_TEACHER_FIELD = "customizationConfig.distillationConfig.teacherModelConfig.teacherModelIdentifier"


def preflight(scope: Construct, *, serving: Serving) -> sfn.Chain:
    """Checks the lifecycle of every model, the quotas of training and serving, and that base models answer.

    Reads `candidates`, `baseModels` and `teachers`, and adds to the texts in `checkWarnings`. Fails with `InvalidInput`
    or `QuotaTooLow`, and what to do.

    Args:
        scope: The construct that holds the states.
        serving: How candidates are served.
    """
    chain = _check_lifecycles(scope).next(
        check_quota(
            scope,
            "TrainingQuota",
            code=CUSTOM_MODELS_IN_CREATION,
            called="Custom models with a creating status per account",
            needed="($count($candidates[job != null]) > 0 ? 1 : 0)",
        )
    )
    if serving.mode is not ServingMode.ON_DEMAND and serving.commitment is None:
        chain = chain.next(
            check_quota(
                scope,
                "ModelUnitsQuota",
                code=NO_COMMITMENT_MODEL_UNITS,
                called="Model units no-commitment Provisioned Throughputs across custom models",
                needed=f"($count($candidates[serving = 'provisioned']) * {serving.model_units})",
                remedy=", or give fewer candidates, which are served at the same time",
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
    denied = sfn.Fail.jsonata(
        scope,
        "ModelMayNotBeRead",
        error="InvalidInput",
        cause=expression("""
            $model.field & ': the workflow may not read ' & $model.identifier & ' (' & $model.refusal & ').'
            & ' Its own role allows that, so a policy of the organization or a permissions boundary denies it: have the'
            & ' model allowed there, or give a model that is.'
        """),
    )
    not_active = sfn.Fail.jsonata(
        scope,
        "ModelNotActive",
        error="InvalidInput",
        cause=expression("""
            $model.field & ': ' & $model.identifier & ' has the status ' & $model.status & '. '
            & ($model.field = 'customModelArn' ? 'Give a custom model that is Active.'
                : $model.field = 'baseModelIdentifier'
                    ? 'Bedrock starts no new customization of it; choose an active model.'
                : 'Choose a teacher that is active.')
        """),
    )
    take = sfn.Pass.jsonata(scope, "TakeModel", assign={"model": "{% $states.input %}"})
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
    refusal = "{% $merge([$model, {'refusal': $substring($states.errorOutput.Cause, 0, 1000)}]) %}"
    for get in (get_custom, get_foundation):
        get.add_catch(missing, errors=[NOT_FOUND, "Bedrock.ValidationException"])
        get.add_catch(denied, errors=["Bedrock.AccessDeniedException"], assign={"model": refusal})
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
            items=sfn.ProvideItems.jsonata(
                expression(f"""
                    $distinct([
                        $candidates.(customModelArn != null
                            ? {{'field': 'customModelArn', 'identifier': customModelArn}}
                            : {{'field': 'baseModelIdentifier', 'identifier': baseModelIdentifier}}),
                        $teachers.{{'field': '{_TEACHER_FIELD}', 'identifier': $}}
                    ])
                """)
            ),
            outputs={},
        ).item_processor(take.next(is_custom))
    )


def _ask_base_models(scope: Construct) -> sfn.Map:
    timeout = Duration.minutes(2)
    ask = task(
        scope,
        "AskBaseModel",
        resource="aws-sdk:bedrockruntime:converse",
        arguments={
            "ModelId": "{% $states.input.modelId %}",
            "Messages": [{"Role": "user", "Content": [{"Text": "Are you there? Answer with one word."}]}],
            "InferenceConfig": {"MaxTokens": 8, "Temperature": 0},
        },
        timeout=timeout,
        output={},
    )
    tell_timeout(
        scope,
        ask,
        cause=expression(f"""
            'baseInferenceModelIdentifier: the base model ' & $refusal.modelId & ' did not answer one short question in'
            & ' {timeout.to_human_string()}, whenever it was asked. Start again later, or give another id or inference'
            & ' profile to ask.'
        """),
        assign={"refusal": {"modelId": "{% $states.input.modelId %}"}},
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
