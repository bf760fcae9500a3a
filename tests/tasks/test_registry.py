"""The registry is the folders; each robot is what its task's README says."""

from __future__ import annotations

from pathlib import Path

import mujoco
import pytest

import kilogym.tasks
from kilogym.tasks.registry import UnknownTaskError, get_task, task_names

FOLDER = Path(kilogym.tasks.__file__).parent


def test_every_folder_is_a_task_with_its_papers() -> None:
    folders = {p.name for p in FOLDER.iterdir() if (p / "__init__.py").is_file()}
    assert set(task_names()) == folders
    for name in folders:
        assert get_task(name).summary
        assert (FOLDER / name / "README.md").read_text().startswith("# ")


def test_unknown_task_names_the_nearest() -> None:
    with pytest.raises(UnknownTaskError, match=r"no task named 'Ants'; did you mean 'ant'.*cartpole"):
        get_task("Ants")


@pytest.mark.parametrize(
    ("file", "dofs", "motors", "mass"), [("ant", 14, 8, (0.7, 1.1)), ("humanoid", 27, 21, (35.0, 50.0))]
)
def test_robots(file: str, dofs: int, motors: int, mass: tuple[float, float]) -> None:
    model = mujoco.MjModel.from_xml_path(str(FOLDER / file / f"{file}.xml"))
    assert (model.nv, model.nu) == (dofs, motors)
    assert mass[0] < model.body_mass.sum() < mass[1]
    # every hinge has a motor, in DOF order
    assert [model.actuator_trnid[i, 0] for i in range(model.nu)] == list(range(1, model.njnt))


def test_the_arm_of_the_examples() -> None:
    model = mujoco.MjModel.from_xml_path(str(FOLDER.parents[2] / "examples" / "arm7.urdf"))
    assert model.njnt == 7
