"""Microsoft's own Python client, against a real gunicorn.

The client is made for a listener on loopback without keys, so it sends none. The tests add one to
its requests and change nothing else.
"""

import asyncio
import json
import re
import signal
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import pytest
from azure.durable_functions import DurableOrchestrationClient
from azure.durable_functions.models.OrchestrationRuntimeStatus import OrchestrationRuntimeStatus
from azure.durable_functions.models.utils import http_utils

from tests.builders import wrong_code
from tests.harness import SYSTEM_KEY
from tests.processes.service import Service, until

FUNCTION = "E4_SmsPhoneVerification"
PHONES = [f"+1425555{number:04}" for number in range(200, 260)]


def client_of(service: Service) -> DurableOrchestrationClient:
    base = f"{service.url}/runtime/webhooks/durabletask"
    links = dict.fromkeys(
        ("id", "statusQueryGetUri", "purgeHistoryDeleteUri", "restartPostUri"),
        f"{base}/instances/INSTANCEID",
    )
    links |= {
        "sendEventPostUri": f"{base}/instances/INSTANCEID/raiseEvent/{{eventName}}",
        "terminatePostUri": f"{base}/instances/INSTANCEID/terminate?reason={{text}}",
        "rewindPostUri": f"{base}/instances/INSTANCEID/rewind?reason={{text}}",
        "suspendPostUri": f"{base}/instances/INSTANCEID/suspend?reason={{text}}",
        "resumePostUri": f"{base}/instances/INSTANCEID/resume?reason={{text}}",
    }
    context = {
        "taskHubName": "TestHubName",
        "creationUrls": {},
        "managementUrls": links,
        "rpcBaseUrl": f"{base}/",
    }
    client = DurableOrchestrationClient(json.dumps(context))
    for name in ("_post_async_request", "_get_async_request", "_delete_async_request"):
        setattr(client, name, with_key(getattr(client, name)))
    return client


