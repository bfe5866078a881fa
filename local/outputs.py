"""What a running system tells its users: `outputs.json`, and the text at the end of `up`."""

import json
import shlex
from collections.abc import Sequence

from local.deployment import Deployment
from local.faults import LocalFault
from local.layout import DEFAULT_STATE, Layout
from local.ports import HOST
from local.seeding import User, as_records
from local.services import MODEL_ENDPOINT_NAME, REGION

NEEDED = ("RestApiId", "ApiStageName", "UploadBucketName", "OnCallInboxUrl")


def write_outputs(deployment: Deployment, users: Sequence[User]) -> dict[str, object]:
    """Write `outputs.json` and return its content; `LocalFault` when the stacks lack one."""
    outputs = deployment.outputs()
    missing = [key for key in NEEDED if key not in outputs]
    if missing:
        raise LocalFault(
            f"The stacks give no output {', '.join(missing)}; see {deployment.layout.stack_outputs}."
        )
    if outputs.get("EmbedEndpointName", MODEL_ENDPOINT_NAME) != MODEL_ENDPOINT_NAME:
        raise LocalFault(
            f"The stacks call the model endpoint {outputs['EmbedEndpointName']}, local/services.py does not."
        )
    content: dict[str, object] = {
        "api_url": f"{deployment.address}/_aws/execute-api/{outputs['RestApiId']}/{outputs['ApiStageName']}",
        "aws_endpoint_url": deployment.address,
        "region": REGION,
        "upload_bucket": outputs["UploadBucketName"],
        "model_endpoint_url": f"http://{HOST}:{deployment.ports.model}",
        "sagemaker_runtime_url": f"http://{HOST}:{deployment.ports.runtime}",
        "users": as_records(users),
        "on_call_inbox": outputs["OnCallInboxUrl"],
        "outputs": outputs,
    }
    file = deployment.layout.outputs
    unfinished = file.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(file)
    return content


def print_guide(content: dict[str, object], users: Sequence[User], layout: Layout) -> None:
    """Print addresses, logins and commands to paste."""
    print(f"\nHaylift is up. All of this is in {layout.outputs} too.\n")
    print(f"  HTTP API        {content['api_url']}")
    print(f"  AWS APIs        {content['aws_endpoint_url']}   (region {content['region']}, any credentials)")
    print(f"  upload bucket   {content['upload_bucket']}   (documents/<tenant>/<path>)")
    print(f"  model endpoint  {content['model_endpoint_url']}")
    print(f"  on-call inbox   {content['on_call_inbox']}\n")
    print("  login            password           tenant   role")
    for user in users:
        print(f"  {user.username:16} {user.password:18} {user.tenant:8} {user.role}")
    print("\nTo paste:\n")
    for line in lines_to_paste(str(content["api_url"]), users, layout):
        print(f"  {line}")
    where = "" if layout.state == DEFAULT_STATE else f" STATE_DIR={shlex.quote(str(layout.state))}"
    print(f"\n`make down{where}` stops it, `make clean{where}` removes its state.")


def lines_to_paste(api_url: str, users: Sequence[User], layout: Layout) -> list[str]:
    """Shell lines that log in, search, ask and upload, run one after the other in this folder."""
    reader = next(user for user in users if user.role == "reader")
    login = _json_argument(username=reader.username, password=reader.password)
    question = "How do I upload a document?"
    post = "curl -s -w '\\n' -H 'Content-Type: application/json'"
    pick = "python3 -c 'import json, sys; print(json.load(sys.stdin)[\"access_token\"])'"
    ops = ".venv/bin/python -m ops"
    where = "" if layout.state == DEFAULT_STATE else f" --state-dir {shlex.quote(str(layout.state))}"
    return [
        f"API={api_url}",
        f"TOKEN=$({post} $API/v1/auth/login -d {login} | {pick})",
        f'{post} $API/v1/search -H "Authorization: Bearer $TOKEN" -d {_json_argument(query=question)}',
        f'{post} $API/v1/query -H "Authorization: Bearer $TOKEN" -d {_json_argument(text=question)}',
        "curl -s -w '\\n' $API/health",
        f'{ops} ask "{question}"{where}',
        f"{ops} upload samples --tenant {reader.tenant}{where}",
    ]


def _json_argument(**fields: str) -> str:
    return shlex.quote(json.dumps(fields))
