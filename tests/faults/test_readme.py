"""The README's example of faults does what it says."""

import re
from pathlib import Path

from aws_cdk import Stack

from bedrock_customization.rehearsal import Rehearsal
from tests.workflows import small

README = Path(__file__).parents[2] / "README.md"


def test_the_example_of_faults_runs() -> None:
    found = re.search(
        r"<!-- run by tests/faults -->\n```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found
    workflow = small.workflow()
    with Rehearsal.from_stack(Stack.of(workflow)) as rehearsal:
        small.upload(rehearsal, workflow)
        names = {"rehearsal": rehearsal, "workflow": workflow, "execution_input": small.execution_input()}
        exec(found[1], names)
        assert rehearsal.faults.pending == []
        assert names["run"].status == "FAILED"
