"""The README's table of models is what the catalogue says."""

from pathlib import Path

import pytest

from bedrock_customization.models.__main__ import main
from bedrock_customization.models.catalogue import catalogue
from bedrock_customization.models.table import models_table

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- models: begin -->\n", "<!-- models: end -->"


def test_the_readme_has_the_catalogues_table() -> None:
    table = README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert table == models_table(), "run: python -m bedrock_customization.models README.md"


def test_a_changed_catalogue_changes_the_table() -> None:
    (identifier, entry), *others = catalogue().items()
    changed = {identifier: entry | {"regions": ["eu-west-1"]}, **dict(others)}
    assert models_table(changed) != models_table()
    assert "| eu-west-1 |" in models_table(changed)


def test_the_command_replaces_what_stands_between_the_marks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "README.md"
    path.write_text(f"before\n{BEGIN}old\n{END}\nafter\n", encoding="utf-8")
    assert main([str(path)]) == 0
    assert path.read_text(encoding="utf-8") == f"before\n{BEGIN}{models_table()}{END}\nafter\n"
    path.write_text("no marks", encoding="utf-8")
    assert main([str(path)]) == 1
    assert "has no <!-- models: begin -->" in capsys.readouterr().err
