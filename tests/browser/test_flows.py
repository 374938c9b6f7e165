"""Verifications run from their start to an outcome, on the console and on the phone page."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from simulator.receiver import Behaviour
from tests.browser import canned
from tests.browser.conftest import Visit
from tests.harness import FUNCTION_KEY, PHONE, START, Harness
from tests.processes.service import Service, until


def phone(phones: Visit, number: str = PHONE):
    return phones.page.get_by_role("region", name=f"Phone {number}")


def test_from_the_start_on_the_console_to_the_approval(
    harness: Harness, console: Visit, phones: Visit
) -> None:
    page = console.page
    page.get_by_label("Number to verify").fill(PHONE)
    page.get_by_role("button", name="Start a verification").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(PHONE)
    reference = page.locator("dt:has-text('Reference') + dd").inner_text()
    page.evaluate("window.isTheSamePage = true")

    harness.run_once()
    text = phone(phones).get_by_role("listitem").filter(has_text="Your verification code is")
    expect(text).to_contain_text(f"Ref {reference}")
    expect(phone(phones).locator(".banner")).to_contain_text("Your verification code is")
    expect(page.locator("time.countdown")).to_contain_text("s left")
    # The phone shows it too, although the phone page did not start it.
    expect(phone(phones).locator(".standing")).to_contain_text(f"Reference {reference}")

    phone(phones).get_by_role("button", name="Wrong code").click()
    expect(phone(phones).locator(".messages")).to_contain_text("Tries left: 3")
    expect(page.locator("dt:has-text('Attempts') + dd")).to_have_text("1 of 4")
    expect(page.locator(".timeline")).to_contain_text("A wrong code was sent by text: attempt 1.")

    phone(phones).get_by_role("button", name="Right code").click()
    expect(phone(phones).locator(".messages")).to_contain_text("verified")
    expect(phone(phones).locator(".answers")).to_contain_text("200: <?xml")
    expect(page.locator(".chip")).to_have_text("approved")
    expect(page.get_by_role("button", name="Cancel it")).to_have_count(0)
    assert page.evaluate("window.isTheSamePage"), "nothing was reloaded"


def test_the_phone_page_starts_a_verification_of_the_phone_at_hand(
    harness: Harness, phones: Visit
) -> None:
    mine = phone(phones)
    mine.get_by_role("button", name="Verify this phone").click()
    expect(mine.locator(".standing")).to_contain_text("Reference")
    harness.run_once()
    expect(mine.locator(".messages")).to_contain_text("Your verification code is")
    mine.get_by_role("button", name="Right code").click()
    expect(mine.locator(".standing")).to_contain_text("approved")


def test_quick_replies_in_other_spellings_are_right(harness: Harness, phones: Visit) -> None:
    messages = phone(phones).locator(".messages li")
    for reply in ("Code, spaced", "Code in Arabic digits", "Code in a sentence"):
        before = messages.count()
        id = canned.sent(harness)
        expect(messages).to_have_count(before + 1)
        phone(phones).get_by_role("button", name=reply).click()
        expect(messages).to_have_count(before + 3)
        expect(messages.last).to_contain_text("verified")
        assert harness.status(id)["output"] is True


def test_a_tapback_is_no_attempt(harness: Harness, phones: Visit) -> None:
    id = canned.sent(harness)
    expect(phone(phones).locator(".messages")).to_contain_text("Your verification code is")
    phone(phones).get_by_role("button", name="Tapback").click()
    expect(phone(phones).locator(".answers")).to_contain_text("200")
    assert harness.history(id)[-1] == "quoted_text"


def test_stop_is_seen_on_both_sides(harness: Harness, console: Visit, phones: Visit) -> None:
    id = canned.sent(harness)
    page = console.open(f"/console/verifications/{id}")
    expect(phone(phones).locator(".messages")).to_contain_text("Your verification code is")
    phone(phones).get_by_role("button", name="STOP").click()
    expect(page.locator(".chip")).to_have_text("canceled")
    expect(page.locator(".why")).to_contain_text("The person texted STOP.")
    page.get_by_role("link", name="Opt-outs").click()
    expect(page.get_by_role("cell", name=PHONE, exact=True)).to_be_visible()


def test_an_expiry_is_seen_by_itself(harness: Harness, console: Visit) -> None:
    canned.sent(harness)
    page = console.open("/console/")
    pending = page.locator("#pending")
    expect(pending).to_contain_text(PHONE)
    harness.forward(90)
    expect(pending).to_contain_text("Nothing is pending.")
    expect(page.locator(".counts .expired dd")).to_have_text("1")


def test_faults_are_set_and_cleared_on_the_phones_page(harness: Harness, phones: Visit) -> None:
    page = phones.page
    page.get_by_role("button", name="All well again").click()
    page.locator("#fault select").select_option("refuse")
    page.get_by_label("Twilio's code").fill("30007")
    page.get_by_role("button", name="Let it happen").click()
    expect(page.locator("#faults")).to_contain_text("Twilio refuses the text (code) 30007, 1 more")
    id = canned.sent(harness)
    assert harness.status(id)["customStatus"]["errorCode"] == 30007
    expect(page.locator("#faults")).to_contain_text("Nothing.")


def test_what_the_application_received_is_shown_and_its_behaviour_chosen(
    told: Harness, visit: Callable[..., Visit]
) -> None:
    made = visit(told.simulator.url)
    page = made.open()
    received = page.locator("#received")
    expect(received).to_have_text("Nothing yet.")
    page.get_by_label("It will").select_option("fail")
    until(lambda: told.simulator.receiver.behaviour is Behaviour.FAIL)
    told.start_and_send(tag="order-<b>1</b>")
    told.text(told.code())
    told.run_once()
    expect(received.locator(".what")).to_have_text("verification.approved, tag order-<b>1</b>")
    expect(received.locator(".how")).to_have_text("1 try, signature right, not accepted")
    received.locator("summary").click()
    expect(received.locator("pre")).to_contain_text('"maskedNumber": "+1425*****23"')
    page.get_by_label("It will").select_option("accept")
    until(lambda: told.simulator.receiver.behaviour is Behaviour.ACCEPT)
    told.forward(3)
    expect(received.locator(".how")).to_have_text("2 tries, signature right, accepted")
    expect(received.locator("pre")).to_be_visible()
    assert made.faults() == []


def test_an_open_page_of_webhooks_follows_and_enables(
    told: Harness, visit: Callable[..., Visit]
) -> None:
    made = visit(told.url)
    made.sign_in()
    page = made.open("/console/webhooks")
    expect(page.locator("#endpoints .chip")).to_have_text("enabled")
    told.simulator.receiver.behaviour = Behaviour.GONE
    told.start_and_send()
    told.text(told.code())
    told.run_once()
    expect(page.locator("#endpoints .chip")).to_have_text("disabled")
    expect(page.locator("#events .chip")).to_have_text("failed")
    page.get_by_role("button", name="Enable").click()
    expect(page.get_by_role("status")).to_contain_text("The endpoint is enabled")
    told.simulator.receiver.behaviour = Behaviour.ACCEPT
    page.get_by_role("button", name="Send again").click()
    told.run_once()
    expect(page.locator("#events .chip")).to_have_text("delivered")
    assert made.faults() == []


MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def test_markup_shows_as_text_and_does_nothing(
    harness: Harness, console: Visit, phones: Visit
) -> None:
    id = "<img src=x onerror=alert(3)>"
    path = "/runtime/webhooks/durabletask"
    quoted = "%3Cimg%20src=x%20onerror=alert(3)%3E"
    start = f"{path}/orchestrators/E4_SmsPhoneVerification/{quoted}"
    assert harness.call("POST", start, json=PHONE).status_code == 202
    harness.run_once()
    harness.text(MARKUP)
    instance = f"{path}/instances/{quoted}"
    name = "%3Csvg%20onload=alert(4)%3E"
    assert harness.call("POST", f"{instance}/raiseEvent/{name}", json=MARKUP).status_code == 202
    assert (
        harness.call("POST", f"{instance}/terminate", params={"reason": MARKUP}).status_code == 202
    )

    page = console.open(f"/console/verifications/{quoted}")
    expect(page.locator("dt:has-text('Id') + dd span").first).to_have_text(id)
    expect(page.locator(".timeline")).to_contain_text("<svg onload=alert(4)>")
    expect(page.locator(".why").first).to_contain_text(MARKUP)
    assert page.locator("main img, main script, main svg").count() == 0
    page = console.open("/console/verifications")
    expect(page.get_by_role("cell", name=id)).to_be_visible()

    expect(phone(phones).locator(".messages")).to_contain_text(MARKUP)
    assert phones.page.locator("main img, main script").count() == 0


def test_with_the_service_as_it_runs(tmp_path: Path, visit: Callable[..., Visit]) -> None:
    """gunicorn, dispatcher and simulator as `make run` has them."""
    service = Service(tmp_path)
    try:
        service.start()
        made = visit(service.url)
        page = made.sign_in()
        page.get_by_label("Number to verify").fill(PHONE)
        page.get_by_role("button", name="Start a verification").click()
        phones = visit(service.simulator.url)
        phones.open()
        expect(phone(phones).locator(".messages")).to_contain_text("Your verification code is")
        phone(phones).get_by_role("button", name="Right code").click()
        expect(page.locator(".chip")).to_have_text("approved")
        expect(page.locator(".timeline")).to_contain_text("It was delivered to the phone.")
        response = service.http.post(f"{service.url}{START}?code={FUNCTION_KEY}", json="nonsense")
        assert response.status_code == 400
        assert until(lambda: service.texts(PHONE))
        for shown in (page, phones.page):  # they would complain of a service that is gone
            shown.close()
    finally:
        service.close()
