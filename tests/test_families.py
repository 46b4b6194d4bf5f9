"""The runner notices what it is there to notice."""

import pathlib
import sys
import unittest

import families
from families import CARGO_PROGRAM, CARGO_RESULT, Family, Run, complaints, passed

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "demo"))

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "docs"))

import links  # noqa: E402
from narrator import Narrator  # noqa: E402
from page import Malformed, Page, exchanges, pattern  # noqa: E402
from summary import Summary  # noqa: E402


def run(status=0, *of):
    made = Run("Runner")
    made.status, made.families = status, list(of)
    return made


class Complaints(unittest.TestCase):
    def said(self, made, recorded):
        return list(complaints([made], recorded))

    def test_nothing_is_said_when_all_ran(self):
        self.assertEqual(self.said(run(0, Family("a", 3)), {"a": 3}), [])

    def test_a_failed_runner_is_noticed(self):
        self.assertEqual(self.said(run(1, Family("a", 3)), {"a": 3}), ["Runner ended with status 1"])

    def test_failed_and_skipped_tests_are_noticed(self):
        said = self.said(run(0, Family("a", 3, failed=1, skipped=2)), {"a": 3})
        self.assertEqual(said, ["a: 1 failed", "a: 2 skipped: a test runs or is removed"])

    def test_a_lost_family_and_a_shrunk_one_are_noticed(self):
        said = self.said(run(0, Family("a", 2)), {"a": 3, "b": 1})
        self.assertIn("a: 2 passed, fewer than the 3 recorded in tests/counts.json", said)
        self.assertIn("b: did not run, 1 recorded in tests/counts.json", said)

    def test_a_new_family_must_be_recorded(self):
        said = self.said(run(0, Family("a", 2)), {})
        self.assertEqual(said, ["a: not recorded in tests/counts.json: run tests/families.py --record"])

    def test_programs_of_one_name_are_counted_together_and_empty_ones_not_at_all(self):
        self.assertEqual(passed([Family("a", 2), Family("a", 3), Family("b", 0)]), {"a": 5})


class Lines(unittest.TestCase):
    def test_a_library_and_a_binary_of_one_name_are_two_programs(self):
        lines = [
            "     Running unittests src/lib.rs (target/debug/deps/privatelink_sim-5d65ce882d6cbc10)",
            "     Running unittests src/main.rs (target/debug/deps/privatelink_sim-6d65ce882d6cbc10)",
            "     Running tests/it/main.rs (target/debug/deps/sim_it-7d65ce882d6cbc10)",
        ]
        named = [CARGO_PROGRAM.match(line).group("source", "name") for line in lines]
        self.assertEqual(len(set(named)), 3)

    def test_cargos_result_is_read(self):
        line = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.1s"
        self.assertEqual(CARGO_RESULT.match(line).group("passed", "ignored", "filtered"), ("12", "1", "2"))

    def test_where_and_why_a_test_has_failed_is_said_again_at_the_end(self):
        made = Run("Rust")
        read = families.rust_reader(made)
        for line in [
            "test a::b ... FAILED",
            "thread 'a::b' (4066) panicked at tests/it/a.rs:105:5:",
            "assertion failed",
            "stack backtrace:",
            "   0: __rustc::rust_begin_unwind",
        ]:
            read(line)
        self.assertEqual(made.closing, ["thread 'a::b' (4066) panicked at tests/it/a.rs:105:5:", "assertion failed"])

    def test_pytests_closing_line_is_read(self):
        closing = families.PYTEST_CLOSING.match("===== 2 failed, 409 passed, 1 skipped in 29.79s =====")
        counts = {one["verdict"]: one["count"] for one in families.PYTEST_COUNT.finditer(closing["said"])}
        self.assertEqual(counts, {"failed": "2", "passed": "409", "skipped": "1"})


class Demo(unittest.TestCase):
    def test_its_steps_are_read_those_that_were_not_reached_among_them(self):
        made = Summary(["A begins", "B does not come true", "C is not reached"])
        made.passed(1.5)
        made.failed(90.0)
        steps = [families.STEP.match(line) for line in made.lines(Narrator())]
        self.assertEqual([step["verdict"] for step in steps], ["PASS", "FAIL", "FAIL"])
        self.assertFalse(made.is_good)

    def test_what_is_told_on_the_way_is_no_step(self):
        for line in ("FAIL: waited 90 s in vain", "  12.3  you       kubectl apply -f PASS  1.yaml", "PASSED"):
            self.assertIsNone(families.STEP.match(line), line)


class Documents(unittest.TestCase):
    def test_an_answer_may_have_other_ids_times_ages_and_columns(self):
        shown = pattern("NAME   ID         AGE\na      ep-bp1x    8s   2026-01-01T00:00:00Z")
        self.assertTrue(shown.fullmatch("NAME ID          AGE\na    ep-0other   2m31s 2031-12-31T23:59:59Z"))

    def test_an_answer_that_says_something_else_is_noticed(self):
        shown = pattern("NAME  READY  AGE\na     True   8s")
        self.assertFalse(shown.fullmatch("NAME  READY  AGE\na     False  8s"))
        self.assertFalse(shown.fullmatch("NAME  READY  AGE\na     True   8s\nb     True   8s"))

    def test_a_console_has_commands_and_what_they_answer(self):
        found = exchanges("$ kubectl get \\\n  pls\nNAME\na\n$ true\n")
        self.assertEqual(found, [("kubectl get \\\n  pls", "NAME\na"), ("true", "")])

    def test_blocks_are_found_with_what_is_said_of_them(self):
        page = Page("a.md", "<!-- played -->\n1. One:\n\n   <!-- file: b.yaml -->\n   ```yaml\n   a:\n     b\n   ```\n")
        (block,) = page.steps
        self.assertTrue(page.is_played)
        self.assertEqual((block.line, block.text, block.asked), (5, "a:\n  b\n", {"file": "b.yaml"}))

    def test_what_cannot_be_meant_is_refused(self):
        refused = {
            "said of no block": "<!-- not run: why -->\ntext\n",
            "no reason": "<!-- not run: -->\n```sh\n```\n",
            "nothing known": "<!-- notrun: why -->\n",
            "no end": "```sh\ntrue\n",
        }
        for why, text in refused.items():
            with self.subTest(why), self.assertRaises(Malformed):
                Page("a.md", text)

    def test_links_that_lead_nowhere_are_noticed(self):
        root = pathlib.Path(__file__).resolve().parent.parent
        text = "[a](README.md) [b](README.md#nowhere) [c](nothing.md) [d](#here) [e](https://example.com)\n\n# Here\n"
        found = list(links.broken(root, root / "a.md", text.replace("(#here)", "(CONTRIBUTING.md#test-levels)")))
        self.assertEqual(found, ["README.md#nowhere: it has no #nowhere", "nothing.md: there is no nothing.md"])


if __name__ == "__main__":
    unittest.main()
