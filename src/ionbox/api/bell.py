"""What wakes one task of the event loop, from any thread."""

from __future__ import annotations

import asyncio
import contextlib


class Bell:
    """Made in the event loop, by the task that waits."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._is_rung = False

    def ring(self) -> None:
        """Wake who waits; from any thread. To ring twice costs nothing."""
        if not self._is_rung:
            self._is_rung = True
            with contextlib.suppress(RuntimeError):  # the loop has ended, and who waited with it
                self._loop.call_soon_threadsafe(self._event.set)

    async def rung(self, seconds: float) -> bool:
        """Wait for a ring, so long at most, and be ready for the next; false where none came."""
        timer = self._loop.call_later(seconds, self._event.set)
        try:
            await self._event.wait()
        finally:
            timer.cancel()
        self._event.clear()
        was_rung, self._is_rung = self._is_rung, False
        return was_rung
