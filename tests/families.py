#!/usr/bin/env python3
"""Runs every test there is, prints what each runner said of itself, and counts.

  tests/families.py            all families
  tests/families.py --record   all families; if all is well, writes the counts down as the least from now on

A family is one of Cargo's test programs, the Go tests of the launcher, the tests of this file, a vendor's suite, the
checks of the alerts, the demo, whose steps count as tests, or the documents, whose blocks do.
The run fails when a test fails or is skipped, when a family that tests/counts.json knows did not run, and when it ran
fewer tests than recorded there: a test that is lost is noticed.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
COUNTS = ROOT / "tests" / "counts.json"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))

# Cargo names a test program by its file in target/debug/deps.
CARGO_PROGRAM = re.compile(r"^\s*Running (?:unittests )?(?P<source>\S+) \(.*/deps/(?P<name>\w+)-[0-9a-f]{16}\)")
CARGO_DOCTESTS = re.compile(r"^\s*Doc-tests (?P<name>\w+)")
# A panic: the place, and on the lines after it what was said, up to the backtrace.
CARGO_PANIC = re.compile(r"^thread '(?P<test>[^']+)' (?:\(\d+\) )?panicked at ")
CARGO_PANIC_LINES = 8
CARGO_RESULT = re.compile(
    r"^test result: (?P<verdict>\w+)\. (?P<passed>\d+) passed; (?P<failed>\d+) failed; (?P<ignored>\d+) ignored;"
    r" \d+ measured; (?P<filtered>\d+) filtered out"
)
GO_VERDICT = re.compile(r"^\s*--- (?P<verdict>PASS|FAIL|SKIP): ")
GO_PACKAGE = re.compile(r"^(?P<verdict>ok|FAIL)\s+(?P<name>\S+)")
UNITTEST_COUNT = re.compile(r"^Ran (?P<count>\d+) tests? in ")
PYTEST_CLOSING = re.compile(r"^=+ (?P<said>.*) in [\d.]+s.*=+$")
PYTEST_COUNT = re.compile(r"(?P<count>\d+) (?P<verdict>passed|failed|error|errors|skipped|xfailed|xpassed|deselected)")
STEP = re.compile(r"^(?P<verdict>PASS|FAIL)  (?P<title>.*)$")
DOCS_CLOSING = re.compile(r"^\d+ passed, \d+ failed$")
DEMO_CLOSING = re.compile(r"^(All|Not all) came true, in ")
ALERTS_CLOSING = re.compile(r"^\d+ of \d+ checks of the alerts hold$")


class Family:
    """What one runner said of one set of tests."""

    def __init__(self, name, passed=0, failed=0, skipped=0):
        self.name, self.passed, self.failed, self.skipped = name, passed, failed, skipped


class Run:
    """One command: its output goes on to the screen as it comes; its closing lines are kept."""

    def __init__(self, title):
        self.title, self.families, self.closing, self.status, self.seconds = title, [], [], None, 0.0

    def start(self, command, reader, cwd=ROOT, env=None):
        print(f"\n==> {self.title}: {' '.join(map(str, command))}", flush=True)
        begun = time.monotonic()
        with subprocess.Popen(
            command, cwd=cwd, env=env or os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            for line in process.stdout:
                sys.stdout.write(line)
                sys.stdout.flush()
                reader(line.rstrip("\n"))
        self.status, self.seconds = process.returncode, time.monotonic() - begun
        return self


def rust(environment):
    run = Run("Rust")
    run.start(["cargo", "test", "--workspace", "--locked", "--no-fail-fast"], rust_reader(run), env=environment)
    return run


def rust_reader(run):
    """Reads what Cargo's test programs print: their results, and the first lines of each panic of a failed test."""
    current, panic = "?", 0

    def read(line):
        nonlocal current, panic
        panic = CARGO_PANIC_LINES if CARGO_PANIC.match(line) else panic - 1
        if line.startswith("stack backtrace:"):
            panic = 0
        if panic > 0:
            run.closing.append(line)
        named = CARGO_PROGRAM.match(line)
        documented = CARGO_DOCTESTS.match(line)
        result = CARGO_RESULT.match(line)
        if named:
            # A package's library and its binary are programs of one name.
            current = f"{named['name']} ({named['source']})"
        elif documented:
            current = f"{documented['name']} (documentation)"
        elif result:
            run.closing.append(f"{current}: {line}")
            skipped = int(result["ignored"]) + int(result["filtered"])
            run.families.append(Family(f"rust: {current}", int(result["passed"]), int(result["failed"]), skipped))

    return read


def go():
    run = Run("Go")
    tally = Family("go: the control plane's launcher")

    def read(line):
        verdict = GO_VERDICT.match(line)
        if verdict:
            tally.passed += verdict["verdict"] == "PASS"
            tally.failed += verdict["verdict"] == "FAIL"
            tally.skipped += verdict["verdict"] == "SKIP"
        elif GO_PACKAGE.match(line):
            run.closing.append(line)

    run.start(["go", "test", "-count=1", "-v", "./..."], read, cwd=ROOT / "tests" / "controlplane")
    run.families.append(tally)
    return run


