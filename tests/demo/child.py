"""A program that the demo has started: it ends with the demo, however that ends."""

import collections
import subprocess
import threading

#: Lines of its standard error that are shown when it failed.
SHOWN = 30
#: Seconds in which a program that is told to end has to be gone.
GRACE = 20


class Child:
    """One program. Its standard error is read line by line; its standard output is whoever started it's to read."""

    def __init__(self, name, command, lifeline=False, hears=None, dies=None, **how):
        """With a lifeline the program itself ends when its standard input closes; else the kernel sees to it.

        `hears` is called with each line of its standard error, and `dies` when it has ended without being told to.
        """
        self.name = name
        self._lines = collections.deque(maxlen=SHOWN)
        self._hears, self._dies, self._told_to_end = hears, dies, False
        if not lifeline:
            command = ["setpriv", "--pdeathsig", "KILL", "--", *command]
        # A group of its own: Ctrl-C in the terminal is for the demo, which ends its programs in order.
        self._process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE if lifeline else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            **how,
        )
        self.out = self._process.stdout
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stderr:
            line = line.rstrip("\n")
            self._lines.append(line)
            if self._hears:
                self._hears(line)
        if self._dies and not self._told_to_end:
            self._dies(f"{self.name} ended with status {self._process.wait()}; it said last:\n{self.last_words()}")

    def wait(self):
        """Waits until the program has ended by itself and all it said was read; gives its status."""
        status = self._process.wait()
        self._reader.join()
        return status

    def last_words(self):
        """The end of its standard error."""
        return "\n".join(self._lines)

    def end(self):
        """Tells the program to end, and waits until it has; gives its status."""
        self._told_to_end = True
        if self._process.stdin:
            self._process.stdin.close()
        else:
            self._process.terminate()
        try:
            status = self._process.wait(timeout=GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        except BaseException:
            # Ctrl-C for the second time: at once, then.
            self._process.kill()
            self._process.wait()
            raise
        self._reader.join()
        return status
