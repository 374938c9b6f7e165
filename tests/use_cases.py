"""What use cases tell and do, as tests call them on the store of a service."""

from datetime import datetime

from bot.channels.gateway import Report
from bot.domain import phone
from bot.domain.verification import Verification
from bot.service import Service
from bot.store import inbound, opt_outs, verifications
from bot.store.inbound import IgnoredText
from bot.store.tx import Store
from bot.store.verification_list import ListFilter
from bot.usecases import clear, control, overview, read
from bot.usecases.answer import judge_text
from bot.usecases.forget import Forgotten, forget_number
from bot.usecases.heartbeat import assume_all_judged
from bot.usecases.inbound_text import InboundText, Judged
from bot.usecases.overview import Overview, Period
from bot.usecases.read import VerificationView
from bot.usecases.report import reported
from bot.usecases.service_state import ServiceState, service_state


class UseCases:
    """The use cases of a service; a class that inherits it has the service and its store."""

    service: Service
    store: Store

    def find(self, id: str) -> Verification | None:
        return self.store.read(verifications.load, id)

    def view(self, id: str, *, with_history: bool = False) -> VerificationView:
        return self.store.read(read.view, id, with_history=with_history)

    def newest(self, limit: int) -> list[VerificationView]:
        return self.store.read(read.page, ListFilter(limit=limit, newest_first=True)).views

    def load(self) -> ServiceState:
        address, ahead = self.service.rules.from_address, self.store.steady.ahead
        return self.store.read(service_state, from_address=address, ahead=ahead)

    def today(self) -> Overview:
        return self.store.read(overview.overview, Period.TODAY)

    def ignored_texts(self, limit: int) -> list[IgnoredText]:
        return self.store.read(inbound.newest_ignored, limit=limit)

    def open_areas(self) -> list[str]:
        return [area.name for area in self.service.admission.open_areas(self.store)]

    def forget(self, number: str) -> tuple[Forgotten, bool]:
        return forget_number(self.store, self.store, number)

    def clear_limits(self, number: str) -> int:
        return self.store.write(clear.clear_limits, phone.known_as(number), self.service.rules)

    def clear_opt_out(self, number: str) -> bool:
        return self.store.write(clear.clear_opt_out, phone.known_as(number), self.service.rules)

    def opt_outs(self, limit: int) -> list[tuple[str, datetime]]:
        address = self.service.rules.from_address
        return self.store.read(opt_outs.newest, from_address=address, limit=limit)

    def terminate(self, id: str, reason: str | None) -> None:
        self.store.write(control.cancel, id, reason=reason)

    def suspend(self, id: str, reason: str | None) -> None:
        self.store.write(control.suspend, id, reason=reason, judged_until=assume_all_judged)

    def resume(self, id: str, reason: str | None) -> None:
        self.store.write(control.resume, id, reason=reason, judged_until=assume_all_judged)

    def judge_text(self, text: InboundText) -> Judged:
        judged_until = self.service.judged_until
        return self.store.write(
            judge_text, text, rules=self.service.rules, judged_until=judged_until
        )

    def report(self, report: Report) -> None:
        waited = self.store.write(reported, report, self.service.rules).waited
        if waited is not None:
            self.service.admission.delivery_delay.note(waited.delay, now=waited.at)
