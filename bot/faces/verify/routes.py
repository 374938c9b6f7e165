"""Verify's routes: services, verifications, checks."""

import re
from dataclasses import replace
from urllib.parse import quote

from flask import Blueprint, Response, request
from werkzeug.datastructures import Authorization

from bot.domain import phone, reply
from bot.domain.errors import (
    AlreadyFinished,
    CannotReceiveTexts,
    InvalidNumber,
    UnknownVerification,
    retry_after,
)
from bot.faces.verify import forms
from bot.faces.verify.errors import ChecksUsed, NoSuchResource, VerifyShape
from bot.faces.verify.shapes import PATH, Shapes
from bot.http import error_handlers
from bot.http.errors import Unauthorized
from bot.http.json_responses import json_response
from bot.http.keys import Caller, Power
from bot.http.paths import mask_after, safe_path
from bot.http.whole_numbers import whole_number
from bot.observability.logs import REQUEST_ID
from bot.service import Service
from bot.usecases import check as checking
from bot.usecases import control, read
from bot.usecases.challenge import TextOptions
from bot.usecases.check import Verdict, VerificationSelector
from bot.usecases.read import VerificationView
from bot.usecases.start import StartRequest
from bot.usecases.start_or_resend import begin_or_resend
from bot.wording import Style

_ACCOUNT = re.compile(r"AC[0-9a-f]{32}")
_SID = re.compile(r"VE([0-9a-fA-F]{32})")
PAGE, LARGEST_PAGE, LAST_PAGE = 50, 100, 10**6  # of the list of services


def blueprint(service: Service) -> Blueprint:
    routes = Blueprint("verify", __name__)
    mask_after("Verifications", "VerificationCheck")
    face = VerifyFace(service)
    error_handlers.register(routes, VerifyShape(), refused=service.metrics.refused)
    of_service = f"{PATH}/<service_sid>"
    for method, rule, view in (
        ("GET", PATH, face.services),
        ("GET", of_service, face.service),
        ("POST", f"{of_service}/Verifications", face.create),
        ("GET", f"{of_service}/Verifications/<which>", face.fetch),
        ("POST", f"{of_service}/Verifications/<which>", face.update),
        ("POST", f"{of_service}/VerificationCheck", face.check),
    ):
        routes.add_url_rule(rule, view.__name__, view, methods=[method], strict_slashes=False)
    # Every other path under /v2: 401 without a key, otherwise 404.
    rest = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]
    for rule in ("/v2", "/v2/<path:rest>"):
        routes.add_url_rule(rule, "missing", face.missing, methods=rest, strict_slashes=False)
    return routes


