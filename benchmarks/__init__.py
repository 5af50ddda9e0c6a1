"""Benchmarks; each prints its table and writes it as JSON under build/benchmarks/."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "lambda_src"))