def itself():
    run = Run("Runner")
    tally = Family("python: this runner")

    def read(line):
        count = UNITTEST_COUNT.match(line)
        if count:
            tally.passed = int(count["count"])
            run.closing.append(line)

    run.start([sys.executable, "-m", "unittest", "test_families"], read, cwd=ROOT / "tests")
    run.families.append(tally)
    return run


def vendor(environment):
    run = Run("Vendor's SDK")
    tally = Family("python: Alibaba Cloud's own SDK against the simulated cloud")

    def read(line):
        closing = PYTEST_CLOSING.match(line)
        if closing:
            run.closing.append(line)
            for count in PYTEST_COUNT.finditer(closing["said"]):
                number, verdict = int(count["count"]), count["verdict"]
                if verdict == "passed":
                    tally.passed += number
                elif verdict in ("failed", "error", "errors"):
                    tally.failed += number
                else:
                    tally.skipped += number

    run.start([ROOT / "tests" / "vendor" / "alibaba" / "run"], read, env=environment)
    run.families.append(tally)
    return run


def steps(title, name, program, closing, environment):
    """A program that says PASS or FAIL of each of its steps, which count as tests, and then something of them all."""
    run = Run(title)
    tally = Family(f"python: {name}")

    def read(line):
        step = STEP.match(line)
        if step:
            tally.passed += step["verdict"] == "PASS"
            tally.failed += step["verdict"] == "FAIL"
        elif closing.match(line):
            run.closing.append(line)

    run.start([ROOT / "tests" / program[0], *program[1:]], read, env=environment)
    run.families.append(tally)
    return run


def alerts(environment):
    return steps("Alerts", "alerts, by what was recorded", ["alerts/run"], ALERTS_CLOSING, environment)


def demo(environment):
    return steps("Demo", "the demo, step by step", ["demo/run", "--once"], DEMO_CLOSING, environment)


def documents(environment):
    name = "the documents, block by block, and their links"
    return steps("Documents", name, ["docs/run"], DOCS_CLOSING, environment)


def control_plane():
    return Run("Control plane").start([ROOT / "tests" / "controlplane" / "build"], lambda line: None)


def complaints(runs, recorded):
    families = [family for run in runs for family in run.families]
    for run in runs:
        if run.status != 0:
            yield f"{run.title} ended with status {run.status}"
    for family in families:
        if family.failed:
            yield f"{family.name}: {family.failed} failed"
        if family.skipped:
            yield f"{family.name}: {family.skipped} skipped: a test runs or is removed"
    ran = passed(families)
    for name, least in recorded.items():
        if name not in ran:
            yield f"{name}: did not run, {least} recorded in tests/counts.json"
        elif ran[name] < least:
            yield f"{name}: {ran[name]} passed, fewer than the {least} recorded in tests/counts.json"
    for name in ran:
        if name not in recorded:
            yield f"{name}: not recorded in tests/counts.json: run tests/families.py --record"


def passed(families):
    """How many tests passed, by family that has any."""
    counts = {}
    for family in families:
        if family.passed:
            counts[family.name] = counts.get(family.name, 0) + family.passed
    return counts


def main():
    record = sys.argv[1:] == ["--record"]
    if sys.argv[1:] and not record:
        sys.exit(__doc__)
    built = control_plane()
    # Cargo has built them for its own tests; a second build would be of other features.
    binaries = {"SIM_BINARY": "privatelink-sim", "OPERATOR_BINARY": "privatelink-operator"}
    environment = {**os.environ, **{name: str(TARGET / "debug" / file) for name, file in binaries.items()}}
    runs = [built, itself(), rust(os.environ), go(), vendor(environment)]
    runs += [alerts(environment), demo(environment), documents(environment)]

    print("\n==> What the runners said")
    for run in runs:
        for line in run.closing:
            print(f"{run.title}: {line}")
    print("\n==> Tests by family")
    recorded = json.loads(COUNTS.read_text()) if COUNTS.exists() else {}
    for run in runs:
        for family in run.families:
            if family.passed or family.failed or family.skipped:
                print(f"{family.passed:6} passed  {family.name}")
        print(f"{run.seconds:6.0f} s       {run.title} in all")
    families = [family for run in runs for family in run.families]
    wrong = list(complaints(runs, {} if record else recorded))
    if record:
        # What is recorded is what ran well; only that it was not recorded before is no complaint now.
        wrong = [line for line in wrong if "not recorded in" not in line]
        if not wrong:
            COUNTS.write_text(json.dumps(dict(sorted(passed(families).items())), indent=2) + "\n")
    total = sum(family.passed for family in families)
    for line in wrong:
        print(f"FAILED: {line}")
    print(f"\n{total} tests passed" + (f", {len(wrong)} complaints: not green" if wrong else ": green"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