class VerifyFace:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._store = service.store
        self._shapes = Shapes(service.settings)

    def services(self) -> Response:
        self._caller()
        shown = self._shapes.services(
            account_sid=self._account_sid(),
            page=min(whole_number(request.args.get("Page", "")) or 0, LAST_PAGE),
            page_size=min(whole_number(request.args.get("PageSize", "")) or PAGE, LARGEST_PAGE),
        )
        return json_response(shown)

    def service(self, service_sid: str) -> Response:
        self._caller(service_sid)
        return json_response(self._shapes.service(account_sid=self._account_sid()))

    def missing(self, rest: str = "") -> Response:
        self._caller()
        raise _not_found()

    def create(self, service_sid: str) -> Response:
        """Starts a verification, or sends its text again. Both are answered 201."""
        caller = self._caller(service_sid)
        form = forms.create()
        start_request = StartRequest(
            started_by=caller.name,
            caller_key=caller.key_fingerprint,
            caller_keys=caller.key_fingerprints,
            request_id=REQUEST_ID.get(),
            tag=form.tag,
            text=TextOptions(
                locale=form.locale,
                style=Style.ENTER,
                service_name=form.friendly_name,
                app_hash=form.app_hash,
            ),
        )
        service = self._service
        verification = begin_or_resend(
            self._store,
            form.to,
            start_request,
            rules=service.rules,
            admission=service.admission,
            judged_until=service.judged_until,
        )
        return self._shown(self._store.read(read.view, verification.id), 201)

    def fetch(self, service_sid: str, which: str) -> Response:
        wanted = self._selector(self._caller(service_sid), which)
        view = self._store.read(checking.find_shown, wanted)
        if view is None:
            raise _not_found()
        return self._shown(view, 200)

    def update(self, service_sid: str, which: str) -> Response:
        """Cancels a pending one."""
        wanted = self._selector(self._caller(service_sid), which)
        forms.require_cancel()
        verification = self._store.read(checking.find, wanted)
        if verification is None:
            raise _not_found()
        try:
            self._store.write(control.cancel, verification.id, reason="canceled over Verify's API")
        except (UnknownVerification, AlreadyFinished):
            raise _not_found() from None
        return self._shown(self._store.read(read.view, verification.id), 200)

    def check(self, service_sid: str) -> Response:
        """Checks a code. A wrong code is answered 200 too, with `valid` false."""
        caller = self._caller(service_sid)
        form = forms.check()
        checked = self._store.write(
            checking.check,
            self._selector_of_check(caller, form),
            reply.prepare(form.code),
            rules=self._service.rules,
            judged_until=self._service.judged_until,
        )
        match checked.verdict:
            case Verdict.UNREADABLE if not forms.has_length_of_code(form.code):
                raise forms.invalid("Code", "it must have 4 to 10 characters")
            case Verdict.ATTEMPTS_USED:
                assert checked.left is not None
                seconds = retry_after(checked.left)
                raise ChecksUsed(
                    "This verification has used its attempts.", retry_after_seconds=seconds
                )
            case Verdict.GONE:
                raise _not_found()
        assert checked.verification is not None
        is_right = checked.verdict is Verdict.RIGHT
        body = self._shapes.check(
            checked.verification, is_right=is_right, account_sid=self._account_sid()
        )
        return json_response(body)

    # -- what they share -------------------------------------------------------------------------

    def _caller(self, service_sid: str | None = None) -> Caller:
        """The password is a function key or a system key; any user name is accepted.
        Raises Unauthorized, NoSuchResource."""
        login = _login()
        password = login.password if login is not None and login.type == "basic" else None
        caller = self._service.keys.caller(password or "") if password else None
        if caller is None:
            raise Unauthorized("Authenticate with a function key as the password.")
        if service_sid is not None and service_sid != self._shapes.service_sid:
            raise _not_found()
        return caller

    def _account_sid(self) -> str:
        """The account sid that the client expects: its own user name, if that is an account's
        sid."""
        user = getattr(_login(), "username", None) or ""
        return user if _ACCOUNT.fullmatch(user) else self._service.settings.twilio_account_sid

    def _selector(self, caller: Caller, text: str) -> VerificationSelector:
        """Finds a verification by the sid or number in a path. Raises NoSuchResource."""
        sid = _SID.fullmatch(text)
        if sid is not None:
            return _owned(VerificationSelector(hex_id=sid[1].lower()), caller)
        try:
            return _owned(VerificationSelector(phone=phone.parse(text).number), caller)
        except (InvalidNumber, CannotReceiveTexts):
            raise _not_found() from None

    def _selector_of_check(self, caller: Caller, form: forms.Check) -> VerificationSelector:
        """Finds a verification by the number, the sid, or both. Raises InvalidParameter."""
        sid = _SID.fullmatch(form.sid.strip()) if form.sid else None
        if form.sid and sid is None:
            raise forms.invalid("VerificationSid", "it is VE and 32 hex digits")
        try:
            number = phone.parse(form.to).number if form.to else None
        except InvalidNumber:
            raise forms.invalid("To", "it is not a phone number") from None
        except CannotReceiveTexts:
            raise _not_found() from None
        hex_id = sid[1].lower() if sid else None
        return _owned(VerificationSelector(phone=number, hex_id=hex_id), caller)

    def _shown(self, view: VerificationView, status: int) -> Response:
        body = self._shapes.verification(view, account_sid=self._account_sid())
        return json_response(body, status)


def _login() -> Authorization | None:
    try:
        return request.authorization
    except ValueError:  # werkzeug does not expect other characters than ASCII in Base64
        return None


def _owned(selector: VerificationSelector, caller: Caller) -> VerificationSelector:
    """Restricts the search to this caller's verifications; a system key may find all."""
    if caller.power is Power.ALL:
        return selector
    return replace(selector, started_by=caller.name, caller_keys=caller.key_fingerprints)


def _not_found() -> NoSuchResource:
    """Names the path that was asked for, without the number that it may hold."""
    path = quote(safe_path(request.path), safe="/*")[:200]
    return NoSuchResource(f"The requested resource {path.removeprefix('/v2')} was not found")
