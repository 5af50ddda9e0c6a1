"""The guards of an evaluation are where the mutations say; `python -m tests.mutation.guards` takes out every one."""

from pathlib import Path

import pytest

from tests.mutation.guards import GUARDS, ROOT, Guard, results


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.fault)
def test_a_guard_is_there_once_and_has_tests(guard: Guard, tmp_path: Path) -> None:
    copy = tmp_path / guard.file
    copy.parent.mkdir(parents=True)
    copy.write_text((ROOT / guard.file).read_text(encoding="utf-8"), encoding="utf-8")
    guard.take_out(tmp_path)
    assert (ROOT / guard.tests.partition("::")[0]).exists()


def test_a_guard_that_is_taken_out_is_noticed() -> None:
    (guard,) = [guard for guard in GUARDS if guard.fault == "a record is scored twice"]
    harmless = Guard("nothing", guard.file, guard.code, f"if bool({guard.code[3:-1]}):", guard.tests)
    found = [test for _, test in results((guard, harmless))]
    assert found == ["tests/lambdas/comparison/test_compare.py::test_a_record_that_is_scored_twice_is_refused", None]
