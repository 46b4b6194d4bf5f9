"""How the demo waits: for a condition that is looked at again whenever something has happened, with patience."""

import threading
import time

#: What takes seconds on an idle machine is waited for so long, in seconds.
PATIENCE = 90


class NotTrue(Exception):
    """Something that the story tells did not come true; its text says what, and what is the case instead."""


class Bell:
    """Rung whenever something has happened. Once broken, nobody waits any more."""

    def __init__(self):
        self._rung = threading.Condition()
        self._broken = None

    def __enter__(self):
        self._rung.acquire()
        return self

    def __exit__(self, *failure):
        self._rung.notify_all()
        self._rung.release()

    def breaks(self, why):
        """Nothing can come true any more."""
        with self:
            self._broken = self._broken or why

    def until(self, what, test, patience=PATIENCE, instead=lambda: ""):
        """Waits until `test` gives something, and gives that.

        Raises NotTrue when that takes longer than `patience` seconds, which may be None: for ever. `instead` says
        what is the case.
        """
        end = None if patience is None else time.monotonic() + patience
        with self._rung:
            while True:
                held = test()
                if held:
                    return held
                if self._broken:
                    raise NotTrue(self._broken)
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    raise NotTrue(f"waited {patience} s in vain until {what}{instead()}")
                self._rung.wait(left)
