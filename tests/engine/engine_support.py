"""What the tests of this folder share: the benches of kilogym.validation, and the robots of the repository."""

from __future__ import annotations

from pathlib import Path

from kilogym.assets.asset import FLT_MAX  # noqa: F401
from kilogym.scene.compile import compile_scene  # noqa: F401
from kilogym.scene.declarations import Scene  # noqa: F401
from kilogym.validation.batch_world import BatchWorld as World  # noqa: F401
from kilogym.validation.batch_world import is_double  # noqa: F401
from kilogym.validation.oracle import (  # noqa: F401
    Oracle,
    TreeState,
    displace,
    same_state,
    skew,
    to_mujoco,
    with_velocity,
    wxyz,
    xyzw,
)
from kilogym.validation.trees import FREE, bare, load, load_text, random_inertia, random_quat, random_tree  # noqa: F401

ROOT = Path(__file__).parents[2]
ANT = ROOT / "src/kilogym/tasks/ant/ant.xml"
HUMANOID = ROOT / "src/kilogym/tasks/humanoid/humanoid.xml"
CARTPOLE = ROOT / "src/kilogym/tasks/cartpole/cartpole.urdf"
ARM7 = ROOT / "examples/arm7.urdf"
