"""A request that is refused, with a sentence that says what to do."""

from __future__ import annotations

from hub.model.errors import HubError


class Refusal(HubError):
    """Becomes a Problem with an HTTP status."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message
