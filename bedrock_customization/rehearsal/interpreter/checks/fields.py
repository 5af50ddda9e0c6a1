"""Which fields states may have, in JSONata and in JSONPath; every other field is refused by name."""

from __future__ import annotations

from bedrock_customization.rehearsal.interpreter.jsonpath import choice

MACHINE = {"Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version"}
BRANCH = {"Comment", "StartAt", "States"}
PROCESSOR = {"Comment", "ProcessorConfig", "StartAt", "States"}

_ALWAYS = {"Comment", "QueryLanguage", "Type"}
_FAILURE = {"Catch", "Retry"}
_GOES_ON = {"Assign", "End", "Next"}
_MAP = {
    "ItemBatcher",
    "ItemProcessor",
    "ItemReader",
    "ItemSelector",
    "Iterator",
    "Label",
    "MaxConcurrency",
    "ResultWriter",
    "ToleratedFailureCount",
    "ToleratedFailurePercentage",
}
_READER_CONFIG = {
    "CSVDelimiter",
    "CSVHeaderLocation",
    "CSVHeaders",
    "InputType",
    "ItemsPointer",
    "MaxItems",
    "Transformation",
}
_TASK = {"HeartbeatSeconds", "Resource", "TimeoutSeconds"}
_BATCHER = {"BatchInput", "MaxInputBytesPerBatch", "MaxItemsPerBatch"}
_PATHS = {"InputPath", "OutputPath"}
_RESULT = {"ResultPath", "ResultSelector"}


def _or_path(names: set[str]) -> set[str]:
    return names | {f"{name}Path" for name in names}


RETRIER = {
    "BackoffRate",
    "Comment",
    "ErrorEquals",
    "IntervalSeconds",
    "JitterStrategy",
    "MaxAttempts",
    "MaxDelaySeconds",
}
WRITER_CONFIG = {"OutputType", "Transformation"}
PROCESSOR_CONFIG = {"ExecutionType", "Mode"}

JSONATA: dict[str, set[str]] = {
    "Choice": _ALWAYS | {"Assign", "Choices", "Default", "Output"},
    "Fail": _ALWAYS | {"Cause", "Error"},
    "Map": _ALWAYS | _GOES_ON | _FAILURE | _MAP | {"Items", "Output"},
    "Parallel": _ALWAYS | _GOES_ON | _FAILURE | {"Arguments", "Branches", "Output"},
    "Pass": _ALWAYS | _GOES_ON | {"Output"},
    "Succeed": _ALWAYS | {"Output"},
    "Task": _ALWAYS | _GOES_ON | _FAILURE | _TASK | {"Arguments", "Output"},
    "Wait": _ALWAYS | _GOES_ON | {"Output", "Seconds", "Timestamp"},
    "Choices": {"Assign", "Comment", "Condition", "Next", "Output"},
    "Catch": {"Assign", "Comment", "ErrorEquals", "Next", "Output"},
    "ItemReader": {"Arguments", "ReaderConfig", "Resource"},
    "ReaderConfig": _READER_CONFIG,
    "ItemBatcher": _BATCHER,
    "ResultWriter": {"Arguments", "Resource", "WriterConfig"},
}
"""The fields of states, and of the objects in them, in JSONata."""

JSONPATH: dict[str, set[str]] = {
    "Choice": _ALWAYS | _PATHS | {"Assign", "Choices", "Default"},
    "Fail": _ALWAYS | _or_path({"Cause", "Error"}),
    "Map": _ALWAYS
    | _GOES_ON
    | _FAILURE
    | _PATHS
    | _RESULT
    | _MAP
    | {"ItemsPath", "MaxConcurrencyPath", "Parameters", "ToleratedFailureCountPath", "ToleratedFailurePercentagePath"},
    "Parallel": _ALWAYS | _GOES_ON | _FAILURE | _PATHS | _RESULT | {"Branches", "Parameters"},
    "Pass": _ALWAYS | _GOES_ON | _PATHS | {"Parameters", "Result", "ResultPath"},
    "Succeed": _ALWAYS | _PATHS,
    "Task": _ALWAYS
    | _GOES_ON
    | _FAILURE
    | _PATHS
    | _RESULT
    | _TASK
    | {"HeartbeatSecondsPath", "Parameters", "TimeoutSecondsPath"},
    "Wait": _ALWAYS | _GOES_ON | _PATHS | _or_path({"Seconds", "Timestamp"}),
    "Choices": {"Assign", "Comment", "Next"} | choice.FIELDS,
    "Catch": {"Assign", "Comment", "ErrorEquals", "Next", "ResultPath"},
    "ItemReader": {"Parameters", "ReaderConfig", "Resource"},
    "ReaderConfig": _READER_CONFIG | {"MaxItemsPath"},
    "ItemBatcher": _BATCHER | {"MaxInputBytesPerBatchPath", "MaxItemsPerBatchPath"},
    "ResultWriter": {"Parameters", "Resource", "WriterConfig"},
}
"""The same in JSONPath."""

DISTRIBUTED_ONLY = ("ItemBatcher", "ItemReader", "Label", "ResultWriter")

NOT_REHEARSED = {"Credentials"}

CSV_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
