"""Twenty-one defences of the hub, each with the patch that takes it away and the test that must go red."""

# ruff: noqa: E501 - code is quoted as it stands

from __future__ import annotations

from tests.mutations.table import Mutation

FAULTS = "tests/faults"
ORDER, DISK, CLOCK = f"{FAULTS}/test_order.py", f"{FAULTS}/test_disk.py", f"{FAULTS}/test_wall_clock.py"
ANYWHERE = f"{FAULTS}/test_storm.py::test_nothing_is_lost_wherever_the_hub_dies"
FAILS, FILLS = f"{DISK}::test_a_disk_that_fails", f"{DISK}::test_a_disk_that_fills"
CUT = f"{DISK}::test_a_journal_that_was_cut_never_begins_anew"
SESSION, BROKER = f"{FAULTS}/test_session.py", f"{FAULTS}/test_broker_dies.py"
POWER = f"{FAULTS}/test_power_loss.py"
PAST = "tests/unit/runtime/test_intake.py::test_a_session_that_goes_on_from_another_past_confirms_nothing"
HELD = "self._held.append(_Decided(batch.entry, batch.committed(), commands, works))"

PLANTED = (
    Mutation(
        "acknowledge early",
        "runtime/core.py",
        HELD,
        "[done() for done in batch.committed()]\n            self._held.append(_Decided(batch.entry, (), commands, works))",
        (f"{ORDER}::test_nothing_is_acknowledged_before_it_is_written",),
    ),
    Mutation(
        "act before the commit",
        "runtime/core.py",
        HELD,
        "[self._dispatch(one) for one in commands]\n            self._held.append(_Decided(batch.entry, batch.committed(), [], works))",
        (f"{ORDER}::test_nothing_is_said_before_it_is_written",),
    ),
    Mutation(
        "no fsync",
        "journal/store.py",
        "PRAGMA synchronous = FULL",
        "PRAGMA synchronous = OFF",
        (FAILS,),
    ),
    Mutation(
        "a commit is flushed some time later",
        "journal/store.py",
        "PRAGMA synchronous = FULL",
        "PRAGMA synchronous = NORMAL",
        (POWER,),
    ),
    Mutation(
        "the names of new folders are not flushed",
        "durable.py",
        "                sync_folder(folder.parent)\n",
        "",
        (POWER,),
    ),
    Mutation(
        "a failed commit is taken for done",
        "journal/store.py",
        '            return JournalError(f"the journal refused a transaction: {cause}", trouble)\n',
        "            return None\n",
        (FAILS,),
    ),
    Mutation(
        "deciding stops while the journal refuses",
        "runtime/core.py",
        "            if self._stopping:\n                raise\n            return False\n",
        "            await asyncio.Event().wait()\n            return False\n",
        (FAILS,),
    ),
    Mutation(
        "the reserve is never given up",
        "runtime/disk.py",
        "            if free < NONE:",
        "            if free < 0:",
        (FILLS,),
    ),
    Mutation(
        "no warning before the disk is full",
        "runtime/disk.py",
        "        if free < LOW:",
        "        if free < 0:",
        (FILLS,),
    ),
    Mutation(
        "a lost journal begins anew",
        "journal/store.py",
        "        if made.exists() and not (",
        "        if not made.parent.exists() and not (",
        (CUT,),
    ),
    Mutation(
        "no idempotency key",
        "actions/say.py",
        "await speaker.play(clip, volume, command.key)",
        "await speaker.play(clip, volume, type(command.key)(f\"{command.key}/{__import__('time').time_ns()}\"))",
        (ANYWHERE,),
    ),
    Mutation(
        "outbox not resumed",
        "app.py",
        "parts.outbox.resume(parts.memory.outbox)",
        "parts.outbox.resume(())",
        (ANYWHERE,),
    ),
    Mutation(
        "a repeat is not marked",
        "runtime/outbox.py",
        "repeated=status is CommandStatus.STARTED)",
        "repeated=False)",
        (ANYWHERE,),
    ),
    Mutation(
        "restart forgets timers",
        "journal/store.py",
        'db.execute("SELECT * FROM slots")',
        'db.execute("SELECT * FROM slots WHERE 0")',
        (f"{FAULTS}/test_flood_and_timers.py::test_a_limit_that_passes_while_the_hub_is_down_fires_once_and_late",),
    ),
    Mutation(
        "naive clock",
        "runtime/clock.py",
        "        return Instant(self._base + boot_us() - self._boot)",
        "        return wall()",
        (CLOCK,),
    ),
    Mutation(
        "a jump of the clock moves no timer",
        "runtime/watch.py",
        "            runtime.clock_jumped(jump)\n",
        "",
        (CLOCK,),
    ),
    Mutation(
        "retained believed",
        "runtime/intake.py",
        "        quality = Quality.STALE\n    if (retained",
        "        quality = Quality.GOOD\n    if (retained",
        (BROKER,),
    ),
    Mutation(
        "a delivery is not known again",
        "runtime/intake.py",
        "                self._recent.keep(delivery.mid, delivery.digest)\n",
        "                pass\n",
        (SESSION,),
    ),
    Mutation(
        "a restored hub believes the session of the one before",
        "runtime/intake.py",
        "        if not resumed or self._restored:",
        "        if not resumed:",
        (PAST,),
    ),
    Mutation(
        "memory that ends may end the hub",
        "worker.py",
        '    Path("/proc/self/oom_score_adj").write_text("500")',
        "    pass",
        (f"{FAULTS}/test_memory.py::test_a_plugin_that_leaks_dies_before_the_hub",),
    ),
    Mutation(
        "ids outlive their session",
        "runtime/intake.py",
        "        self._recent.clear()\n        batch.entry",
        "        batch.entry",
        (SESSION,),
    ),
)
