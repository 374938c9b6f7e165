from uuid import UUID

from bot.domain.ids import new_id

NOON_NS = 1_769_860_800_000_000_000


def test_an_id_is_a_uuid_of_version_7() -> None:
    id = new_id(lambda: NOON_NS)
    assert UUID(id).version == 7
    assert UUID(id).variant == "specified in RFC 4122"
    assert int(id[:12], 16) == NOON_NS // 1_000_000
    assert len({new_id(lambda: NOON_NS) for _ in range(1000)}) == 1000


def test_ids_of_one_millisecond_are_in_the_order_of_time() -> None:
    """Two lines of the audit may stand at one instant; their ids keep their order."""
    instants = range(NOON_NS, NOON_NS + 2_000_000, 245)
    ids = [new_id(lambda at=at: at) for at in instants]
    assert ids == sorted(ids)
