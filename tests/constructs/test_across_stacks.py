"""An evaluation that several stacks share."""

from aws_cdk import App, Stack
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from bedrock_customization import CustomizationWorkflow, EvaluationWorkflow
from bedrock_customization.tags import WORKFLOW_TAG


def test_a_customization_uses_the_evaluation_of_another_stack() -> None:
    app = App()
    evaluation = EvaluationWorkflow(Stack(app, "Shared"), "Evaluation")
    team = Stack(app, "Team")
    workflow = CustomizationWorkflow(
        team, "Customization", evaluation=evaluation, encryption_key=kms.Key(team, "Key", enable_key_rotation=True)
    )

    (tag,) = {
        statement["Condition"]["StringEquals"][f"aws:ResourceTag/{WORKFLOW_TAG}"]
        for policy in Template.from_stack(team).find_resources("AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "bedrock:InvokeModel" and "Condition" in statement
    }
    assert tag == workflow.workflow_tag
