"""JSONPath as Step Functions evaluates it: paths, intrinsic functions, payload templates and choice rules."""
