"""Couplings beside MuJoCo's equality constraints, and what a step promises: same bits, closed envs."""

from __future__ import annotations

import dataclasses

import mujoco
import numpy as np
import pytest
import torch
from coupled import coupled_ant

from kilogym.engine.couplings import coupling_rows
from kilogym.scene.declarations import GroundPlane
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.trees import load, load_text
from kilogym.validation.zoo import ANT

CHAIN = """
<mujoco><compiler angle="radian"/>
<option integrator="RK4"><flag contact="disable"/></option>
<worldbody><body name="a"><joint name="ja" axis="0 1 0" pos="0 0 0"/>
  <inertial pos="0.05 0 0.1" mass="0.5" diaginertia="0.004 0.005 0.002"/>
  <body name="b" pos="0 0 0.2"><joint name="jb" axis="0 1 0.2"/>
    <inertial pos="0.2 0.02 0" mass="0.8" diaginertia="0.002 0.012 0.011"/>
    <body name="c" pos="0.4 0 0"><joint name="jc" axis="0.1 1 0"/><joint name="jd" axis="1 0 0.3"/>
      <joint name="je" axis="0 0.2 1"/>
      <inertial pos="0 0.01 -0.15" mass="0.6" diaginertia="0.006 0.005 0.002"/></body></body>
  <body name="d" pos="0.1 0.3 0"><joint name="jf" type="slide" axis="0 0 1" ref="0.1"/>
    <inertial pos="0 0 0" mass="0.7" diaginertia="0.003 0.003 0.003"/></body></body>
</worldbody>%s</mujoco>"""

HARD = "solref='-1e7 -2e4' solimp='0.9999 0.9999 0.001'"
"""As near to rigid as MuJoCo's own constraints come at its time step here."""
CASES = {
    "joint": f"<equality><joint joint1='jb' joint2='ja' polycoef='0 -1.5 0.8 0.2 0' {HARD}/></equality>",
    "joint-fixed": f"<equality><joint joint1='jd' polycoef='0.0 1 0 0 0' {HARD}/></equality>",
    "slide-ref": f"<equality><joint joint1='jf' joint2='ja' polycoef='0 0.5 0.3 0 0' {HARD}/></equality>",
    "connect": f"<equality><connect body1='c' body2='world' anchor='0 0 -0.3' {HARD}/></equality>",
    "connect-bodies": f"<equality><connect body1='c' body2='d' anchor='-0.2 0.1 -0.1' {HARD}/></equality>",
    "weld": f"<equality><weld body1='a' body2='c' {HARD}/></equality>",
    "tendon": "<tendon><fixed stiffness='30' damping='0.2' springlength='0.1'><joint joint='ja' coef='1.5'/>"
    "<joint joint='jc' coef='-0.7'/><joint joint='jf' coef='4'/></fixed></tendon>",
}


@pytest.mark.filterwarnings("ignore::kilogym.assets.diagnostics.AssetWarning")
@pytest.mark.parametrize("case", CASES)
def test_motion_beside_mujoco(case, device, tmp_path):
    """A quarter of a second from a state on the constraint. The worst is the stiff tendon: 4e-4, of order dt^2."""
    text = CHAIN % CASES[case]
    m = mujoco.MjModel.from_xml_string(text)
    d = mujoco.MjData(m)
    world = BatchWorld([load_text(text, tmp_path)], 1, device, "float64")
    steps, every, fine = 240, 1 / 960, 10
    m.opt.timestep = every / fine
    world.batch.control.dt = every
    assert world.model.num_dofs == m.nv
    q, v = m.qpos0.copy(), np.array([0.6, -0.9, 0.4, 0.3, -0.2, 0.5])
    d.qpos[:], d.qvel[:] = q, v
    mujoco.mj_forward(m, d)
    if d.nefc:  # onto the constraint
        jac = np.zeros((d.nefc, m.nv))
        if mujoco.mj_isSparse(m):
            mujoco.mju_sparse2dense(jac, d.efc_J, d.efc_J_rownnz, d.efc_J_rowadr, d.efc_J_colind)
        else:
            jac[:] = d.efc_J.reshape(d.nefc, m.nv)
        v -= np.linalg.pinv(jac) @ (jac @ v)
    d.qvel[:] = v
    state = world.state()
    state["dof_pos"][:], state["dof_vel"][:] = q, v
    world.set_state(state)
    apart = 0.0
    for _ in range(steps):
        world.batch.step()
        for _ in range(fine):
            mujoco.mj_step(m, d)
        apart = max(apart, float(np.abs(world.state()["dof_pos"][0] - d.qpos).max()))
    moved = float(np.abs(d.qpos - q).max())
    free = BatchWorld([load_text(CHAIN % "", tmp_path, "free.xml")], 1, device, "float64")
    free.batch.control.dt = every
    free.set_state(state)
    for _ in range(steps):
        free.batch.step()
    without = float(np.abs(free.state()["dof_pos"] - world.state()["dof_pos"]).max())
    assert moved > 0.1, "nothing moves"
    assert without > 0.02, "the constraint does nothing"
    assert apart < 1e-3, apart


TABLES = ("state", "output", "_warm")


def coupled(envs: int, device: str, **options) -> BatchWorld:
    """Ants with every kind of coupling, that fall onto the ground, each with a target of its own."""
    asset, attractors = coupled_ant()
    world = BatchWorld([asset], envs, device, ground=GroundPlane(), attractors=attractors, **options)
    world.batch.expand("attractor_target")
    return world