def with_key(send: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    def sending(url: str, *args: Any, **more: Any) -> Coroutine[Any, Any, Any]:
        return send(f"{url}{'&' if '?' in url else '?'}code={SYSTEM_KEY}", *args, **more)

    return sending


def wrong(service: Service, phone: str, nth: int = 1) -> str:
    """Without a leading zero, which an integer does not keep."""
    return wrong_code(f"{int(service.code(phone)) % 8000 + 1000:04}", nth)


async def runtime_status(client: DurableOrchestrationClient, id: str) -> Any:
    return (await client.get_status(id)).runtime_status


async def running(client: DurableOrchestrationClient, id: str) -> None:
    """The text has been accepted."""
    for _ in range(500):
        if await runtime_status(client, id) is OrchestrationRuntimeStatus.Running:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not running")


def test_every_operation_of_the_client(service: Service) -> None:
    service.start()

    async def run() -> None:
        client = client_of(service)
        try:
            await starts_and_answers(service, client)
            await terminates_suspends_and_resumes(service, client)
            await lists(client)
            await waits(service, client)
            await removes(client)
        finally:
            await http_utils._close_session()
            await asyncio.sleep(0.05)

    asyncio.run(run())


async def starts_and_answers(service: Service, client: DurableOrchestrationClient) -> None:
    right = await client.start_new(FUNCTION, client_input=PHONES[0])
    assert re.fullmatch("[0-9a-f]{32}", right)
    await running(client, right)
    await client.raise_event(right, "SmsChallengeResponse", int(wrong(service, PHONES[0])))
    await client.raise_event(right, "SmsChallengeResponse", service.code(PHONES[0]))
    status = await client.get_status(right, show_history=True, show_history_output=True)
    assert status.runtime_status is OrchestrationRuntimeStatus.Completed
    assert status.output is True
    assert (status.name, status.instance_id) == (FUNCTION, right)
    assert status.custom_status["attemptsUsed"] == 1
    assert status.created_time <= status.last_updated_time
    kinds = [event["EventType"] for event in status.historyEvents]
    assert kinds[0] == "ExecutionStarted"
    assert kinds[-3:] == ["EventRaised", "EventRaised", "ExecutionCompleted"]

    false = await client.start_new(FUNCTION, "chosen-id", PHONES[1])
    assert false == "chosen-id"
    await running(client, false)
    for nth in range(1, 5):
        await client.raise_event(false, "SmsChallengeResponse", wrong(service, PHONES[1], nth))
    assert (await client.get_status(false)).output is False

    with pytest.raises(Exception, match="already exists"):
        await client.start_new(FUNCTION, "chosen-id", PHONES[1])
    with pytest.raises(Exception, match="international form"):
        await client.start_new(FUNCTION, client_input="4255550123")
    with pytest.raises(Exception, match="E1_Hello"):
        await client.start_new("E1_Hello", client_input=PHONES[1])
    with pytest.raises(Exception, match="is gone"):
        await client.raise_event(right, "SmsChallengeResponse", "1234")
    with pytest.raises(Exception, match="No instance"):
        await client.raise_event("unknown", "SmsChallengeResponse", "1234")
    assert (await client.get_status("unknown")).runtime_status is None


async def terminates_suspends_and_resumes(
    service: Service, client: DurableOrchestrationClient
) -> None:
    id = await client.start_new(FUNCTION, client_input=PHONES[2])
    await running(client, id)
    await client.suspend(id, "lunch")
    assert await runtime_status(client, id) is OrchestrationRuntimeStatus.Suspended
    await client.raise_event(id, "SmsChallengeResponse", service.code(PHONES[2]))
    assert await runtime_status(client, id) is OrchestrationRuntimeStatus.Suspended
    await client.resume(id, "back")
    assert (await client.get_status(id)).output is True

    gone = await client.start_new(FUNCTION, client_input=PHONES[3])
    await client.terminate(gone, "enough")
    status = await client.get_status(gone)
    assert status.runtime_status is OrchestrationRuntimeStatus.Terminated
    assert status.output == "enough"
    await client.terminate(gone, "a 410 counts as done")
    with pytest.raises(Exception, match="No instance"):
        await client.terminate("unknown", "x")

    again = await client.restart(gone)
    new_id = again["id"] if isinstance(again, dict) else again
    assert new_id != gone
    await running(client, new_id)
    await client.terminate(new_id, "enough")
    for refused in (client.restart("unknown"), client.rewind(new_id, "again")):
        with pytest.raises(Exception, match=r".+"):
            await refused


async def lists(client: DurableOrchestrationClient) -> None:
    everything = await client.get_status_all()
    assert len(everything) == 5
    ended = await client.get_status_by(runtime_status=[OrchestrationRuntimeStatus.Terminated])
    assert [status.output for status in ended] == ["enough", "enough"]
    now = datetime.now(UTC).replace(tzinfo=None)
    none = await client.get_status_by(created_time_from=now + timedelta(hours=1))
    assert none == []
    some = await client.get_status_by(
        created_time_from=now - timedelta(hours=1), created_time_to=now + timedelta(hours=1)
    )
    assert len(some) == 5


async def waits(service: Service, client: DurableOrchestrationClient) -> None:
    request = func.HttpRequest("GET", service.url, body=b"")
    id = await client.start_new(FUNCTION, client_input=PHONES[4])
    pending = await client.wait_for_completion_or_create_check_status_response(
        request, id, 300, 100
    )
    assert pending.status_code == 202
    await client.raise_event(id, "SmsChallengeResponse", service.code(PHONES[4]))
    done = await client.wait_for_completion_or_create_check_status_response(request, id, 3000, 100)
    assert (done.status_code, json.loads(done.get_body())) == (200, True)


async def removes(client: DurableOrchestrationClient) -> None:
    one = await client.purge_instance_history("chosen-id")
    assert one.instances_deleted == 1
    assert (await client.purge_instance_history("chosen-id")).instances_deleted == 0
    since = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=1)
    many = await client.purge_instance_history_by(
        created_time_from=since, runtime_status=[OrchestrationRuntimeStatus.Terminated]
    )
    assert many.instances_deleted == 2
    rest = await client.purge_instance_history_by(created_time_from=since)
    assert rest.instances_deleted == 3
    assert await client.get_status_all() == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_waiting_callers_are_released_by_a_stop(service: Service, how: signal.Signals) -> None:
    process = service.start()
    answers: list[tuple[int, str]] = []

    def wait() -> None:
        response = service.http.post(
            f"{service.url}/orchestrators/{FUNCTION}/wait?timeout=60",
            json=PHONES[0],
            headers={"x-functions-key": SYSTEM_KEY},
            timeout=60,
        )
        answers.append((response.status_code, response.headers["Connection"]))

    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: service.texts(PHONES[0]))
    process.send_signal(how)
    assert process.wait(30) == 0
    thread.join(5)
    assert answers == [(202, "close")]
