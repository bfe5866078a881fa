"""The deployment is found by its state folder or by its stacks, or it is said what to run."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from haylift.domain.identity import Role

from ops.deployment import Deployment, Login, aws_deployment, find_deployment, local_deployment
from ops.faults import OpsFault, UsageFault
from tests.fakes.ops import write_outputs


def test_the_local_system_is_found_by_its_outputs_file(state_dir: Path) -> None:
    deployment = find_deployment("local", state_dir=state_dir, region=None)

    assert deployment.api_url == "http://127.0.0.1:4566/_aws/execute-api/abc/local"
    assert deployment.output("UploadBucketName") == "uploads"
    assert deployment.output("LedgerTableName") == "ledger"
    assert deployment.users[1] == Login(
        username="rea@acme", password="rea-password", tenant="acme", role=Role.READER
    )


def test_nothing_up_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(OpsFault, match=r"run `make up` first, or name the folder .* --state-dir") as caught:
        local_deployment(tmp_path)

    assert caught.value.code == "not_deployed"


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"users": 3}', '{"users": [{"role": "king"}]}'])
def test_a_damaged_outputs_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "outputs.json").write_text(content)

    with pytest.raises(OpsFault, match="run `make up` again") as caught:
        local_deployment(tmp_path)

    assert caught.value.code == "outputs_damaged"


def test_a_password_is_never_part_of_a_text() -> None:
    login = Login(username="ada", password="secret-word", tenant="acme", role=Role.ADMIN)

    assert "secret-word" not in repr(Deployment(stage="local", region=None, outputs={}, users=(login,)))


def test_the_smallest_role_of_the_tenant_logs_in(state_dir: Path) -> None:
    deployment = local_deployment(state_dir)

    assert deployment.login(tenant=None, username=None).username == "rea@acme"
    assert deployment.login(tenant="globex", username=None).username == "gil@globex"
    assert deployment.login(tenant=None, username="ada@acme").role is Role.ADMIN


def test_an_unknown_login_names_the_known_ones(state_dir: Path) -> None:
    deployment = local_deployment(state_dir)

    with pytest.raises(
        UsageFault, match=r"No login of tenant initech is on file \(known: .*rea@acme of acme"
    ):
        deployment.login(tenant="initech", username=None)
    with pytest.raises(UsageFault, match="No login of user mia is on file"):
        deployment.login(tenant=None, username="mia")


def test_the_emulator_gets_its_own_credentials(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-real-key")
    write_outputs(state_dir, aws_endpoint_url="http://127.0.0.1:4566")

    client = local_deployment(state_dir).client("s3")

    assert client._request_signer._credentials.access_key == "test"
    assert client.meta.endpoint_url == "http://127.0.0.1:4566"


def _stubbed(stacks: list[dict[str, Any]]) -> Any:
    client = boto3.client(
        "cloudformation",
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    stubber = Stubber(client)
    stubber.add_response("describe_stacks", {"Stacks": [_stack(**stack) for stack in stacks]})
    stubber.activate()
    return client


def _stack(name: str, outputs: dict[str, str]) -> dict[str, Any]:
    return {
        "StackName": name,
        "CreationTime": 0,
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
    }


def test_a_stage_on_aws_is_the_outputs_of_its_stacks_only() -> None:
    cloudformation = _stubbed(
        [
            {"name": "haylift-dev-storage", "outputs": {"UploadBucketName": "dev-uploads"}},
            {"name": "haylift-dev-search-api", "outputs": {"ApiUrl": "https://dev.example/dev/"}},
            {"name": "haylift-prod-storage", "outputs": {"UploadBucketName": "prod-uploads"}},
        ]
    )

    deployment = aws_deployment("dev", cloudformation)

    assert deployment.api_url == "https://dev.example/dev"
    assert deployment.output("UploadBucketName") == "dev-uploads"
    assert deployment.aws_endpoint_url is None
    with pytest.raises(UsageFault, match="--tenant"):
        deployment.tenant(None)


def test_a_stage_that_is_not_deployed_is_named() -> None:
    cloudformation = _stubbed([{"name": "haylift-prod-storage", "outputs": {"UploadBucketName": "b"}}])

    with pytest.raises(OpsFault, match="haylift-dev-\\*") as caught:
        aws_deployment("dev", cloudformation)

    assert caught.value.code == "not_deployed"


def test_a_missing_output_is_named(state_dir: Path) -> None:
    write_outputs(state_dir, outputs=json.loads("{}"))

    with pytest.raises(OpsFault, match="LedgerTableName"):
        local_deployment(state_dir).output("LedgerTableName")
