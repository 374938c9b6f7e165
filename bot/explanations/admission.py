"""What refuses starts of a number together with those of others, in words."""

from bot.admission.admission import Admission
from bot.domain import phone
from bot.domain.limits import LimitName
from bot.explanations import words
from bot.store.tx import Store


def refusals_of_others(admission: Admission, store: Store, number: str) -> list[str]:
    """A sentence for each full limit on all starts, and for each open circuit of the number."""
    country = phone.country(number)
    full = admission.full_limit(store, country=country)
    limits = (
        [f"{words.LIMITS[full.name]}: {full.as_set} are used up ({full.name})."] if full else []
    )
    callers = [
        f"Starts of the caller {name}: {limit.as_set} are used up ({limit.name})."
        for limit, name, used in admission.fullest(store)
        if limit.name is LimitName.PER_KEY and used >= limit.amount
    ]
    areas = [
        f"Starts in {area.name} are refused, except of numbers verified before: almost no text"
        f" there was answered ({area.approvals} of {area.texts})."
        for area in admission.open_areas(store)
        if area.name == country or number.startswith(area.name)
    ]
    return limits + callers + areas
