"""What came of the steps, and what it has cost in calls."""

import collections


class Summary:
    """One line for each step, those that were not reached among them."""

    def __init__(self, titles):
        self._titles = titles
        self._rows = []

    def passed(self, seconds):
        """The next step came true."""
        self._rows.append((True, seconds))

    def failed(self, seconds):
        """The next step did not."""
        self._rows.append((False, seconds))

    @property
    def is_good(self):
        """Every step came true."""
        return len(self._rows) == len(self._titles) and all(passed for passed, _ in self._rows)

    def lines(self, narrator):
        """The table; the runner of all tests counts its lines."""
        for place, title in enumerate(self._titles):
            passed, seconds = self._rows[place] if place < len(self._rows) else (False, None)
            verdict = "PASS" if passed else "FAIL"
            took = "not reached" if seconds is None else f"{seconds:9.1f} s"
            yield f"{narrator.coloured(verdict, verdict)}  {took}  {place + 1}. {title}"


def calls(journal):
    """How often each action was called, and how often it was refused with which code."""
    counts = collections.defaultdict(collections.Counter)
    for counter in journal["counters"]:
        counts[counter["action"]][counter["code"]] += counter["count"]
    for action, codes in sorted(counts.items()):
        refused = [f"{count} {code}" for code, count in sorted(codes.items()) if code != "OK"]
        yield f"{codes['OK']:5}  {action}" + (f", refused: {', '.join(refused)}" if refused else "")
