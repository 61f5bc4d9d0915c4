"""From a document to the conditions of a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from hub.engine.calendar import Day, Sun, Weekday
from hub.engine.terms import (
    All,
    AnyOf,
    Beyond,
    Count,
    DayIs,
    Is,
    ModeIs,
    Not,
    Preceded,
    Silent,
    SunIs,
    SupplySilent,
    Term,
    TimeIs,
    WeekdayIs,
)
from hub.model.document import Mapping, Node, Scalar, Sequence
from hub.model.reader import suggest
from hub.model.reading import ACTIVE_VALUES, VALUES, Capability
from hub.model.site import ROLE_CAPABILITY, Mode, Role
from hub.model.time import DAY, SECOND

if TYPE_CHECKING:
    from hub.model.reader import Reader

#: Roles with words for values, and roles with numbers.
SENSED = tuple(role for role, capability in ROLE_CAPABILITY.items() if capability in VALUES)
MEASURED = tuple(role for role, capability in ROLE_CAPABILITY.items() if capability is Capability.MEASURE)
#: What a condition may begin with, and what may stand beside a role.
#: Of what silence is asked; ``supply`` stands for all that hangs on one of the zone's supplies.
SPEAKING = (*SENSED, *MEASURED, Role.DEVICE)
SUPPLY = "supply"
HEADS = (*SENSED, *MEASURED, "any", "all", "not", "mode", "time", "weekday", "day", "sun", "count", "silent")
BESIDE = ("confirm", "after", "without")
_HEADS = frozenset(HEADS)
_KEYS = _HEADS.union(BESIDE)
#: Most events that a count waits for, and deepest nesting of any, all and not.
MOST, DEEPEST = 100, 6


class TermParser:
    """Reads conditions; every method returns None after it reported a finding."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def term(self, node: Node, what: str = "a condition", also: tuple[str, ...] = (), depth: int = 0) -> Term | None:
        """Read one condition; ``also`` are keys that may stand beside it and are read elsewhere."""
        mapping = self._reader.mapping(node, what, optional=_KEYS.union(also) if also else _KEYS)
        if mapping is None:
            return None
        heads = [(key, value) for key, value in mapping.items if key.text in _HEADS]
        if len(heads) != 1:
            self._reader.report(
                mapping, f"{what} needs exactly one condition, like `vehicle: present`{suggest('', HEADS)}"
            )
            return None
        if depth > DEEPEST:
            self._reader.report(mapping, f"conditions are nested more than {DEEPEST} levels deep")
            return None
        key, value = heads[0]
        beside = [name for name, _ in mapping.items if name.text in BESIDE]
        if beside and key.text not in SENSED:
            self._reader.report(beside[0], f"`{beside[0].text}` stands beside a role only, like `vehicle: present`")
            return None
        if key.text in SENSED:
            return self._role(key, value, mapping)
        if key.text in MEASURED:
            return self._beyond(Role(key.text), value)
        return self._other(key.text, value, depth)

    def _other(self, head: str, value: Node, depth: int) -> Term | None:
        match head:
            case "any" | "all":
                return self._group(head, value, depth)
            case "not":
                term = self.term(value, "`not`", depth=depth + 1)
                return None if term is None else Not(term)
            case "mode":
                mode = self._reader.word(value, "mode", Mode)
                return None if mode is None else ModeIs(mode)
            case "time":
                return self._time(value)
            case "weekday":
                return self._weekdays(value)
            case "day":
                day = self._reader.word(value, "kind of day", Day)
                return None if day is None else DayIs(day)
            case "sun":
                sun = self._reader.word(value, "place of the sun", Sun)
                return None if sun is None else SunIs(sun)
            case "count":
                return self._count(value)
            case _:
                return self._silent(value)

    def is_(self, key: Scalar, value: Node, confirm: int = 1) -> Is | None:
        """Read ``role: value``."""
        role = Role(key.text)
        word = self._reader.word(value, f"value of {role}", VALUES[ROLE_CAPABILITY[role]])
        return None if word is None else Is(role=role, value=word, confirm=confirm)

    def _role(self, key: Scalar, value: Node, mapping: Mapping) -> Term | None:
        term = self.is_(key, value, self._confirm(mapping.get("confirm")))
        if term is None:
            return None
        if term.confirm != 1 and term.value not in ACTIVE_VALUES:
            self._reader.report(mapping, f"`{term.value}` always needs every source; leave `confirm` out")
            return None
        orders = [name for name in ("after", "without") if mapping.get(name) is not None]
        if not orders:
            return term
        if len(orders) == 2:
            self._reader.report(mapping, "write `after` or `without`, not both; join two conditions with `all`")
            return None
        return self._preceded(term, mapping.get(orders[0]), orders[0])

    def _confirm(self, node: Node | None) -> int:
        scalar = self._reader.scalar(node, "`confirm`")
        if scalar is None or scalar.text == "any":
            return 1
        if scalar.text == "all":
            return 0
        if not scalar.quoted and scalar.text.isascii() and scalar.text.isdigit() and 1 <= int(scalar.text) <= 9:
            return int(scalar.text)
        self._reader.report(scalar, "`confirm` is `any`, `all` or a number of sources from 1 to 9")
        return 1

    def _preceded(self, term: Is, node: Node | None, name: str) -> Preceded | None:
        by, fields = self._event(node, f"`{name}`", ("within",))
        within = self._reader.duration(fields.get("within") if fields else None, "`within`", SECOND, DAY)
        return None if by is None or within is None else Preceded(term, by, within, negated=name == "without")

    def _event(self, node: Node | None, what: str, required: tuple[str, ...]) -> tuple[Is | None, Mapping | None]:
        """Read ``role: value`` with further keys."""
        fields = self._reader.mapping(node, what, required=required, optional=SENSED)
        found = [pair for pair in fields.items if pair[0].text in SENSED] if fields is not None else []
        if fields is None or len(found) != 1:
            if fields is not None:
                self._reader.report(fields, f"{what} needs exactly one role, like `card: active`")
            return None, None
        return self.is_(*found[0]), fields

    def _count(self, node: Node) -> Count | None:
        term, fields = self._event(node, "`count`", ("times", "within"))
        if term is None or fields is None:
            return None
        times = self._reader.integer(fields.get("times"), "`times`", 1, MOST)
        within = self._reader.duration(fields.get("within"), "`within`", SECOND, DAY)
        return None if times is None or within is None else Count(term, times, within)

    def _silent(self, node: Node) -> Silent | SupplySilent | None:
        fields = self._reader.mapping(node, "`silent`", optional=(*SPEAKING, SUPPLY))
        if fields is None or len(fields.items) != 1:
            self._reader.report(node, "`silent` needs one role and a time, like `silent: {vehicle: 10 min}`")
            return None
        key, value = fields.items[0]
        time = self._reader.duration(value, "the time of silence", SECOND, 7 * DAY)
        if time is not None and key.text == SUPPLY:
            return SupplySilent(time)
        return None if time is None or key.text not in SPEAKING else Silent(Role(key.text), time)

    def _beyond(self, role: Role, node: Node) -> Beyond | None:
        fields = self._reader.mapping(node, f"`{role}`", optional=("above", "below", "until"))
        given: list[Literal["above", "below"]] = [name for name in ("above", "below") if fields and fields.get(name)]
        if fields is None or len(given) != 1:
            self._reader.report(node, f"write `{role}: {{above: 60, until: 55}}`, or `below`")
            return None
        limit = self._reader.number(fields.get(given[0]), f"`{given[0]}`")
        until = self._reader.number(fields.get("until"), "`until`")
        if limit is None:
            return None
        reset = limit if until is None else until
        if (reset > limit) if given[0] == "above" else (reset < limit):
            self._reader.report(fields.get("until") or node, "`until` lies on the wrong side of the limit")
            return None
        return Beyond(role, given[0], limit, reset)

    def _group(self, head: str, node: Node, depth: int) -> All | AnyOf | None:
        items = self._reader.sequence(node, f"`{head}`")
        terms = [self.term(item, depth=depth + 1) for item in items]
        if len(items) < 2 and isinstance(node, Sequence):
            self._reader.report(node, f"`{head}` joins at least two conditions")
        if not items or any(term is None for term in terms):
            return None
        good = tuple(term for term in terms if term is not None)
        return All(good) if head == "all" else AnyOf(good)

    def _time(self, node: Node) -> TimeIs | None:
        window = self.window(node, "`time`")
        return None if window is None else TimeIs(*window)

    def window(self, node: Node | None, what: str, also: tuple[str, ...] = ()) -> tuple[int, int] | None:
        """Read ``{from: "22:00", to: "06:00"}``."""
        fields = self._reader.mapping(node, what, required=("from", "to"), optional=also)
        begin = self._reader.time_of_day(fields.get("from") if fields else None, "`from`")
        end = self._reader.time_of_day(fields.get("to") if fields else None, "`to`")
        if begin is None or end is None:
            return None
        if begin == end and node is not None:
            self._reader.report(node, "the window is empty: `from` and `to` are the same time")
            return None
        return begin, end

    def _weekdays(self, node: Node) -> WeekdayIs | None:
        items = node.items if isinstance(node, Sequence) else (node,)
        days = [self._reader.word(item, "day of the week", Weekday) for item in items]
        good = tuple(day for day in days if day is not None)
        return WeekdayIs(good) if good and len(good) == len(days) else None
