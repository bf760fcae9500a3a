"""The Panda's tool point, targets and reward."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import mujoco
import numpy as np
import pytest
import torch

from kilogym.assets.packages import example_robot_file
from kilogym.tasks.franka import ARM, FILE, FINGER, REST
from kilogym.tasks.franka_reach.task import FrankaReach, FrankaReachConfig, reward
from kilogym.tasks.registry import make_task
from kilogym.tasks.robots import with_drives


def reach(device: str, **changes: object) -> FrankaReach:
    task = make_task("franka_reach", 4, device, 0, FrankaReachConfig(**changes))  # type: ignore[arg-type]
    assert isinstance(task, FrankaReach)
    return task


def test_reward() -> None:
    cfg = FrankaReachConfig(near=0.15, exact=0.02, action_cost=0.01)
    actions = torch.zeros(3, 7)
    actions[2, :2] = torch.tensor([0.6, -0.8])
    got = reward(torch.tensor([0.0, 0.15, 0.02]), actions, cfg)
    far, close = 1 / (1 + (0.15 / 0.02) ** 2), 1 / (1 + (0.02 / 0.15) ** 2)
    torch.testing.assert_close(got, torch.tensor([1.0, 0.5 * (0.5 + far), 0.5 * (close + 0.5) - 0.01]))


def test_the_tool_is_where_mujoco_says(device: str) -> None:
    task = reach(device, start_dof_noise=0.5)
    text = example_robot_file(FILE).read_text()
    # the meshes' paths are a package's: MuJoCo is given the joints alone
    model = mujoco.MjModel.from_xml_string(without_meshes(text))
    data = mujoco.MjData(model)
    order = [model.joint(name).qposadr[0] for name in task.arm.dof_names()]
    for env in range(4):
        data.qpos[order] = task.dof_pos[env].cpu().numpy()
        mujoco.mj_forward(model, data)
        bodies = [data.body(name) for name in ("panda_leftfinger", "panda_rightfinger")]
        want = 0.5 * (bodies[0].xpos + bodies[1].xpos) + bodies[0].xmat.reshape(3, 3) @ [0, 0, FINGER]
        np.testing.assert_allclose(task.tool()[env].cpu().numpy(), want, atol=1e-5)


def without_meshes(urdf: str) -> str:
    root = ElementTree.fromstring(urdf)
    for link in root.iter("link"):
        for tag in ("visual", "collision"):
            for item in link.findall(tag):
                link.remove(item)
    extension = ElementTree.SubElement(root, "mujoco")
    ElementTree.SubElement(extension, "compiler", fusestatic="false", balanceinertia="true", boundmass="1e-3",
                           boundinertia="1e-6")  # fmt: skip
    return ElementTree.tostring(root, encoding="unicode")


def test_the_hand_points_down_at_rest(device: str) -> None:
    task = reach(device, start_dof_noise=0.0)
    assert task.dof_pos[0].tolist() == pytest.approx(list(REST))
    x, y, z = task.tool()[0].tolist()
    assert abs(y) < 1e-3
    assert 0.25 < x < 0.6
    assert 0.3 < z < 0.6


def test_an_action_moves_its_joint_as_fast_as_it_says(device: str) -> None:
    task = reach(device, start_dof_noise=0.0)
    actions = torch.zeros(4, 7, device=task.device)
    actions[:, 0] = 0.5
    for _ in range(30):
        task.step(actions)
    # 0.75 rad/s for a second, and the drive lags by damping / stiffness of the speed
    assert task.targets[0, 0].item() == pytest.approx(0.75, rel=1e-5)
    assert task.dof_pos[0, 0].item() == pytest.approx(0.75 - 0.075, abs=0.02)
    assert (task.dof_pos[0, 1:ARM].cpu() - torch.tensor(REST[1:ARM])).abs().max() < 0.02


def test_targets_stop_at_the_limits(device: str) -> None:
    task = reach(device)
    for _ in range(100):
        task.step(torch.ones(4, 7, device=task.device))
    assert torch.equal(task.targets[:, :ARM], task.upper[:ARM].repeat(4, 1))


def test_goals_lie_in_their_box(device: str) -> None:
    task = reach(device, target_middle=(0.5, 0.0, 0.5), target_half=(0.1, 0.2, 0.0))
    assert (task.goal[:, 2] == 0.5).all()
    assert ((task.goal[:, 0] - 0.5).abs() <= 0.1).all()
    assert ((task.goal[:, 1]).abs() <= 0.2).all()


def test_drives_by_name_leave_other_joints_alone(device: str) -> None:
    arm = reach(device).arm
    changed = with_drives(arm, stiffness={"panda_joint1": 7.0}, friction=0.5)
    assert [j.stiffness for j in changed.dof_joints()][:2] == [7.0, 400.0]
    assert {j.friction for j in changed.dof_joints()} == {0.5}
    assert all(j.drive_mode == 1 for j in changed.dof_joints())
