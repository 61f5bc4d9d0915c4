"""The API under schemathesis: what its document allows and what it does not, for every role; never a server error (S5).

Every input is sent as an administrator, whom nothing is refused before it is read; the first few as everybody else too,
who get as far as their role does. Bounded by examples, about half a minute; MENSHEN_TEST_SEED repeats a run,
MENSHEN_FUZZ_EXAMPLES makes it longer (and, above the ordinary number, sends everything as everybody).
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis.strategies import SearchStrategy, one_of
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from hub.journal.queries import add_token
from hub.model.time import MINUTE
from hub.web.openapi import document
from hub.web.routes import API
from tests.kit.office import GUARD, ROLES, Office, bearer, office

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Operation = schemathesis.APIOperation[Any, Any, Any, Any]
Case = schemathesis.Case[Any]
SEED = int(os.environ.get("MENSHEN_TEST_SEED", "0")) or random.SystemRandom().getrandbits(32)
ORDINARY = 16
#: Requests to each operation, and how many of them everybody sends.
EXAMPLES = int(os.environ.get("MENSHEN_FUZZ_EXAMPLES") or ORDINARY)
BY_ALL = 3 if EXAMPLES <= ORDINARY else EXAMPLES
WHO = (None, "nobody", *ROLES)
#: What begins a process that draws for seconds, and how much less of it is asked for.
DRAWN, LESS = frozenset({"GET /api/v1/reports/pdf", "GET /api/v1/reports/xlsx"}), 4
#: Seconds for one request; far more than any takes.
PATIENCE = 60.0


class Neighbour:
    """An office whose loop runs in a thread of its own, so that a client that blocks can ask it."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self._ready, self._end = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self.loop.run_until_complete, args=(self._serve(folder),), daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    async def _serve(self, folder: Path) -> None:
        async with office(folder) as self.office:
            self._ready.set()
            await self._end.wait()

    office: Office

    @property
    def url(self) -> str:
        """Where it listens."""
        return str(self.office.client.make_url("/")).rstrip("/")

    def refresh(self) -> None:
        """Let a minute pass, and give back the tokens that were revoked."""
        asyncio.run_coroutine_threadsafe(self._refresh(), self.loop).result(PATIENCE)

    async def _refresh(self) -> None:
        self.office.clock.advance(MINUTE + 1)
        now = self.office.clock.now()
        for role in ROLES:
            await self.office.context.journal.execute(
                lambda db, role=role: add_token(db, role, role, f"token-of-{role}", now)  # type: ignore[misc]
            )

    def close(self) -> None:
        """End the loop and its thread."""
        self.loop.call_soon_threadsafe(self._end.set)
        self._thread.join(PATIENCE)
        self.loop.close()


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbour]:
    found = Neighbour(tmp_path_factory.mktemp("office"))
    yield found
    found.close()


SCHEMA = schemathesis.openapi.from_dict(document(API))
OPERATIONS: list[Operation] = [result.ok() for result in SCHEMA.get_all_operations()]  # type: ignore[union-attr]


def any_case(operation: Operation) -> SearchStrategy[Case]:
    """Return requests that the document allows, and such that it does not where there is something to get wrong."""
    modes = [GenerationMode.POSITIVE]
    if operation.body or operation.query or operation.path_parameters:
        modes.append(GenerationMode.NEGATIVE)
    return one_of(*(operation.as_strategy(mode) for mode in modes))


def test_every_operation_is_tried() -> None:
    assert len(OPERATIONS) == len(API)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_no_input_of_any_role_is_an_error_of_the_server(neighbour: Neighbour, operation: Operation) -> None:
    print(f"seed {SEED}: replay with MENSHEN_TEST_SEED={SEED}")  # noqa: T201 - shown when the test fails
    neighbour.refresh()
    seen: Counter[str | None] = Counter()

    @hypothesis.seed(SEED)
    @hypothesis.settings(
        max_examples=EXAMPLES // LESS if operation.label in DRAWN else EXAMPLES,
        deadline=None, database=None, phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(case=any_case(operation))
    def ask(case: Case) -> None:
        for role in WHO if seen["admin"] < BY_ALL else ("admin",):
            seen[role] += 1
            headers = GUARD | (bearer(f"token-of-{role}") if role else {})
            case.call_and_validate(
                base_url=neighbour.url, headers=headers, timeout=PATIENCE,
                checks=[not_a_server_error, response_schema_conformance],
            )  # fmt: skip

    ask()
    assert set(seen) == set(WHO)
