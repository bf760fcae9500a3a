"""Run the physics tests, print the table of their measured numbers, and write it into docs/physics.md.

    python benchmarks/physics_table.py [--device cpu] [--fast] [--check]

--fast leaves out the slow tests; --check prints without writing. Numbers come from the tests' `measure`.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "physics.md"
START, END = "<!-- table -->", "<!-- end of table -->"


class Collector:
    """Keeps every number that `measure` recorded, in order; the last one of a name counts."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], tuple[float, float, str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call":
            return
        for name, value in report.user_properties:
            if name == "measured":
                case, what, number, bar, unit = value
                test = report.nodeid.split("[")[0].rsplit("/", 1)[-1].replace(".py::test_", "::")
                self.rows[case, what] = (number, bar, unit, test.removeprefix("test_"))


def table(rows: dict[tuple[str, str], tuple[float, float, str, str]]) -> str:
    """Markdown: case, measure, number, bar, met or missed, test."""
    lines = ["| case | measure | measured | bar | | test |", "|---|---|---|---|---|---|"]
    for (case, what), (number, bar, unit, test) in rows.items():
        met = "" if abs(number) <= bar else "**missed**"
        name = f"{case} | {what}".replace("|E - E0|", "abs(E - E0)")
        lines.append(f"| {name} | {number:.2g} {unit} | {bar:.2g} | {met} | {test} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    collector = Collector()
    arguments = [str(ROOT / "tests" / "physics"), "-q", "-p", "no:cacheprovider", f"--device={options.device}"]
    code = pytest.main(arguments + ([] if options.fast else ["--slow"]), plugins=[collector])
    text = table(collector.rows)
    print(text)
    if not options.check:
        page = PAGE.read_text()
        if START not in page or END not in page:
            print(f"{PAGE}: expected the marks {START} and {END}, found none; nothing written", file=sys.stderr)
            return 1
        pattern = re.escape(START) + ".*?" + re.escape(END)
        PAGE.write_text(re.sub(pattern, lambda _: f"{START}\n{text}\n{END}", page, flags=re.DOTALL))
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
