"""The demo of privatelink-operator: two companies and a private link between them, told as it happens.

A control plane of its own, or the cluster of KUBECONFIG; a simulated Alibaba Cloud; the operator's own binary as the
shipped ServiceAccount. Lines beginning with `you` are what a person does with kubectl, with `operator` what the
operator does and says, with `cloud` what somebody does in the cloud past it by the vendor's SDK. It stays until Ctrl-C,
and then leaves nothing behind.
"""

import argparse
import signal
import sys

import story
from bell import NotTrue
from narrator import Narrator
from stage import Stage
from summary import Summary, calls

#: Ends like Ctrl-C: by `kill`, or because the terminal is closed.
SIGNALS = (signal.SIGTERM, signal.SIGHUP)
#: The exit status of who was interrupted.
INTERRUPTED = 130


def main():
    """Plays the story; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--once",
        action="store_true",
        help="delete everything at the end, print a summary, and end: status 0 when every step came true",
    )
    once = parser.parse_args().once
    for one in SIGNALS:
        signal.signal(one, signal.default_int_handler)
    steps = story.STEPS + ([story.LAST] if once else [])
    narrator = Narrator()
    summary = Summary([step.__doc__ for step in steps])
    journal = None
    try:
        with Stage(narrator) as stage:
            for place, step in enumerate(steps):
                narrator.heading(f"{place + 1}. {step.__doc__}")
                play(step, stage, summary)
            journal = stage.simulated.journal()
            if not once:
                stays(stage)
            narrator.heading("Ends all that it has started")
    except NotTrue as untrue:
        narrator.block("", f"{narrator.coloured('FAIL', 'FAIL')}: {untrue}")
        return finish(narrator, summary, journal, False)
    except KeyboardInterrupt:
        narrator.block("", "Ended.")
        return 0 if not once and summary.is_good else INTERRUPTED
    return finish(narrator, summary, journal, True)


def play(step, stage, summary):
    """One step; where it does not come true, the operator's last words are shown."""
    began = stage.narrator.seconds()
    try:
        step(stage)
    except NotTrue:
        summary.failed(stage.narrator.seconds() - began)
        if stage.operator:
            stage.narrator.block("", "The operator said last:", stage.operator.last_words())
        raise
    summary.passed(stage.narrator.seconds() - began)


def stays(stage):
    """Tells what happens until Ctrl-C, or until something that was started ends."""
    stage.narrator.heading("All of it came true, and goes on. Change something, and see what the operator does")
    story.use(stage)
    stage.narrator.block("", "Ctrl-C ends it.", "")
    stage.bell.until("Ctrl-C", lambda: False, patience=None)


def finish(narrator, summary, journal, ended_well):
    """The summary; gives the exit status."""
    narrator.block("", "Calls to the cloud:", *(calls(journal) if journal else ["(none were counted)"]))
    narrator.block("", *summary.lines(narrator))
    good = ended_well and summary.is_good
    narrator.block("", f"{'All came true' if good else 'Not all came true'}, in {narrator.seconds():.0f} s.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