def throw(world: BatchWorld, seed: int = 3) -> dict[str, np.ndarray]:
    """States and targets of envs, drawn one after another so that more envs change nothing for the first."""
    state = {name: np.zeros_like(values) for name, values in world.state().items()}
    for env in range(world.num_envs):
        rng = np.random.default_rng((seed, env))
        state["root_pos"][env] = rng.normal(size=3) * 0.05 + [0, 0, 0.5]
        state["root_quat"][env] = (quat := rng.normal(size=4)) / np.linalg.norm(quat)
        state["dof_vel"][env] = rng.normal(size=world.model.num_dofs)
        world.batch.params["attractor_target"][:3, env] = torch.from_numpy(rng.normal(size=3) * 0.2 + [0, 0, 0.8])
    world.set_state(state)
    return state


def everything(world: BatchWorld, env: int = 0) -> dict[str, torch.Tensor]:
    return {name: t[:, env].clone() for table in TABLES for name, t in getattr(world.batch, table).items()}


@pytest.fixture(scope="module")
def seven(device) -> BatchWorld:
    return coupled(7, device)


def run(world: BatchWorld, steps: int = 60) -> None:
    for _ in range(steps):
        world.batch.step()


def test_twice_and_among_others(device, seven):
    """The same bits again, and alone."""
    throw(seven)
    run(seven)
    first = [everything(seven, env) for env in range(7)]
    assert (seven.batch.contact_count > 0).any()
    throw(seven)
    run(seven)
    alone = coupled(1, device)
    throw(alone)
    run(alone)
    for name, value in first[0].items():
        assert torch.isfinite(value).all(), name
        assert torch.equal(value, everything(seven)[name]), name
        assert torch.equal(value, everything(alone)[name]), name
    assert not torch.equal(first[0]["dof_pos"], first[1]["dof_pos"])


def test_a_reset_env_is_a_fresh_one(device, seven):
    throw(seven)
    run(seven, 1)
    fresh = everything(seven, 2)
    run(seven, 30)
    assert (seven.batch._warm["warm_coupling"] != 0).any()
    throw(seven)
    assert not (seven.batch._warm["warm_coupling"] != 0).any()
    run(seven, 1)
    for name, value in everything(seven, 2).items():
        if name != "warm_impulse":  # whose end is where warm_slot says; what stands behind it is left there
            assert torch.equal(value, fresh[name]), name


def test_a_snapshot_goes_on(seven):
    throw(seven)
    run(seven, 20)
    saved = seven.batch.snapshot()
    run(seven, 20)
    expected = everything(seven, 1)
    seven.batch.restore(saved)
    run(seven, 20)
    for name, value in everything(seven, 1).items():
        assert torch.equal(value, expected[name]), name


def test_one_whose_state_is_lost_leaves_the_others(seven):
    """Its couplings' memory goes with it."""
    throw(seven)
    run(seven, 10)
    seven.batch.state["dof_vel"][0, 4] = float("nan")
    run(seven, 2)
    fault = seven.batch.fault.cpu().numpy() & 1
    assert fault.tolist() == [0, 0, 0, 0, 1, 0, 0]
    assert (seven.batch._warm["warm_coupling"][:, 4] == 0).all()
    assert torch.isfinite(seven.batch.state["dof_pos"][:, :4]).all()


def test_what_cannot_be_held_stays_bounded(seven):
    """The feet that are tied are out of reach, and the ant is kicked: limits give, but nothing flies apart."""
    throw(seven)
    rng = np.random.default_rng(0)
    seven.batch.params["dof_mode"][:] = 3
    fastest = 0.0
    for _ in range(60):
        seven.set_input(dof_effort_in=rng.normal(size=(7, seven.model.num_dofs)) * 3)
        run(seven, 2)
        fastest = max(fastest, float(np.abs(seven.state()["dof_vel"]).max()))
    seven.batch.params["dof_mode"][:] = 0
    q = seven.state()["dof_pos"]
    beyond = np.maximum(seven.model.params["dof_lower"][:, 0] - q, q - seven.model.params["dof_upper"][:, 0]).max()
    assert fastest < 100.0
    assert beyond < 1.0
    assert not (seven.batch.fault & 1).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tendons": [[0, 99]]}, "tendon 0: expected DOFs of 0..7, got"),
        ({"tendons": [[]]}, "tendon 0: expected DOFs"),
        ({"joint_equalities": [(8, 0)]}, "joint equality 0: expected DOFs of 0..7"),
        ({"closures": [(3, 3, False)]}, "closure 0: expected two different links"),
        ({"closures": [(3, 77, False)]}, "closure 0: expected two different links"),
        ({"attractors": [-1]}, "attractor 0: expected a link of 0..8, got -1"),
    ],
)
def test_couplings_of_what_is_not_there(seven, change, message):
    with pytest.raises(ValueError, match=message):
        coupling_rows(dataclasses.replace(seven.model, **change))


def test_couplings_across_actors(device):
    asset, _ = coupled_ant()
    two = BatchWorld([asset, asset], 1, device)
    with pytest.raises(NotImplementedError, match="closure 0: expected joints or links of one actor, got those of 2"):
        coupling_rows(dataclasses.replace(two.model, closures=[(0, 12, False)]))


def test_a_ball_joint_in_a_tendon(seven):
    model = dataclasses.replace(seven.model, joint_kind=[2, *seven.model.joint_kind[1:]], tendons=[[0]])
    with pytest.raises(ValueError, match="expected joints that turn about one axis or slide, got a ball joint"):
        coupling_rows(model)


def test_what_has_no_couplings_has_no_rows(device):
    assert coupling_rows(BatchWorld([load(ANT)], 1, device).model).count == 0
