"""What is told: one line for each thing that happens, in three voices, with the time since the demo began."""

import sys
import threading
import time

COLOURS = {"you": "36", "operator": "32", "cloud": "33", "demo": "2", "PASS": "32", "FAIL": "31"}


class Narrator:
    """Writes to the standard output, whole lines and whole tables at a time."""

    def __init__(self):
        self._began = time.monotonic()
        self._writing = threading.Lock()
        self._coloured = sys.stdout.isatty()

    def seconds(self):
        """Seconds since the demo began."""
        return time.monotonic() - self._began

    def you(self, text):
        """What a person does."""
        self._say("you", text)

    def operator(self, text):
        """What the operator does, and why."""
        self._say("operator", text)

    def cloud(self, text):
        """What somebody does in the cloud, past the operator."""
        self._say("cloud", text)

    def demo(self, text):
        """What only the demo needs."""
        self._say("demo", text)

    def heading(self, text):
        """A new step begins."""
        self.block("", f"{self.coloured(text, '1')}")

    def block(self, *lines):
        """Lines that belong together: a table, or an answer."""
        with self._writing:
            print(*lines, sep="\n", flush=True)

    def answer(self, text):
        """What a command has answered."""
        self.block(*(f"{'':18}{line}".rstrip() for line in text.rstrip("\n").splitlines()))

    def coloured(self, text, colour):
        """The text as a terminal shows it in a colour; plain where there is no terminal."""
        code = COLOURS.get(colour, colour)
        return f"\x1b[{code}m{text}\x1b[0m" if self._coloured else text

    def _say(self, voice, text):
        self.block(f"{self.seconds():6.1f}  {self.coloured(f'{voice:8}', voice)}  {text}")
