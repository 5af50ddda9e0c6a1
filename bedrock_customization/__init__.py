"""Constructs that customize an Amazon Bedrock model on a team's own data and keep it only if it is really better."""

from importlib.metadata import version

from bedrock_customization.assets import FunctionImage
from bedrock_customization.customization_workflow import CustomizationWorkflow
from bedrock_customization.encoder import Encoder
from bedrock_customization.evaluation_workflow import EvaluationWorkflow
from bedrock_customization.notification_topic import NotificationTopic
from bedrock_customization.options import Commitment, Evaluator, Inference, Metric, OnSuccess, QualityGate, Serving

__all__ = [
    "Commitment",
    "CustomizationWorkflow",
    "Encoder",
    "EvaluationWorkflow",
    "Evaluator",
    "FunctionImage",
    "Inference",
    "Metric",
    "NotificationTopic",
    "OnSuccess",
    "QualityGate",
    "Serving",
]
__version__ = version("bedrock-customization")
