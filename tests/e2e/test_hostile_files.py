"""Hostile files, through the whole system: a verdict, the quarantine, and neighbours that notice nothing."""

import json

import pytest

from tests.e2e.system import System, eventually, fresh, word
from tests.hostile.corpus import SEARCHABLE, corpus

pytestmark = pytest.mark.e2e

FILES = {file.name: file for file in corpus()}


@pytest.mark.parametrize("name", ["late-xxe.docx", "flate-bomb.pdf", "combining-marks.txt"])
def test_a_hostile_file_ends_with_a_verdict(system: System, name: str) -> None:
    path = fresh(name)

    key = system.put(path, FILES[name].make())
    neighbour = system.put(fresh("neighbour.md"), f"# Dogs\n\nThe code word is {word()}.\n".encode())
    system.wait_for(neighbour, SEARCHABLE, within_s=90)

    def verdict() -> str | None:
        document = system.document(key) or {"state": "RECEIVED"}
        return document["reason"] or SEARCHABLE if document["state"] in {SEARCHABLE, "REJECTED"} else None

    assert eventually(verdict, 90, "a verdict") in FILES[name].outcomes


def test_a_rejected_file_lies_in_the_quarantine_until_a_good_one_comes(system: System) -> None:
    path = fresh("truncated.pdf")
    key = system.put(path, FILES["truncated.pdf"].make())
    system.wait_for(key, "REJECTED")
    aside = f"quarantine/acme/{path}"

    assert system.bucket.Object(aside).get()["Body"].read() == FILES["truncated.pdf"].make()
    said = json.loads(system.bucket.Object(f"{aside}.reason.json").get()["Body"].read())
    assert (said["state"], said["reason"], said["key"], said["copied"]) == ("REJECTED", "damaged", key, True)

    system.put(path, FILES["form-loop.pdf"].make())
    system.wait_for(key, SEARCHABLE, revision=2)
    assert [item.key for item in system.bucket.objects.filter(Prefix=aside)] == []
