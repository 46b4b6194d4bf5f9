"""Plays the documents: every command and manifest of each page that is played, in order, by the real operator on a real
control plane and a simulated cloud; what a page shows as an answer has to be the answer. Then follows every link.

Each block that is run is a test, and so are the links of each page. What a page asks not to run has a reason, which is
told. A page with commands that is not played fails, unless UNPLAYED says why.
"""

import argparse
import pathlib
import sys

import links
from page import RUN, Malformed, Page
from scene import ROOT, NotTrue, Scene

INDEX = ROOT / "docs" / "README.md"
UNPLAYED = {
    "CONTRIBUTING.md": "how the tests are run, which are running",
    "docs/how-to/install.md": "needs an image in a registry; the chart's tests install, upgrade and uninstall it",
    "docs/how-to/gitops.md": "its blocks are run by tests/it/gitops.rs; what needs Flux or Argo CD is parsed there",
    "docs/how-to/backup-and-restore.md": "loses and restores a whole cluster; tests/it/backup.rs does so",
    "docs/how-to/uninstall.md": "takes the operator and the kinds away; tests/it/release.rs does so",
    "docs/metrics.md": "a configuration of Prometheus, which tests/alerts/run has it read",
    "docs/model-check.md": "two runs of tests by themselves; the first is a part of make test",
    "docs/operation.md": "a file of settings; tests/it/settings_file.rs starts the operator with it",
    "docs/reference/policy-alibaba.md": "generated; needs the real cloud's RAM",
}


class Tally:
    """What came of each test."""

    def __init__(self):
        self.passed = self.failed = 0

    def says(self, title, wrong=None):
        """One test has ended."""
        self.passed += wrong is None
        self.failed += wrong is not None
        print(f"{'PASS' if wrong is None else 'FAIL'}  {title}", flush=True)
        if wrong is not None:
            print(f"      {wrong}".replace("\n", "\n      "), flush=True)


def all_pages():
    """Every page for people."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def play(page, tally, only_shows):
    """Plays a page until a block of it fails; or only shows what its consoles answer, to be pasted."""
    try:
        with Scene(page, only_shows) as scene:
            for block in page.steps:
                title = f"{page.name}:{block.line} {block.language}"
                if "not run" in block.asked:
                    print(f"      {title} is not run: {block.asked['not run']}", flush=True)
                    continue
                try:
                    scene.play(block)
                except NotTrue as untrue:
                    said = "\n".join(scene.told.lines[-20:])
                    tally.says(title, f"{untrue}\nthe operator did last:\n{said}")
                    return
                if block.language in RUN:
                    tally.says(title)
    except NotTrue as untrue:
        tally.says(f"{page.name}, what it is played on", untrue)


def main():
    """Plays what is asked for, or all; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", type=pathlib.Path, help="pages; by default all")
    parser.add_argument("--show", action="store_true", help="show what consoles answer, whatever the pages show")
    asked = parser.parse_args()
    tally = Tally()
    pages = all_pages()
    for path in [one.resolve() for one in asked.pages] or pages:
        name = str(path.relative_to(ROOT))
        try:
            page = Page(name, path.read_text())
        except Malformed as malformed:
            tally.says(name, malformed)
            continue
        if page.is_played:
            play(page, tally, asked.show)
        elif any("not run" not in block.asked for block in page.steps) and name not in UNPLAYED:
            tally.says(name, "it has commands, and is not played: say <!-- played -->, or why each block is not run")
    for path in pages:
        wrong = "\n".join(links.broken(ROOT, path, path.read_text()))
        tally.says(f"{path.relative_to(ROOT)}: its links", wrong or None)
    left_out = links.missing(INDEX, [path for path in pages if path.is_relative_to(ROOT / "docs")])
    left_out = [path for path in left_out if path.parent.name != "adr" or path.name == "README.md"]
    wrong = "\n".join(f"it does not name {path.relative_to(ROOT)}" for path in left_out)
    tally.says("docs/README.md names every page", wrong or None)
    print(f"\n{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
