"""The search finds a verification by its id, number, tag, reference, error or message."""

from uuid import UUID

from simulator import faults
from tests.console.conftest import Operator
from tests.console.page import Page
from tests.console.pages import FRENCH_PHONE, OTHER_PHONE, ids_in, listed, show
from tests.harness import PHONE, Harness


def test_an_id_is_found_by_its_beginning(operator: Operator, harness: Harness) -> None:
    for id in ("order-1", "order-2", "other"):
        path = f"/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification/{id}"
        assert harness.call("POST", path, json=PHONE).status_code == 202
    assert listed(operator, "q=order") == ["order-1", "order-2"]
    assert show(operator, "/verifications?q=order").says("#found .count").startswith("2 verif")
    assert listed(operator, "q=order&status=approved") == ["order-1", "order-2"], "an id names one"
    whole = operator.get("/console/verifications?q=other")
    assert whole.headers["Location"] == "/console/verifications/other"
    assert listed(operator, "q=%25") == []


def test_a_tag_is_found_whole(operator: Operator, harness: Harness) -> None:
    first = harness.start_and_send(tag="order-1")["id"]
    harness.text(harness.code())
    harness.clock.forward(1)
    second = harness.start_and_send(tag="order-1")["id"]
    harness.start(OTHER_PHONE, tag="order-12")
    harness.start(FRENCH_PHONE)
    assert listed(operator, "q=order-1") == [second, first]
    assert listed(operator, "q=order-1&status=approved&country=US") == [first]
    assert listed(operator, "q=order-1&country=FR") == []
    assert listed(operator, "q=order") == []
    page = show(operator, "/verifications?q=order-1")
    assert {box["value"] for box in page.all('input[name="q"]')} == {"order-1"}
    tags = show(operator, "/verifications").texts("#found .tag")
    assert sorted(tags) == ["order-1", "order-1", "order-12"]


def test_each_reading_of_a_number_can_be_chosen(operator: Operator, harness: Harness) -> None:
    american, other = "+16502530000", "+6502530000"
    ids = [harness.start(phone)["id"] for phone in (american, other)]
    page = show(operator, "/verifications?q=6502530000")
    (link,) = page.all('#found .count a[href*="by=number"]')
    assert listed(operator, "q=6502530000") == ids[:1]
    query = link["href"].partition("?")[2]
    assert listed(operator, query) == ids[1:]


def test_a_number_that_is_also_an_id_leads_to_the_list(
    operator: Operator, harness: Harness
) -> None:
    digits = PHONE.removeprefix("+1")
    own = harness.start()["id"]
    path = f"/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification/{digits}"
    assert harness.call("POST", path, json=OTHER_PHONE).status_code == 202
    assert listed(operator, f"q={digits}") == [own]
    response = operator.get(f"/console/verifications?q={digits}&by=id")
    assert response.headers["Location"].endswith(f"/verifications/{digits}")


def test_support_finds_one_by_whatever_it_was_given(operator: Operator, harness: Harness) -> None:
    harness.simulator.faults.add(faults.REFUSE, code=21614)
    failed = harness.start_and_send(OTHER_PHONE)["id"]
    started = harness.start_and_send()
    id, reference = started["id"], started["reference"]
    sid = harness.texts()[-1].sid
    assert id in listed(operator, f"q={reference}")
    assert id in listed(operator, f"q={reference.lower()}")
    assert id in listed(operator, f"q=Ref+{reference}")
    assert id in listed(operator, f"q=ref:+{reference.lower()}")
    assert id in listed(operator, f"q=reference+{reference}")
    assert id in listed(operator, f"q=****{PHONE[-4:]}")
    assert id in listed(operator, f"q=…{PHONE[-4:]}")
    assert id in listed(operator, f"q=(***)+***-{PHONE[-4:]}")
    assert listed(operator, f"q=x{PHONE[-4:]}") == []
    for told in ("21614", "Twilio's error 21614:", "error+21614."):
        assert listed(operator, f"q={told}") == [failed]
    assert listed(operator, f"q={UUID(id)}") == [id]
    for whole in (id, sid, f" {sid} ", id.upper(), sid.upper(), sid.lower()):
        response = operator.get(f"/console/verifications?q={whole}")
        assert response.headers["Location"] == f"/console/verifications/{id}"
    harness.text("hello", FRENCH_PHONE)
    (row,) = show(operator, "/ignored").rows("#ignored table")[1:]
    said = show(operator, f"/verifications?q={row[3]}").says("#found > p")
    assert "No verification of this number waited for it." in said


def test_a_tag_with_an_outer_blank_is_found(operator: Operator, harness: Harness) -> None:
    id = harness.start(tag="order 12 ")["id"]
    assert listed(operator, "q=order 12 ") == [id]
    assert listed(operator, "q=order 12") == []


def test_a_search_that_may_mean_several_things_offers_the_others(
    operator: Operator, harness: Harness
) -> None:
    by_number = harness.start()["id"]
    by_tag = harness.start(OTHER_PHONE, tag="0123")["id"]
    page = show(operator, "/verifications?q=0123")
    assert ids_in(page) == [by_number]
    assert "found by last four digits of the number" in page.says("#found .count")
    (other,) = page.all("#found .count a")
    assert ids_in(Page(operator.get(str(other["href"])))) == [by_tag]


def test_another_filter_beside_an_id_is_said_to_be_unused(
    operator: Operator, harness: Harness
) -> None:
    id = harness.start()["id"]
    assert "not used" not in show(operator, f"/verifications?q={id[:8]}&by=id").says(".count")
    page = show(operator, f"/verifications?q={id[:8]}&by=id&status=approved")
    assert "The other filters are ignored." in page.says(".count")
