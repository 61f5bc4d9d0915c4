"""Each row switches one semantic of the engine off: where, what is written there, what instead, and who must notice."""

# ruff: noqa: E501 - code is quoted as it stands

from __future__ import annotations

from dataclasses import dataclass

UNIT = "tests/unit/engine"
TERMS, LOCAL, ORDERS = f"{UNIT}/test_terms.py", f"{UNIT}/test_local_time.py", f"{UNIT}/test_orders_and_counts.py"
FOR, LIFE, LIMITS = (f"tests/property/test_{name}.py" for name in ("for", "life", "limits"))
LANGUAGE, SITE = "tests/property/test_language.py", "tests/unit/config/test_site.py"
SUPPLY, LISTENING = f"{UNIT}/test_supply.py", f"{UNIT}/test_listening.py"


@dataclass(frozen=True)
class Mutation:
    """One deliberate fault."""

    name: str
    file: str
    """Below ``hub/``."""
    old: str
    """Stands there exactly once."""
    new: str
    tests: tuple[str, ...]
    """Files, each of which must go red by itself."""


MUTATIONS = (
    Mutation(
        "for is not reset by a short opposite edge", "engine/activation.py",
        "        if truth is False:\n            return self._drop(slot, Reason.OPPOSITE_EDGE)\n",
        "        if truth is False and self._now > slot.since + 1_000_000:\n"
        "            return self._drop(slot, Reason.OPPOSITE_EDGE)\n"
        "        if truth is False:\n            return slot\n",
        (FOR,),
    ),
    Mutation(
        "a repeat begins the for anew", "engine/activation.py",
        "            return slot if slot.blind_since is None and slot.wake == slot.due else _seen(slot, wake=slot.due)\n",
        "            due = after(self._now, self._rule.trigger.hold)\n"
        "            return replace(slot, blind_since=None, due=due, wake=due)\n",
        (FOR, LANGUAGE),
    ),
    Mutation(
        "tolerate_gap ignored", "engine/activation.py",
        "self._now >= after(slot.blind_since, self._rule.tolerate_gap)", "self._now >= slot.blind_since + 10**15",
        (FOR, LANGUAGE),
    ),
    Mutation(
        "clearing_since kept when blindness is given up", "engine/activation.py",
        "            slot = replace(slot, clearing_since=None, wake=None)\n",
        "            slot = replace(slot, wake=None)\n",
        (LIFE,),
    ),
    Mutation(
        "fires late after a restart without asking the source", "engine/activation.py",
        "        if truth is None:\n            slot, given_up = self._blind(slot)\n            return self._drop",
        "        if truth is None and slot.due is not None and self._now > slot.due:\n"
        "            return self._open(slot)\n"
        "        if truth is None:\n            slot, given_up = self._blind(slot)\n            return self._drop",
        (FOR, LANGUAGE),
    ),
    Mutation(
        "cooldown ignored", "engine/activation.py",
        "phase is COOLDOWN and slot is not None and now >= (slot.due or now)", "phase is COOLDOWN",
        (LIFE, LANGUAGE),
    ),
    Mutation(
        "a cooldown forgets its end when clear looked at the clock", "engine/activation.py",
        " and (slot is None or slot.phase is not COOLDOWN):", ":",
        (ORDERS,),
    ),
    Mutation(
        "after clear nobody waits for time to make it true again", "engine/activation.py",
        "            self.closures.trigger(self._view)  #", "            #",
        (ORDERS,),
    ),
    Mutation(
        "a voice is not withheld while the source is unknown", "engine/activation.py",
        "voice=clear is False)", "voice=True)",
        (LIFE, LANGUAGE),
    ),
    Mutation(
        "quiet hours ignored", "engine/activation.py",
        "if quiet is not None and", "if quiet is not None and self._now < 0 and",
        (TERMS, LIMITS, LANGUAGE),
    ),
    Mutation(
        "a dry run acts", "engine/activation.py",
        "        if self._rule.dry_run:\n            self.decisions.append(Rehearsed", "        if self._now < 0:\n            self.decisions.append(Rehearsed",
        (TERMS, LANGUAGE),
    ),
    Mutation(
        "a dry run opens an incident", "engine/activation.py",
        "if opens is slot.incident or self._rule.dry_run:", "if opens is slot.incident:",
        (TERMS, LANGUAGE),
    ),
    Mutation(
        "a step is repeated once too often", "engine/program.py",
        "for turn in range(step.times)", "for turn in range(step.times + (step.times > 1))",
        (TERMS, LIMITS, LANGUAGE),
    ),
    Mutation(
        "a condition that is not known does not hold back", "engine/activation.py",
        "all(test(self._view) is True for test", "all(test(self._view) is not False for test",
        (LANGUAGE,),
    ),
    Mutation(
        "hysteresis ignores its reset", "engine/truth.py",
        "return value > term.limit or (was and value >= term.reset)", "return value > term.limit",
        (TERMS, ORDERS, LANGUAGE),
    ),
    Mutation(
        "confirm counts what is stale", "engine/truth.py",
        "            agree += good and state.value == wanted\n", "            agree += state.value == wanted\n",
        (LANGUAGE,),
    ),
    Mutation(
        "all of no sources is false instead of unknown", "engine/truth.py",
        "return None if possible >= needed > 0 or not entities else False", "return None if possible >= needed > 0 else False",
        (ORDERS,),
    ),
    Mutation(
        "the window of a count includes its edge", "engine/truth.py",
        "            if instant > begins\n", "            if instant >= begins\n",
        (ORDERS, LANGUAGE),
    ),
    Mutation(
        "a count does not wake when its window has passed", "engine/truth.py",
        "        view.look_at(after(sorted(found)[-term.at_least], term.within))  # then one too few is left\n", "",
        (ORDERS, LANGUAGE),
    ),
    Mutation(
        "a count takes what is not live", "engine/recall.py",
        "    if state.quality is not Quality.GOOD:\n        return memory\n",
        "    if state.value is None:\n        return memory\n",
        (ORDERS, LANGUAGE),
    ),
    Mutation(
        "a count keeps its events where they were when the clock jumps", "engine/step.py",
        "Memory(tuple((Instant(at + jump.by), word) for at, word in memory.edges), memory.latches)", "memory",
        (ORDERS, LANGUAGE),
    ),
    Mutation(
        "what one rule counts pushes out what another does", "engine/recall.py",
        "        if left.get(word, 0) > 0:\n            left[word] -= 1\n",
        "        if word in left and len(kept) < max(left.values()):\n",
        (ORDERS,),
    ),
    Mutation(
        "after and without swapped", "engine/truth.py",
        "return happened is not term.negated", "return happened is term.negated",
        (TERMS, ORDERS, LANGUAGE),
    ),
    Mutation(
        "an order is told from a door that is not known", "engine/truth.py",
        "if (state := view.state(entity)).quality is GOOD]", "if (state := view.state(entity)).value]",
        (ORDERS,),
    ),
    Mutation(
        "a card reader that is not known has seen no card", "engine/truth.py",
        "            return None  # but where nothing is bound",
        "            return term.negated  # but where nothing is bound",
        (TERMS, LANGUAGE),
    ),
    Mutation(
        "silence never wakes", "engine/truth.py",
        "    view.look_at(ends)\n    return False\n", "    return False\n",
        (TERMS, ORDERS, LANGUAGE),
    ),
    Mutation(
        "never heard is silence", "engine/truth.py",
        "return None if last is None else _quiet_until(", "return True if last is None else _quiet_until(",
        (ORDERS, LANGUAGE),
    ),
    Mutation(
        "a supply explains nothing", "engine/truth.py",
        "            found |= last is not None and", "            found |= False and",
        (SUPPLY,),
    ),
    Mutation(
        "nobody looks again when a supply is back", "engine/truth.py",
        "            view.look_at(after(view.now, term.time))\n", "            pass\n",
        (SUPPLY,),
    ),
    Mutation(
        "a window includes its end", "engine/calendar.py",
        "return begin <= second < end if begin < end else second >= begin or second < end",
        "return begin <= second <= end if begin < end else second >= begin or second <= end",
        (LANGUAGE,),
    ),
    Mutation(
        "nobody wakes at midnight", "engine/truth.py",
        "_noted(view, calendar.next_midnight(view.now), calendar.weekday(view.now) in term.days)",
        "calendar.weekday(view.now) in term.days",
        (LOCAL, LANGUAGE),
    ),
    Mutation(
        "a made-up workday is ignored", "engine/calendar.py",
        "        if today in self.workdays:\n            return Day.WORKDAY\n", "",
        (LOCAL, LANGUAGE),
    ),
    Mutation(
        "a holiday is ignored", "engine/calendar.py",
        "if today in self.rest_days or today.weekday()", "if today.weekday()",
        (LOCAL, LANGUAGE),
    ),
    Mutation(
        "up and down of the sun swapped", "engine/calendar.py",
        "Sun.UP if self.within(now, *times) else Sun.DOWN", "Sun.DOWN if self.within(now, *times) else Sun.UP",
        (LOCAL, LANGUAGE),
    ),
    Mutation(
        "the change of summer time is slept through", "engine/calendar.py",
        "if self.local(Instant(high * SECOND)).utcoffset() == before:", "if high > low:",
        (LOCAL, LANGUAGE),
    ),
    Mutation(
        "a jump of the clock looks at nothing", "engine/step.py",
        "slots={**moved.slots, **looked.slots}, decisions=looked.decisions)", "slots=moved.slots)",
        (LOCAL, LANGUAGE),
    ),
    Mutation(
        "not: what is unknown becomes true", "engine/truth.py",
        "return None if truth is None else not truth", "return not truth",
        (LANGUAGE,),
    ),
    Mutation(
        "all: a false beside an unknown is unknown", "engine/truth.py",
        "if truth is False or (truth is None and found):",
        "if (truth is False and found is not None) or (truth is None):",
        (LANGUAGE,),
    ),
    Mutation(
        "an edit of another rule drops what is pending", "engine/step.py",
        "if compiled is None or compiled.fingerprint != slot.trigger:",
        "if compiled is None or compiled.fingerprint != slot.trigger or slot.phase == 'pending':",
        (LIFE, LANGUAGE),
    ),
    Mutation(
        "a text may hold any variable", "engine/parse.py",
        "            if found not in VARIABLES:\n", "            if found == '{}':\n",
        (LIMITS,),
    ),
    Mutation(
        "a door is held as long as a light", "engine/parse.py",
        "longest = MAX_DOOR_HOLD if role is Role.DOOR_HOLD else MAX_HOLD", "longest = MAX_HOLD",
        (LIMITS, TERMS),
    ),
    Mutation(
        "a lost link counts as its devices' silence", "engine/listening.py",
        "        if away.concerns(integrations):\n", "        if not away.integrations:\n",
        (LISTENING,),
    ),
    Mutation(
        "a lost link excuses everybody", "engine/listening.py",
        "return not self.integrations or integrations <= set(self.integrations)", "return True",
        (LISTENING,),
    ),
    Mutation(
        "a lost link: nobody looks when it is back", "engine/step.py",
        "_advance(state, program.watching_silence(), now, absences=absences)",
        "_advance(state, (), now, absences=absences)",
        (LISTENING,),
    ),
    Mutation(
        "a lost link: a for by silence goes on", "engine/activation.py",
        "self._view.unheard(entities) and slot.due is not None and self._now < slot.due", "False",
        (LISTENING,),
    ),
)  # fmt: skip
