"""Starting an instance, and waiting for its outcome."""

import logging

from flask import Response, request

from bot.domain.errors import IdInUse, UnknownVerification
from bot.domain.masking import safe
from bot.domain.verification import Status, Verification
from bot.faces.durable import bodies, parameters, payloads
from bot.faces.durable.errors import InvalidWait, UnknownFunction, UnknownInstance
from bot.faces.durable.payloads import FUNCTION
from bot.http.access import Access
from bot.http.body import whole_body
from bot.http.json_responses import json_response
from bot.http.keys import Caller, Power
from bot.http.waiting import gone_check
from bot.observability.logs import REQUEST_ID, log_changes_apart
from bot.service import Service
from bot.store.tx import StoreUnavailable
from bot.usecases import read
from bot.usecases.challenge import TextOptions
from bot.usecases.read import VerificationView
from bot.usecases.restart import restart
from bot.usecases.start import StartRequest, begin

# The default of the sample's own waiting route.
SAMPLE_WAIT_SECONDS = 30.0

log = logging.getLogger(__name__)


class Starting:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._store = service.store
        self._keys = service.keys
        self._access = Access(service.keys, service.store)
        self._public_base_url = service.settings.public_base_url

    def start_with_function_key(self, function: str) -> Response:
        return self._start(function, self._access.require_starter(), wait_seconds=None)

    def start_and_wait(self, function: str) -> Response:
        return self._start(
            function, self._access.require_starter(), wait_seconds=SAMPLE_WAIT_SECONDS
        )

    def start(self, function: str, id: str | None = None) -> Response:
        return self._start(function, self._access.require_manager(), wait_seconds=None, id=id)

    def restart(self, id: str) -> Response:
        caller = self._access.require_restarter(id)
        _log_start_at_once(None)
        try:
            before = self._store.read(read.view, id).verification
            if not parameters.query().flag("restartWithNewInstanceId", default=True):
                raise IdInUse("A verification cannot be overwritten. Restart it under a new id.")
            verification = restart(
                self._store,
                id,
                request_id=REQUEST_ID.get(),
                rules=self._service.rules,
                admission=self._service.admission,
                caller_key=self._keys.current_fingerprint(
                    before.caller_key, name=before.started_by
                ),
                idempotency_key=parameters.idempotency_key(),
                may_supersede=caller.power is not Power.LINK,
            )
        except UnknownVerification:
            raise UnknownInstance(f"No instance has the id {safe(id)}.") from None
        return self._started(verification, wait_seconds=None)

    def _start(
        self, function: str, caller: Caller, *, wait_seconds: float | None, id: str | None = None
    ) -> Response:
        if function.lower() != FUNCTION.lower():
            raise UnknownFunction(
                f"The function '{safe(function)}' doesn't exist. Known function: '{FUNCTION}'."
            )
        body = bodies.start_input(whole_body(request))
        _log_start_at_once(wait_seconds)
        start_request = StartRequest(
            started_by=caller.name,
            caller_key=caller.key_fingerprint,
            caller_keys=caller.key_fingerprints,
            start_input=body.json,
            tag=body.tag,
            text=TextOptions(locale=body.locale),
            request_id=REQUEST_ID.get(),
            id=None if id is None else parameters.valid_id(id),
            idempotency_key=parameters.idempotency_key(),
        )
        service = self._service
        try:
            verification = begin(
                self._store,
                body.number,
                start_request,
                rules=service.rules,
                admission=service.admission,
            )
        except IdInUse:
            sentence = f"An Orchestration instance with the id {id} already exists."
            raise IdInUse(sentence) from None
        return self._started(verification, wait_seconds=wait_seconds)

    def _started(self, verification: Verification, *, wait_seconds: float | None) -> Response:
        query = parameters.query()
        seconds = query.seconds("timeout")
        interval = query.seconds(*parameters.INTERVALS)
        seconds = wait_seconds if seconds is None else seconds
        if seconds is not None and interval is not None and interval > seconds:
            raise InvalidWait(
                f"Total timeout {seconds:g} should be bigger than retry timeout {interval:g}."
                f" The instance {verification.id} has been started."
            )
        if seconds is not None and seconds > 0:
            finished = self._outcome(verification.id, seconds)
            if finished is not None:
                return finished
        body = payloads.links(verification, public_base_url=self._public_base_url, keys=self._keys)
        retry_after = str(payloads.START_RETRY_SECONDS)
        location = body["statusQueryGetUri"]
        return json_response(body, 202, {"Location": location, "Retry-After": retry_after})

    def _outcome(self, id: str, seconds: float) -> Response | None:
        """The answer to a caller that waited: the output, or the status of an instance that did not
        complete. None: it has not finished, was removed as soon as it had, or cannot be read."""
        views: list[VerificationView] = []

        def is_finished() -> bool:
            views[:] = [self._store.read(read.view, id)]
            return views[0].verification.is_terminal

        waiting, is_gone = self._service.waiting, gone_check(request.environ)
        try:
            if not waiting.wait(id, is_finished, seconds=seconds, is_gone=is_gone):
                return None
        except UnknownVerification:
            return None
        except StoreUnavailable as error:  # a 503 would say that nothing was started
            log.warning("the outcome of a start cannot be waited for: %s", error)
            return None
        (view,) = views
        if view.verification.status in (Status.CANCELED, Status.FAILED):
            return json_response(payloads.status(view))
        return json_response(payloads.output(view.verification))


def _log_start_at_once(wait_seconds: float | None) -> None:
    """The access line of a caller that waits is written up to a minute after the start."""
    if wait_seconds is not None or parameters.query().text("timeout") is not None:
        log_changes_apart()
