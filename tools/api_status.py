"""Write docs/isaacgym-methods.md: which of the methods of Isaac Gym's `Gym` are done.

    python tools/api_status.py            write the page
    python tools/api_status.py --check    only say whether it is current; exit status 1 if not

Everything on the page is derived from the code: the methods of `isaacgym.gymapi.Gym` and the marks that those which
are not built carry (`isaacgym.gymapi.gym.status`).
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from isaacgym.gymapi import Gym
from isaacgym.gymapi.gym.status import MISSING, WITHOUT_EFFECT

PAGE = Path(__file__).resolve().parents[1] / "docs" / "isaacgym-methods.md"


def methods() -> list[str]:
    """Names of all public methods of Gym, sorted."""
    return sorted(name for name in dir(Gym) if not name.startswith("_"))


def by_reason(marks: dict[str, str]) -> str:
    """A table of reasons and the methods that have them."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, reason in marks.items():
        groups[reason].append(f"`{name}`")
    rows = [f"| {reason} | {', '.join(sorted(names))} |" for reason, names in sorted(groups.items())]
    return "\n".join(["| why | methods |", "|---|---|", *rows])


def page() -> str:
    """The page as it should be."""
    every = methods()
    done = [name for name in every if name not in MISSING and name not in WITHOUT_EFFECT]
    return f"""# Methods of `Gym`: what is done

Written by `tools/api_status.py` from the code; a test holds it current. All {len(every)} methods of Isaac Gym exist
with their published signatures.

| | |
|---|---|
| done | {len(done)} |
| accepted, without an effect on the simulation | {len(WITHOUT_EFFECT)} |
| raise `NotImplementedError` | {len(MISSING)} |
| all | {len(every)} |

## Accepted, without an effect

{by_reason(WITHOUT_EFFECT)}

## Not built

{by_reason(MISSING)}
"""


def main() -> int:
    """Write the page, or check it."""
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page())
        return 0
    if PAGE.read_text() == page():
        return 0
    print(f"{PAGE} is out of date: run python tools/api_status.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
