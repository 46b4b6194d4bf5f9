"""Where a page is played: a control plane, a simulated cloud and the operator, each its own, of which nothing is left."""

import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "demo"))

from bell import PATIENCE, Bell, NotTrue  # noqa: E402
from cluster import ROOT, Cluster  # noqa: E402
from shipped import Operator  # noqa: E402
from simulated import Simulated  # noqa: E402

from page import exchanges, pattern  # noqa: E402

#: Pause before a question is asked again whose answer is not yet the one that is shown, in seconds.
AGAIN = 1
#: How long an answer is given to become what it will be, where it is only shown, in seconds.
SOON = 8
#: What is only asked, and so can be asked again.
QUESTIONS = re.compile(r"^kubectl( \S+)*? (get|describe|events?)\b")
#: Where a manifest leads to the real cloud, it leads to the simulated one.
REAL = re.compile(r"^(?P<indent> *)alibaba: \{\}", re.MULTILINE)


class Quiet:
    """Takes the place of the demo's narrator: what the operator does is told only where a page does not come true."""

    def __init__(self):
        self.lines = []

    def operator(self, text):
        """What the operator does, and why."""
        self.lines.append(text)


class Scene:
    """What one page is played on. Its folder has the files of the checkout that commands name, and the page's own."""

    def __init__(self, page, only_shows=False):
        self.page, self.bell, self.told, self._only_shows = page, Bell(), Quiet(), only_shows
        self.operator = None
        self._to_end = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as so_far:
            self.cluster = Cluster.start(self.bell)
            so_far.callback(self.cluster.end)
            self.folder = pathlib.Path(tempfile.mkdtemp(prefix="docs-"))
            so_far.callback(shutil.rmtree, self.folder)
            for name in ("crds", "deploy", "docs", "tests", "charts"):
                if (ROOT / name).exists():
                    (self.folder / name).symlink_to(ROOT / name)
            self.simulated = Simulated(self.bell)
            so_far.callback(self._end_well, "the simulated cloud", self.simulated)
            # A page may choose another namespace for all commands that follow.
            self.kubeconfig = self.folder / ".kubeconfig"
            self.kubeconfig.write_bytes(pathlib.Path(self.cluster.kubeconfig).read_bytes())
            if self.page.has_operator:
                self.cluster.install()
                self.operator = Operator(self.cluster.operator_kubeconfig(), self.bell, self.told)
                so_far.callback(self._end_well, "the operator", self.operator)
                self.operator.starts()
            self._to_end = so_far.pop_all()
        return self

    def __exit__(self, *failure):
        return self._to_end.__exit__(*failure)

    @staticmethod
    def _end_well(name, what):
        status = what.end()
        if status != 0:
            raise NotTrue(f"{name} did not end well: status {status}")

    def play(self, block):
        """Does what a step of the page says; NotTrue where it fails or shows something else."""
        text = self._named(self.page.real(block.text))
        if block.language == "cloud":
            return self._call(text)
        if block.language == "json":
            return self._read(text)
        if block.language == "first":
            return self._shell(text)
        if "file" in block.asked:
            return (self.folder / block.asked["file"]).write_text(self._simulated(text))
        if "patch" in block.asked:
            return self._patch(self.page.real(block.asked["patch"]), text)
        if block.language == "yaml":
            return self._shell("kubectl apply -f -", self._simulated(text))
        if block.language == "sh":
            return self._shell(self._simulated(text))
        for command, answer in exchanges(text):
            self._answers(command, answer)

    def _named(self, text):
        """With the ids of those that the world has got last."""
        if "{service}" in text or "{endpoint}" in text:
            world = self.simulated.world()
            for word, found in (("{service}", world["services"]), ("{endpoint}", world["endpoints"])):
                if word in text and not found:
                    raise NotTrue(f"the world has no {word} yet")
                text = text.replace(word, found[-1]["id"] if found else word)
        return text

    @staticmethod
    def _read(text):
        try:
            json.loads(text)
        except ValueError as malformed:
            raise NotTrue(f"no JSON: {malformed}") from None

    def _simulated(self, text):
        address = f"http://{self.simulated.address}"
        endpoints = f'alibaba: {{endpoints: {{privatelink: "{address}", sts: "{address}"}}}}'
        return REAL.sub(lambda found: found["indent"] + endpoints, text)

    def _shell(self, command, stdin=""):
        environment = {
            **os.environ,
            "KUBECONFIG": str(self.kubeconfig),
            "HOME": str(self.folder),
            "SIMULATED": self.simulated.address,
            "PATH": f"{pathlib.Path(self.cluster.program).parent}{os.pathsep}{os.environ['PATH']}",
        }
        try:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", command],
                input=stdin,
                capture_output=True,
                cwd=self.folder,
                env=environment,
                text=True,
                timeout=2 * PATIENCE,
            )
        except subprocess.TimeoutExpired:
            raise NotTrue(f"it has not ended in {2 * PATIENCE} s") from None
        if done.returncode != 0:
            raise NotTrue(f"status {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
        # kubectl says there that there is nothing.
        return done.stdout or done.stderr

    def _answers(self, command, wanted):
        shape = pattern(wanted)
        until = time.monotonic() + ((SOON if self._only_shows else PATIENCE) if QUESTIONS.match(command) else 0)
        while True:
            answer = self._shell(command).strip()
            if shape.fullmatch(answer):
                return
            if time.monotonic() >= until and self._only_shows:
                print(f"$ {command}\n{answer}", flush=True)
                return
            if time.monotonic() >= until:
                raise NotTrue(f"{command}\nanswers\n{answer}\nand the page shows\n{wanted}")
            time.sleep(AGAIN)

    def _patch(self, which, text):
        kind, name, *elsewhere = which.split()
        # A part of a spec is shown as it stands there, with or without the word.
        lines = text.splitlines()
        indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
        part = "".join(f"{line[indent:]}\n" for line in lines)
        if not re.search(r"^spec:", part, re.MULTILINE):
            part = "spec:\n" + "".join(f"  {line}\n" for line in part.splitlines())
        # Where a list is merged by names, only kinds of Kubernetes' own know by which.
        form = "strategic" if kind == "deployment" else "merge"
        command = ["kubectl", "patch", kind, name, *elsewhere, "--type", form, "--patch-file", "/dev/stdin"]
        self._shell(shlex.join(command), self._simulated(part))

    def _call(self, text):
        if text == "settles":
            return self.simulated.settle()
        account, action, form = text.split(" ", 2)
        self.simulated.accounts[int(account)](action, **json.loads(form))
