"""Which fields the states of JSONata state machines may have; every other field is refused by name."""

from __future__ import annotations

MACHINE = {"Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version"}
BRANCH = {"Comment", "StartAt", "States"}
PROCESSOR = {"Comment", "ProcessorConfig", "StartAt", "States"}

_ALWAYS = {"Comment", "QueryLanguage", "Type"}
_FLOW = {"Assign", "End", "Next", "Output"}
_FAILURE = {"Catch", "Retry"}

STATES: dict[str, set[str]] = {
    "Choice": _ALWAYS | {"Assign", "Choices", "Default", "Output"},
    "Fail": _ALWAYS | {"Cause", "Error"},
    "Map": _ALWAYS
    | _FLOW
    | _FAILURE
    | {
        "ItemBatcher",
        "ItemProcessor",
        "ItemReader",
        "ItemSelector",
        "Items",
        "Iterator",
        "Label",
        "MaxConcurrency",
        "ResultWriter",
        "ToleratedFailureCount",
        "ToleratedFailurePercentage",
    },
    "Parallel": _ALWAYS | _FLOW | _FAILURE | {"Arguments", "Branches"},
    "Pass": _ALWAYS | _FLOW,
    "Succeed": _ALWAYS | {"Output"},
    "Task": _ALWAYS | _FLOW | _FAILURE | {"Arguments", "HeartbeatSeconds", "Resource", "TimeoutSeconds"},
    "Wait": _ALWAYS | _FLOW | {"Seconds", "Timestamp"},
}

CHOICE_RULE = {"Assign", "Comment", "Condition", "Next", "Output"}
RETRIER = {
    "BackoffRate",
    "Comment",
    "ErrorEquals",
    "IntervalSeconds",
    "JitterStrategy",
    "MaxAttempts",
    "MaxDelaySeconds",
}
CATCHER = {"Assign", "Comment", "ErrorEquals", "Next", "Output"}
ITEM_READER = {"Arguments", "ReaderConfig", "Resource"}
READER_CONFIG = {
    "CSVDelimiter",
    "CSVHeaderLocation",
    "CSVHeaders",
    "InputType",
    "ItemsPointer",
    "MaxItems",
    "Transformation",
}
ITEM_BATCHER = {"BatchInput", "MaxInputBytesPerBatch", "MaxItemsPerBatch"}
RESULT_WRITER = {"Arguments", "Resource", "WriterConfig"}
WRITER_CONFIG = {"OutputType", "Transformation"}
PROCESSOR_CONFIG = {"ExecutionType", "Mode"}

DISTRIBUTED_ONLY = ("ItemBatcher", "ItemReader", "Label", "ResultWriter")

JSONPATH = {
    "InputPath",
    "ItemsPath",
    "MaxConcurrencyPath",
    "OutputPath",
    "Parameters",
    "Result",
    "ResultPath",
    "ResultSelector",
    "SecondsPath",
    "TimestampPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
    "CausePath",
    "ErrorPath",
    "Variable",
}
NOT_REHEARSED = {"Credentials"}

CSV_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
