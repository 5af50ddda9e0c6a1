"""Policy statements, written once, by the name of what they allow: `permissions.train_models(...)`."""

from bedrock_customization.permissions.alarms import encrypt_alarms, publish_alarms
from bedrock_customization.permissions.asking import ask_base_models, ask_custom_models, ask_models, ask_teachers
from bedrock_customization.permissions.attaching import allow, attach
from bedrock_customization.permissions.customizing import customize
from bedrock_customization.permissions.encryption import decrypt_models, encrypt_logs, encrypt_models
from bedrock_customization.permissions.executions import (
    describe_executions,
    invoke_functions,
    list_executions,
    run_distributed_maps,
    start_another_execution,
    start_execution,
)
from bedrock_customization.permissions.network import train_in_vpc
from bedrock_customization.permissions.promotion import promote, read_current_model, register_models
from bedrock_customization.permissions.releasing import release
from bedrock_customization.permissions.serving import serve_by_provisioned_throughput, serve_on_demand
from bedrock_customization.permissions.storage import (
    decrypt_objects,
    deliver_access_logs,
    list_objects,
    read_objects,
    write_map_results,
    write_objects,
)
from bedrock_customization.permissions.training import train_models
from bedrock_customization.permissions.trust import trust_for

__all__ = [
    "allow",
    "ask_base_models",
    "ask_custom_models",
    "ask_models",
    "ask_teachers",
    "attach",
    "customize",
    "decrypt_models",
    "decrypt_objects",
    "deliver_access_logs",
    "describe_executions",
    "encrypt_alarms",
    "encrypt_logs",
    "encrypt_models",
    "invoke_functions",
    "list_executions",
    "list_objects",
    "promote",
    "publish_alarms",
    "read_current_model",
    "read_objects",
    "register_models",
    "release",
    "run_distributed_maps",
    "serve_by_provisioned_throughput",
    "serve_on_demand",
    "start_another_execution",
    "start_execution",
    "train_in_vpc",
    "train_models",
    "trust_for",
    "write_map_results",
    "write_objects",
]
