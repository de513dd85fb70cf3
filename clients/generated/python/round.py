"""The whole round with the client of openapi-python-client; prints each check as a line of JSON."""

import io
import json
import sys
import time
import traceback
import uuid

import httpx
from generated import AuthenticatedClient, Client
from generated.api.events import (
    delete_event,
    get_event,
    get_stats,
    list_events,
    retry_event,
    retry_events,
)
from generated.api.uploads import create_upload, upload_file
from generated.models import ErrorAnswer, EventStatus, UploadRequest
from generated.types import UNSET, File

with open(sys.argv[1], encoding="utf-8") as file:
    INPUT = json.load(file)

MANAGER = AuthenticatedClient(
    base_url=INPUT["managerUrl"],
    token=INPUT["managerKey"],
    prefix="",
    auth_header_name="x-api-key",
)
UPLOADS = Client(base_url=INPUT["uploadBaseUrl"])
TIMEOUT_SECONDS = 60
TEXT = "bytes of a round: ü"
BYTES = TEXT.encode()


def check(run):
    error = None
    try:
        run()
    except Exception:
        error = traceback.format_exc()
    print(json.dumps({"name": run.__doc__, **({"error": error} if error else {})}), flush=True)


def equal(actual, expected, what):
    assert actual == expected, f"{what}: expected {expected!r}, got {actual!r}"


def notified(event_id):
    end = time.monotonic() + TIMEOUT_SECONDS
    while True:
        details = get_event.sync(event_id, client=MANAGER)
        # Until the bucket's event has arrived, there is none.
        if not isinstance(details, ErrorAnswer):
            if details.event.event_status == EventStatus.NOTIFIED:
                return details
        assert time.monotonic() < end, f"{event_id} is not notified: {details}"
        time.sleep(0.1)


uploaded = None


def upload():
    """upload bytes, one event with its link"""
    global uploaded
    answer = upload_file.sync(
        client=UPLOADS, body=File(payload=io.BytesIO(BYTES)), filename="round.txt"
    )
    equal(answer.size, len(BYTES), "the size")
    uploaded = answer.event_id
    details = notified(uploaded)
    equal(details.event.event_info.file_name, "round.txt", "the name")
    equal(httpx.get(details.download.url).text, TEXT, "the file")


def signed():
    """a signed upload, and its repetition once it has arrived"""
    body = UploadRequest(size=len(BYTES), filename="signed.txt")
    key = f"round-{uploaded}"
    answer = create_upload.sync(client=MANAGER, body=body, idempotency_key=key)
    sent = httpx.request(
        str(answer.method),
        answer.url,
        headers=answer.headers.additional_properties,
        content=BYTES,
    )
    equal(sent.status_code, 200, "S3's status")
    notified(answer.event_id)
    again = create_upload.sync(client=MANAGER, body=body, idempotency_key=key)
    equal((again.event_id, again.url), (answer.event_id, UNSET), "the repetition")
    equal(again.event_status, EventStatus.NOTIFIED, "the status of the repetition")


def large():
    """a size above 2^32"""
    body = UploadRequest(size=5 * 1024**3)
    answer = create_upload.sync(client=MANAGER, body=body)
    equal(answer.headers["Content-Length"], "5368709120", "the signed length")


def page_by_page():
    """a list with a filter, by its cursor"""
    query = {"client": MANAGER, "status": EventStatus.NOTIFIED, "limit": 1}
    first = list_events.sync(**query)
    second = list_events.sync(**query, cursor=first.next_cursor)
    ids = {event.event_id for event in [*first.events, *second.events]}
    equal(len(ids), 2, "events on two pages")


def retry():
    """retry, and an error"""
    answer = retry_event.sync(uuid.UUID(INPUT["failedId"]), client=MANAGER)
    equal(answer.event_status.value, "processed", "the status")
    error = get_event.sync(uuid.UUID("00000000-0000-4000-8000-000000000000"), client=MANAGER)
    equal(error.error.code, "event_not_found", "the error's code")


def retry_many():
    """bulk retry of a span"""
    answer = retry_events.sync(
        client=MANAGER, status="failed", from_=INPUT["from"], to=INPUT["to"]
    )
    equal((answer.matched, answer.moved), (1, 1), "matched and moved")


def delete():
    """delete"""
    equal(delete_event.sync_detailed(uploaded, client=MANAGER).status_code, 204, "the status")
    error = get_event.sync(uploaded, client=MANAGER)
    equal(error.error.code, "event_not_found", "the error's code")


def stats():
    """stats"""
    answer = get_stats.sync(client=MANAGER)
    assert answer.total >= answer.counts.notified >= 1, answer


for each in (upload, signed, large, page_by_page, retry, retry_many, delete, stats):
    check(each)
