"""`ops flags` and `ops limits`: what changes, what asks first, what the audit has."""

import io
import json
import zipfile
from pathlib import Path

import httpx
import pytest

from ops.cli import main
from ops.faults import OpsFault
from ops.lanes import wait_until
from ops.state import SourceState
from tests.fakes.ops import HandClock, captured_world, remarked, shown, write_outputs
from tests.fakes.ops_stage import audit_records, client, deploy

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture
def stage(state_dir: Path, aws: None) -> Path:  # after moto
    """A stage whose two lanes feed ingestion."""
    outputs = deploy(state_dir)
    role = client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("handler.py", "")
    client("lambda").create_function(
        FunctionName="haylift-local-ingestion",
        Runtime="python3.13",
        Role=role,
        Handler="handler.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    for lane in ("Interactive", "Backfill"):
        url = outputs[f"{lane}QueueUrl"]
        asked = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        client("lambda").create_event_source_mapping(
            FunctionName="haylift-local-ingestion", EventSourceArn=asked["Attributes"]["QueueArn"]
        )
    return state_dir


def _run(state_dir: Path, *command: str) -> tuple[int, str, str]:
    world = captured_world()
    exit_code = main([*command, "--state-dir", str(state_dir)], world)
    return exit_code, shown(world), remarked(world)


def test_the_flags_at_first(stage: Path) -> None:
    exit_code, out, _ = _run(stage, "flags", "list", "--json")

    assert exit_code == 0
    assert json.loads(out) == {
        "keyword_only": False,
        "shed_percent": 0,
        "pause_ingestion": False,
        "lanes": {"backfill": "Enabled", "interactive": "Enabled"},
        "in_effect_within_s": 5,
    }


@pytest.mark.parametrize(
    ("change", "felt"),
    [
        (("keyword-only", "on"), "All tenants would get keyword results only"),
        (("shed-load", "30"), "30 of 100 searches and questions, of all tenants, would be answered 503"),
        (("pause-ingestion", "on"), "Nothing that any tenant uploads or deletes would reach the search"),
    ],
)
def test_what_users_feel_needs_a_yes(stage: Path, change: tuple[str, str], felt: str) -> None:
    before = _run(stage, "flags", "list", "--json")[1]

    exit_code, _, err = _run(stage, "flags", "set", *change)

    assert exit_code == 2
    assert felt in err
    command = f"python -m ops --state-dir {stage} flags set {change[0]} {change[1]} --yes"
    assert err.endswith(f"To do it: {command}\n")
    assert _run(stage, "flags", "list", "--json")[1] == before
    assert audit_records() == []


def test_each_flag_is_set_and_taken_back_and_audited(stage: Path) -> None:
    for change in (("keyword-only", "on"), ("shed-load", "30"), ("pause-ingestion", "on")):
        assert _run(stage, "flags", "set", *change, "--yes")[0] == 0
    all_on = json.loads(_run(stage, "flags", "list", "--json")[1])
    for change in (("keyword-only", "off"), ("shed-load", "off"), ("pause-ingestion", "off")):
        assert _run(stage, "flags", "set", *change)[0] == 0
    all_off = json.loads(_run(stage, "flags", "list", "--json")[1])

    assert (all_on["keyword_only"], all_on["shed_percent"], all_on["pause_ingestion"]) == (True, 30, True)
    assert all_on["lanes"] == {"backfill": "Disabled", "interactive": "Disabled"}
    assert (all_off["keyword_only"], all_off["shed_percent"], all_off["pause_ingestion"]) == (False, 0, False)
    assert sorted(record["resource"] for record in audit_records()) == [
        "keyword-only=off",
        "keyword-only=on",
        "pause-ingestion=off",
        "pause-ingestion=on",
        "shed-load=30",
        "shed-load=off",
    ]
    assert {record["action"] for record in audit_records()} == {"flag.set"}


@pytest.mark.parametrize("change", [("keyword-only", "30"), ("shed-load", "on"), ("shed-load", "101")])
def test_a_value_that_cannot_be_is_refused(stage: Path, change: tuple[str, str]) -> None:
    exit_code, _, err = _run(stage, "flags", "set", *change, "--yes")

    assert exit_code == 2
    assert err.startswith("invalid_value: ")


def test_a_change_that_the_audit_does_not_have_is_said_to_stand(stage: Path) -> None:
    client("s3").delete_bucket(Bucket="audit")

    exit_code, _, err = _run(stage, "flags", "set", "shed-load", "5", "--yes")

    assert exit_code == 1
    assert err.startswith("not_audited: shed-load is 5, but the audit does not have it")
    assert json.loads(_run(stage, "flags", "list", "--json")[1])["shed_percent"] == 5


class Searches:
    """An API whose functions follow a flag some searches later, or never."""

    def __init__(self, *, after: int, shed: bool = False) -> None:
        self.count = 0
        self._after = after
        self._shed = shed

    def transport(self) -> httpx.MockTransport:
        """The network."""
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/login"):
            return httpx.Response(200, json={"access_token": "t", "expires_in": 900})
        self.count += 1
        is_there = self.count > self._after
        if is_there and self._shed:
            return httpx.Response(503, json={"code": "load_shed", "detail": "Later."})
        return httpx.Response(200, json={"degraded_reason": "keyword_only" if is_there else None})


def _prove(stage: Path, api: Searches, *change: str) -> tuple[int, str]:
    world = captured_world(transport=api.transport())
    exit_code = main(["flags", "set", *change, "--yes", "--prove", "--state-dir", str(stage)], world)
    return exit_code, remarked(world)


def test_a_flag_is_proved_by_the_first_search_that_shows_it(stage: Path) -> None:
    seen = _prove(stage, Searches(after=6), "keyword-only", "on")
    shed = _prove(stage, Searches(after=2, shed=True), "shed-load", "100")

    assert seen == (0, "Seen by a search after 3.0 s.\n")
    assert shed == (0, "Seen by a search after 1.0 s.\n")


def test_a_flag_that_is_taken_back_is_proved_after_the_functions_time(stage: Path) -> None:
    api = Searches(after=99)

    assert _prove(stage, api, "keyword-only", "off") == (0, "Seen by a search after 5.0 s.\n")
    assert api.count == 1


def test_a_flag_that_no_search_shows_is_a_failure(stage: Path) -> None:
    exit_code, err = _prove(stage, Searches(after=99), "keyword-only", "on")

    assert exit_code == 1
    assert err.startswith("not_seen: The flag is set, but 20 searches did not show it")


def _lane(state: str) -> list[SourceState]:
    return [SourceState(queue="interactive", function="ingestion", state=state, mapping_id="1")]


def test_a_pause_waits_until_lambda_has_made_it() -> None:
    clock = HandClock()

    wait_until(
        captured_world(clock=clock),
        lambda: _lane("Disabling" if clock.now() < 1_003 else "Disabled"),
        wanted="Disabled",
    )

    assert clock.now() == 1_003


def test_a_pause_that_does_not_come_is_a_failure() -> None:
    with pytest.raises(OpsFault, match="not_settled"):
        wait_until(captured_world(), lambda: _lane("Disabling"), wanted="Disabled")


def test_a_tenants_limit_is_set_and_taken_back_and_leaves_the_rest_of_its_row(stage: Path) -> None:
    client("dynamodb").put_item(
        TableName="tenants", Item={"tenant": {"S": "acme"}, "content_version": {"N": "7"}}
    )

    first = _run(stage, "limits", "set", "acme", "--searches-per-minute", "240")
    listed = _run(stage, "limits", "list", "--json")
    row = client("dynamodb").get_item(TableName="tenants", Key={"tenant": {"S": "acme"}})["Item"]
    _run(stage, "limits", "set", "acme", "--searches-per-minute", "default")

    assert first[:2] == (0, "acme: 240 searches a minute by user\n")
    assert json.loads(listed[1]) == [{"tenant": "acme", "searches_per_minute": 240}]
    assert (row["content_version"], row["searches_per_minute"]) == ({"N": "7"}, {"N": "240"})
    assert json.loads(_run(stage, "limits", "list", "--json")[1]) == []
    assert [(record["tenant"], record["resource"]) for record in audit_records()] == [
        ("acme", "searches_per_minute=240"),
        ("acme", "searches_per_minute=default"),
    ]


@pytest.mark.parametrize("tenant", ["#flags", "ACME", ""])
def test_only_tenants_have_limits(stage: Path, tenant: str) -> None:
    exit_code, _, err = _run(stage, "limits", "set", tenant, "--searches-per-minute", "5")

    assert exit_code == 2
    assert err.startswith("invalid_tenant: ")


def test_a_tenant_that_is_not_there_has_no_limit(stage: Path) -> None:
    assert _run(stage, "user", "add", "gil", "--tenant", "globex", "--role", "reader")[0] == 0
    client("dynamodb").put_item(
        TableName="tenants", Item={"tenant": {"S": "acme"}, "content_version": {"N": "7"}}
    )

    exit_code, _, err = _run(stage, "limits", "set", "nope", "--searches-per-minute", "5")
    of_users = _run(stage, "limits", "set", "globex", "--searches-per-minute", "5")

    assert exit_code == 2
    assert err == "unknown_tenant: No tenant nope has users or documents; there are acme, globex.\n"
    assert "Item" not in client("dynamodb").get_item(TableName="tenants", Key={"tenant": {"S": "nope"}})
    assert of_users[0] == 0


@pytest.mark.parametrize("limit", ["0", "-5", "1.5", "100001", "9" * 5_000, "x"])
def test_a_limit_that_cannot_be_is_refused_with_what_can(
    stage: Path, limit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        _run(stage, "limits", "set", "acme", f"--searches-per-minute={limit}")

    assert caught.value.code == 2
    assert "nor a number from 1 to 100,000" in capsys.readouterr().err


def test_limits_that_cannot_be_read_are_shown_and_mended(stage: Path) -> None:
    for tenant, written in (("acme", {"S": "10"}), ("globex", {"N": "1.5"}), ("zeta", {"N": "240"})):
        row = {"tenant": {"S": tenant}, "searches_per_minute": written}
        client("dynamodb").put_item(TableName="tenants", Item=row)

    lines = _run(stage, "limits", "list")[1].splitlines()
    rows = json.loads(_run(stage, "limits", "list", "--json")[1])
    mended = _run(stage, "limits", "set", "acme", "--searches-per-minute", "default")

    assert rows == [
        {"tenant": "acme", "searches_per_minute": None, "unreadable": {"S": "10"}},
        {"tenant": "globex", "searches_per_minute": None, "unreadable": {"N": "1.5"}},
        {"tenant": "zeta", "searches_per_minute": 240},
    ]
    assert lines[0].startswith('acme  cannot be read ({"S": "10"}), the stage\'s limit holds; mend it: ')
    assert mended[0] == 0
    assert [row["tenant"] for row in json.loads(_run(stage, "limits", "list", "--json")[1])] == [
        "globex",
        "zeta",
    ]


def test_flags_that_cannot_be_read_are_listed_and_mended(stage: Path) -> None:
    row = {"tenant": {"S": "#flags"}, "shed_percent": {"N": "12.5"}, "keyword_only": {"S": "yes"}}
    client("dynamodb").put_item(TableName="tenants", Item=row)

    listed = json.loads(_run(stage, "flags", "list", "--json")[1])
    mended = _run(stage, "flags", "set", "shed-load", "off")

    assert (listed["keyword_only"], listed["shed_percent"]) == (False, 0)
    assert mended[0] == 0
    assert client("dynamodb").get_item(TableName="tenants", Key={"tenant": {"S": "#flags"}})["Item"] == {
        "tenant": {"S": "#flags"},
        "keyword_only": {"BOOL": False},
        "shed_percent": {"N": "0"},
    }


def test_a_stage_without_lanes_says_so(state_dir: Path) -> None:
    write_outputs(state_dir)

    exit_code, _, err = _run(state_dir, "flags", "set", "pause-ingestion", "on", "--yes")

    assert exit_code == 1
    assert err == "lanes_missing: No queue feeds the function ingestion; deploy the stage again.\n"
