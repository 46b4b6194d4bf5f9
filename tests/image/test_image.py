"""The image does alone what is promised of it: its files are laid into an empty folder, which becomes the root of one
process under the image's user, and nothing of this machine is in there."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

from layout import Layout
from neighbours import ApiServer, Names, switch_loopback_on

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = "usr/local/bin/privatelink-operator"
TRUSTED = "etc/ssl/certs/ca-certificates.crt"
PARTS = "usr/local/share/sbom/privatelink-operator.cdx.json"
#: All that is in it.
FILES = {PROGRAM, TRUSTED, PARTS, "etc/nsswitch.conf", "usr/local/share/doc/privatelink-operator/LICENSE"}
#: Where Kubernetes mounts what a pod knows of its API server.
ACCOUNT = "var/run/secrets/kubernetes.io/serviceaccount"
#: Longest that the program may take for something that takes it milliseconds, in seconds.
PATIENCE = 60

image = root = members = None


def setUpModule():
    global image, root, members
    switch_loopback_on()
    image = Layout(os.environ["IMAGE"])
    # Others than root have to come through to it.
    root = pathlib.Path(tempfile.mkdtemp(prefix="image-"))
    root.chmod(0o755)
    members = image.unpack(root)


def tearDownModule():
    shutil.rmtree(root)


def container(*words, at=None, **variables):
    """How the program is started with the image as its world, as whom it says."""
    at = at or root
    user = int(image.configuration["config"]["User"].partition(":")[0])
    # As root of this machine, or in a user namespace, which has nobody else.
    is_root = pathlib.Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]
    command = ["/usr/sbin/chroot"]
    if is_root:
        command += [f"--userspec={user}:{user}", "--groups="]
    command += [str(at), *image.configuration["config"]["Entrypoint"], *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables)


def said(*words, **how):
    """What the program prints; it ends well."""
    with container(*words, **how) as process:
        out, wrong = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, f"{words}: status {process.returncode}: {wrong}"
    return out


class Configuration(unittest.TestCase):
    def test_it_runs_as_a_user_who_is_not_root_and_has_a_number(self):
        self.assertRegex(image.configuration["config"]["User"], r"^[1-9]\d*:[1-9]\d*$")

    def test_it_runs_the_operator(self):
        self.assertEqual(image.configuration["config"]["Entrypoint"], [f"/{PROGRAM}"])
        self.assertEqual(image.configuration["config"]["Cmd"], ["run"])

    def test_its_labels_say_what_it_is_and_of_which_commit(self):
        labels = image.configuration["config"]["Labels"]
        said_of = {name.removeprefix("org.opencontainers.image."): text for name, text in labels.items()}
        wanted = ["created", "description", "licenses", "revision", "title", "version"]
        self.assertEqual(sorted(said_of), wanted)
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
        self.assertEqual(said_of["revision"].removesuffix("-dirty"), head.stdout.strip())
        self.assertEqual(said_of["licenses"], "Apache-2.0")
        self.assertIn(said_of["version"], said("--version"))
        self.assertEqual(image.configuration["created"], said_of["created"])

    def test_its_history_bears_no_time_but_that_of_the_commit(self):
        times = {member.mtime for member in members.values()}
        times |= {one["created"] for one in image.configuration["history"]}
        self.assertEqual(len(times), 2, times)


class Files(unittest.TestCase):
    def test_nothing_else_is_in_it(self):
        self.assertEqual({name for name, member in members.items() if not member.isdir()}, FILES)

    def test_its_user_can_write_none_of_it_and_become_nobody_else(self):
        for name, member in members.items():
            with self.subTest(name):
                self.assertEqual((member.uid, member.gid), (0, 0))
                self.assertEqual(member.mode & 0o7022, 0, oct(member.mode))

    def test_the_program_needs_no_other_file(self):
        headers = subprocess.run(["readelf", "-lW", root / PROGRAM], capture_output=True, text=True, check=True).stdout
        needs = subprocess.run(["readelf", "-dW", root / PROGRAM], capture_output=True, text=True, check=True).stdout
        self.assertIn("LOAD", headers)
        self.assertNotIn("INTERP", headers)
        self.assertNotIn("NEEDED", needs)

    def test_the_program_says_nothing_of_the_machine_that_compiled_it(self):
        program = (root / PROGRAM).read_bytes()
        for folder in {str(ROOT), str(pathlib.Path.home() / ".cargo")}:
            with self.subTest(folder):
                self.assertNotIn(folder.encode() + b"/", program)

    def test_its_manifests_are_those_of_the_checkout(self):
        shipped = (ROOT / "crds").glob("*.yaml")
        printed = said("crds")
        for file in sorted(shipped):
            body = file.read_text().partition("apiVersion:")[2].strip()
            with self.subTest(file.name):
                self.assertTrue(body in printed, "the program prints another one")


class Parts(unittest.TestCase):
    def setUp(self):
        self.parts = json.loads((root / PARTS).read_text())
        self.named = {(one["name"], one["version"]) for one in self.parts["components"]}

    def test_all_that_is_linked_is_listed(self):
        words = ["cargo", "tree", "--locked", "--package", "privatelink-operator", "--edges", "normal,no-proc-macro"]
        words += ["--target", self.target(), "--prefix", "none", "--format", "{p}"]
        tree = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        linked = set(re.findall(r"^(\S+) v(\S+)", tree, re.MULTILINE)) - {self.itself()}
        self.assertGreater(len(linked), 100)
        self.assertEqual(linked - self.named, set())

    def test_nothing_is_listed_that_is_not_locked(self):
        lock = (ROOT / "Cargo.lock").read_text()
        locked = set(re.findall(r'^name = "(.+)"\nversion = "(.+)"$', lock, re.MULTILINE))
        self.assertEqual(self.named - locked, set())

    def test_each_part_from_elsewhere_has_its_checksum_and_its_licence(self):
        for one in self.parts["components"]:
            with self.subTest(one["name"]):
                self.assertTrue(one["licenses"])
                if one["bom-ref"].startswith("registry+"):
                    self.assertEqual([each["alg"] for each in one["hashes"]], ["SHA-256"])

    def test_it_says_nothing_of_the_machine_it_was_made_on(self):
        self.assertNotIn(tempfile.gettempdir() + "/", json.dumps(self.parts).replace("file:///source", ""))
        self.assertNotIn(str(ROOT), json.dumps(self.parts))

    def itself(self):
        found = self.parts["metadata"]["component"]
        return found["name"], found["version"]

    def target(self):
        (target,) = [one["value"] for one in self.parts["metadata"]["properties"] if one["name"].endswith("triple")]
        return target


class Running(unittest.TestCase):
    """In a pod: Kubernetes mounts who serves names, this machine's own names, and how the API server is reached."""

    def setUp(self):
        folder = tempfile.mkdtemp(prefix="pod-")
        self.addCleanup(shutil.rmtree, folder)
        self.pod = pathlib.Path(folder)
        self.pod.chmod(0o755)
        for name in FILES:
            (self.pod / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, self.pod / name)
        # What every runtime mounts, by the OCI's specification; the others of them nobody here asks for.
        for device in ("random", "urandom"):
            there = self.pod / "dev" / device
            there.parent.mkdir(exist_ok=True)
            there.touch()
            subprocess.run(["mount", "--bind", f"/dev/{device}", there], check=True)
            self.addCleanup(subprocess.run, ["umount", there], check=True)
        self.server = ApiServer(folder, ["api.in-hosts", "api.infra.svc.cluster.test", "localhost"])
        self.addCleanup(self.server.end)
        self.names = Names({"api.infra.svc.cluster.test": "127.0.0.1"})
        self.addCleanup(self.names.end)
        account = self.pod / ACCOUNT
        account.mkdir(parents=True)
        (account / "token").write_text("the-pods-own")
        (account / "namespace").write_text("infra")
        shutil.copy(self.server.authority, account / "ca.crt")
        (self.pod / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.0.1 api.in-hosts\n")
        search = "search infra.svc.cluster.test svc.cluster.test cluster.test"
        (self.pod / "etc/resolv.conf").write_text(f"{search}\nnameserver 127.0.0.1\noptions ndots:5\n")

    def run_towards(self, host, *words):
        variables = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": str(self.server.port)}
        words = ["run", "--admin-listen", "127.0.0.1:0", "--log-format", "json", *words]
        return container(*words, at=self.pod, **variables)

    def reaches(self, host):
        with self.run_towards(host) as process:
            # It is answered that the API server cannot now, and so it ends and says so.
            _, log = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 1, log)
        asked = (f"{host}:{self.server.port}", "/api/v1/namespaces/kube-system", "Bearer the-pods-own")
        self.assertIn(asked, self.server.asked, log)
        self.assertIn("not now", log)

    def test_it_resolves_this_machine_and_speaks_tls(self):
        self.reaches("localhost")

    def test_it_resolves_a_name_of_the_hosts_file_and_speaks_tls(self):
        self.reaches("api.in-hosts")
        self.assertEqual(self.names.asked, [])

    def test_it_asks_the_server_of_names_and_speaks_tls(self):
        self.reaches("api.infra.svc.cluster.test")
        self.assertIn("api.infra.svc.cluster.test", self.names.asked)

    def test_a_short_name_is_searched_for_in_the_clusters_domains(self):
        # No certificate is for it: that it is not believed shows that it was found.
        with self.run_towards("api") as process:
            _, log = process.communicate(timeout=PATIENCE)
        self.assertIn("api.infra.svc.cluster.test", self.names.asked)
        self.assertEqual(process.returncode, 1)
        self.assertEqual(self.server.asked, [], log)
        self.assertTrue(self.server.doubted.wait(PATIENCE), log)

    def test_who_has_no_name_is_not_reached(self):
        with self.run_towards("nobody.example") as process:
            _, log = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 1)
        self.assertIn("nobody.example", self.names.asked)
        self.assertEqual(self.server.asked, [], log)
        self.assertIn("Connect", log)

    def test_it_finds_whom_it_trusts_and_does_not_start_without(self):
        os.remove(self.pod / TRUSTED)
        with self.run_towards("localhost") as process:
            _, log = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 1)
        self.assertIn("check that the image holds CA certificates", log)
        self.assertEqual(self.server.asked, [])

    def test_each_certificate_that_it_trusts_is_whole_and_it_runs_until_it_is_told_to_end(self):
        words = ["--cluster-id", "image", "--extra-ca", f"/{TRUSTED}"]
        with self.run_towards("localhost", *words) as process:
            begins = threading.Event()
            lines = []

            def read():
                for line in process.stderr:
                    lines.append(line)
                    if '"starting"' in line:
                        begins.set()
                begins.set()

            reader = threading.Thread(target=read)
            reader.start()
            self.assertTrue(begins.wait(PATIENCE))
            self.assertTrue(self.server.rung.wait(PATIENCE))
            process.terminate()
            status = process.wait(PATIENCE)
            reader.join()
        (starting,) = [json.loads(line) for line in lines if '"starting"' in line]
        self.assertGreater(starting["extra_ca"], 100)
        self.assertEqual(status, 0, "".join(lines))


if __name__ == "__main__":
    unittest.main()
