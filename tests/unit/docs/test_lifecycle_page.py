"""The page on the life of agreements says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import click

from tearline.adapters.home import Config
from tearline.agreement import lifecycle
from tearline.agreement.lifecycle import State, Step
from tearline.cli.agreement import agreement

PAGE = (Path(__file__).parents[3] / "docs" / "lifecycle.md").read_text(encoding="utf-8")


def test_the_diagram_is_the_state_machine() -> None:
    drawn = {
        (State(before), Step(step), State(after))
        for before, after, step in re.findall(r"^    (\w+) --> (\w+): (\w+)$", PAGE, flags=re.MULTILINE)
    }
    real = {
        (state, step, lifecycle.after(state, step))
        for state in State
        for step in Step
        if lifecycle.allows(state, step)
    }
    assert drawn == real
    assert all(f"*{state}*" in PAGE or f"> {state}: " in PAGE for state in set(State) - {State.DRAFT})


def test_every_step_has_its_command() -> None:
    rows = dict(re.findall(r"^\| (\w+) \| (.*?) \|", PAGE, flags=re.MULTILINE))
    assert set(rows) - {"step"} == {*Step, "draft", "approve"}
    named = {name for row in rows.values() for name in re.findall(r"`tearline agreement (\w+)", row)}
    assert named <= set(agreement.commands)
    steps = {step for step in Step if step not in {Step.SUPERSEDE, Step.EXPIRE}}
    assert named == {*steps, "approve", "check"}
    for name in steps:
        command = agreement.commands[name]
        assert isinstance(command, click.Command)
        assert {"--officer", "--why"} <= {option for each in command.params for option in each.opts}


def test_what_can_be_configured() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE, flags=re.MULTILINE)
    config = Config(party="GBR", name="x")
    assert [(name, str(getattr(config, name))) for name, _ in rows] == rows
    assert len(rows) == 3
