"""Every page of the console: narrow and wide, light and dark, and its accessibility."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from simulator.receiver import Behaviour
from tests.browser import canned
from tests.browser.conftest import Visit
from tests.conftest import SOAK
from tests.harness import CONSOLE_KEY, PHONE, RECEIVER, WEBHOOK_SECRET, Harness

PAGES = [
    "/",
    "/verifications",
    "/verifications?status=nonsense&from=2026-01-31&to=nonsense",
    "/verifications?q=0201",
    "/verifications?q=unknown",
    "/limits",
    "/limits?number=%2B14255550201",
    "/limits?number=me",
    "/opt-outs",
    "/opt-outs?number=%2B14255550201",
    "/ignored",
    "/audit",
    "/audit?what=nonsense&from=999",
    "/?period=30d",
    "/texts",
    "/webhooks",
    "/webhooks?state=nonsense",
    "/nothing",
]


def test_a_page_in_each_view(harness: Harness, console: Visit) -> None:
    for number, (name, (make, word)) in enumerate(canned.VIEWS.items()):
        id = make(harness, f"+1425555{200 + number:04}")
        page = console.open(f"/console/verifications/{id}")
        expect(page.locator(".chip")).to_have_text(word)
        expect(page.locator(".why").first).not_to_be_empty()
        assert page.locator(".timeline li").count() == len(harness.history(id)), name
        assert console.faults() == [], name


def test_axe_finds_nothing_and_tab_leads_everywhere(
    harness: Harness, visit: Callable[..., Visit]
) -> None:
    """Every page of an operator. The order of Tab is the same at each width; `make soak` looks at
    both."""
    ids = [
        make(harness, f"+1425555{200 + number:04}")
        for number, (make, _) in enumerate(canned.VIEWS.values())
    ]
    made = visit(harness.url)
    made.sign_in()
    found = {}
    one = [f"/verifications/{ids[0]}", f"/verifications/{ids[1]}/at-twilio"]
    for path in [*PAGES, *one]:
        page = made.open("/console" + path)
        found[path] = made.faults_by_look()
        for width in (390, 1280) if SOAK > 1 else (390,):
            page.set_viewport_size({"width": width, "height": 844})
            found[path] += made.unreachable()
    assert {path: faults for path, faults in found.items() if faults} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_and_the_phones_have_no_fault(
    harness: Harness, visit: Callable[..., Visit], scheme: str
) -> None:
    made = visit(harness.url, color_scheme=scheme)
    made.sign_in("not-the-key-at-all")
    assert made.faults() == []
    canned.approved(harness)
    phones = visit(harness.simulator.url, color_scheme=scheme)
    phones.open()
    expect(phones.page.locator(".messages").first).to_contain_text("verified")
    assert phones.faults() == []


def test_nothing_scrolls_sideways_on_a_narrow_screen(
    harness: Harness, visit: Callable[..., Visit]
) -> None:
    harness.restart(CONSOLE_KEY=f"{'o' * 40}:{CONSOLE_KEY}")  # the longest name of an operator
    ids = [
        make(harness, f"+1425555{200 + n:04}") for n, (make, _) in enumerate(canned.VIEWS.values())
    ]
    long_id = "x" * 256
    start = f"/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification/{long_id}"
    assert harness.call("POST", start, json="+14255550123").status_code == 202
    made = visit(harness.url)
    made.sign_in()
    one = [f"/verifications/{id}" for id in (ids[0], ids[-1], long_id, f"{ids[1]}/at-twilio")]
    for path in (*PAGES, *one):
        made.open("/console" + path)
        for width in (320, 390):
            made.page.set_viewport_size({"width": width, "height": 640})
            assert made.is_within_its_width(), (path, width)
    phones = visit(harness.simulator.url)
    phones.open()
    expect(phones.page.locator(".messages").first).to_contain_text("Your")
    for width in (320, 390):
        phones.page.set_viewport_size({"width": width, "height": 640})
        assert phones.is_within_its_width(), width


def background(visit: Visit) -> str:
    return str(visit.page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_dark_mode_is_dark(harness: Harness, visit: Callable[..., Visit]) -> None:
    for url in (f"{harness.url}/console/", harness.simulator.url):
        shades = []
        for scheme in ("light", "dark"):
            made = visit(url, color_scheme=scheme)
            made.open()
            shades.append(sum(int(part) for part in background(made)[4:-1].split(",")))
        assert shades[0] > 600 > 200 > shades[1]


@pytest.mark.parametrize(
    ("motion", "animation"), [("reduce", "none"), ("no-preference", "changed")]
)
def test_reduced_motion_is_respected(
    harness: Harness, visit: Callable[..., Visit], motion: str, animation: str
) -> None:
    id = canned.sent(harness)
    made = visit(harness.url, reduced_motion=motion)
    made.sign_in()
    page = made.open(f"/console/verifications/{id}")
    harness.text(harness.wrong())
    expect(page.locator("#view.changed")).to_be_attached()
    name = page.evaluate("getComputedStyle(document.getElementById('view')).animationName")
    assert name == animation


def test_webhooks_have_no_fault_and_fit(told: Harness, visit: Callable[..., Visit]) -> None:
    """An endpoint in each state, an event in each state, a long id, a long tag."""
    told.restart(WEBHOOK_URLS=f"{RECEIVER}/{'x' * 300}", WEBHOOK_SECRET=WEBHOOK_SECRET)
    told.restart(WEBHOOK_URLS=RECEIVER, WEBHOOK_SECRET=WEBHOOK_SECRET)
    long_id = "x" * 256
    start = f"/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification/{long_id}"
    sent = {"phoneNumber": PHONE, "tag": "y" * 128, "locale": "de-DE"}
    for behaviour in (Behaviour.ACCEPT, Behaviour.FAIL, Behaviour.GONE):
        told.simulator.receiver.behaviour = behaviour
        if behaviour is Behaviour.ACCEPT:
            assert told.call("POST", start, json=sent).status_code == 202
            told.run_once()
        else:
            told.start_and_send()
        told.text(told.code())
        told.run_once()
    found = {}
    made = visit(told.url)
    made.sign_in()
    for path in ("/webhooks", "/", "/verifications", f"/verifications/{long_id}"):
        made.open("/console" + path)
        found[path] = made.faults_by_look(narrow=320)
    phones = visit(told.simulator.url)
    phones.open()
    expect(phones.page.locator("#received .what")).to_have_count(3)
    phones.page.locator("#received summary").first.click()
    found["phones"] = phones.faults_by_look(narrow=320)
    assert {path: faults for path, faults in found.items() if faults} == {}
