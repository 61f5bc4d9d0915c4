"""A question that is on its way is not asked again, and not lost when who asked has left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from hub.vision.worker.shared import Shared


class Far:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Future[str]] = []

    async def __call__(self) -> str:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.asked.append(answer)
        return await answer

    def asker(self, shared: Shared[str], what: str = "north") -> asyncio.Task[str]:
        return asyncio.create_task(shared.ask(what, self))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_asks_meanwhile_gets_the_same_answer_and_the_next_a_new_one() -> None:
    far, shared = Far(), Shared[str]()
    first, second, other = far.asker(shared), far.asker(shared), far.asker(shared, "south")
    await settle()
    assert len(far.asked) == 2
    far.asked[0].set_result("a")
    far.asked[1].set_result("b")
    assert (await first, await second, await other) == ("a", "a", "b")
    third = far.asker(shared)
    await settle()
    far.asked[2].set_result("c")
    assert await third == "c"


async def test_who_comes_back_gets_what_it_did_not_wait_for() -> None:
    far, shared = Far(), Shared[str]()
    impatient = far.asker(shared)
    await settle()
    impatient.cancel()
    await settle()
    assert impatient.cancelled()
    again = far.asker(shared)
    await settle()
    assert len(far.asked) == 1, "it is on its way"
    far.asked[0].set_result("a")
    assert await again == "a"


async def test_an_error_reaches_all_and_is_not_kept() -> None:
    far, shared = Far(), Shared[str]()
    first, second = far.asker(shared), far.asker(shared)
    await settle()
    far.asked[0].set_exception(OSError("gone"))
    for asker in (first, second):
        with pytest.raises(OSError, match="gone"):
            await asker
    third = far.asker(shared)
    await settle()
    far.asked[1].set_result("a")
    assert await third == "a"


@pytest.mark.parametrize("ends", [lambda answer: answer.set_exception(OSError("gone")), lambda answer: answer.cancel()])
async def test_nobody_is_left_and_nothing_is_said(ends: Callable[[asyncio.Future[str]], object]) -> None:
    far, shared, said = Far(), Shared[str](), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    asker = far.asker(shared)
    await settle()
    asker.cancel()
    await settle()
    ends(far.asked[0])
    del far.asked[0], asker
    await settle()
    assert not said


async def test_closing_ends_what_is_on_its_way() -> None:
    far, shared = Far(), Shared[str]()
    asker = far.asker(shared)
    await settle()
    await shared.close()
    with pytest.raises(asyncio.CancelledError):
        await asker
    assert far.asked[0].cancelled()
