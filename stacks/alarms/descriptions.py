"""What an alarm says to whoever is called: cut from its runbook, so that the two cannot differ."""

import re

from stacks.layer_recipe import ROOT

RUNBOOKS = ROOT / "docs" / "runbooks"
MAX_DESCRIPTION_CHARS = 1024
"""CloudWatch's limit."""


def description_of(alarm: str, *, first_word: str, stage: str) -> str:
    """The runbook's symptom and its first three commands, ready to paste.

    Args:
        alarm: the symptom's name.
        first_word: `PAGE`, `TICKET`, or `PART` of another alarm.
        stage: stands in the commands instead of `$STAGE`.

    Raises:
        ValueError: when the runbook is missing, has no such parts, or is too long for CloudWatch.
    """
    runbook = RUNBOOKS / f"{alarm}.md"
    if not runbook.is_file():
        raise ValueError(f"The alarm {alarm} needs a runbook: docs/runbooks/{alarm}.md.")
    text = runbook.read_text(encoding="utf-8")
    symptom = re.search(r"^## Symptom\n+(.+?)\n\n", text, re.MULTILINE | re.DOTALL)
    commands = re.search(r"^## First three commands\n+```bash\n(.+?)```", text, re.MULTILINE | re.DOTALL)
    lines = [
        line for line in (commands.group(1) if commands else "").splitlines() if line[:1] not in {"", "#"}
    ]
    if symptom is None or len(lines) != 3:
        raise ValueError(
            f"{runbook.name} needs `## Symptom` and `## First three commands` with three commands."
        )
    numbered = [f"{number}. {line.replace('$STAGE', stage)}" for number, line in enumerate(lines, 1)]
    opening = f"{first_word} - {' '.join(symptom.group(1).split())}"
    description = "\n".join([opening, *numbered, f"Runbook: docs/runbooks/{alarm}.md"])
    if len(description) > MAX_DESCRIPTION_CHARS:
        raise ValueError(
            f"{runbook.name}: {len(description)} characters do not fit into an alarm's description."
        )
    return description
