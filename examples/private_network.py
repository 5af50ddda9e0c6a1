"""A customization inside a company's rules: own key, no way to the internet, tags, and a permissions boundary.

`npx cdk deploy --app "python -m examples.private_network" -c boundary=arn:aws:iam::123456789012:policy/Developers`

Training jobs get network interfaces in isolated subnets and read S3 through the gateway endpoint. The other endpoints
are for people and programs in the VPC that start runs, read results or ask the promoted model; the state machines and
functions call AWS from AWS's own network and need none.
"""

from __future__ import annotations

from aws_cdk import App, CfnOutput, Environment, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bedrock_customization import CustomizationWorkflow

ENDPOINTS = {
    "Bedrock": ec2.InterfaceVpcEndpointAwsService.BEDROCK,
    "BedrockRuntime": ec2.InterfaceVpcEndpointAwsService.BEDROCK_RUNTIME,
    "StepFunctions": ec2.InterfaceVpcEndpointAwsService.STEP_FUNCTIONS,
    "SystemsManager": ec2.InterfaceVpcEndpointAwsService.SSM,
}


class PrivateStack(Stack):
    """One workflow whose data, models and jobs stay in the company's network and under its key."""

    def __init__(self, scope: Construct, construct_id: str, *, boundary: str | None, env: Environment) -> None:
        """Creates network, key and workflow.

        Args:
            scope: The app.
            construct_id: The stack's name.
            boundary: The ARN of the permissions boundary of every role; none by default.
            env: Account and Region.
        """
        super().__init__(scope, construct_id, env=env)
        if boundary:
            policy = iam.ManagedPolicy.from_managed_policy_arn(self, "Boundary", boundary)
            iam.PermissionsBoundary.of(self).apply(policy)

        isolated = ec2.SubnetConfiguration(name="Training", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24)
        vpc = ec2.Vpc(self, "Network", max_azs=2, nat_gateways=0, subnet_configuration=[isolated])
        vpc.add_flow_log("FlowLog")
        vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        for name, service in ENDPOINTS.items():
            vpc.add_interface_endpoint(name, service=service)

        access_logs = s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
        )
        key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=RemovalPolicy.RETAIN)
        self.customization = CustomizationWorkflow(
            self,
            "Customization",
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            encryption_key=key,
            access_logs_bucket=access_logs,
            resource_tags={"cost-center": "4711", "data-classification": "internal"},
        )
        CfnOutput(self, "StateMachineArn", value=self.customization.state_machine.state_machine_arn)
        CfnOutput(self, "CurrentModel", value=self.customization.current_model_parameter.parameter_name)


if __name__ == "__main__":
    app = App()
    PrivateStack(
        app,
        "PrivateCustomization",
        boundary=app.node.try_get_context("boundary"),
        env=Environment(region="us-east-1"),
    )
    app.synth()
