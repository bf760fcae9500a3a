"""Properties before and after prepare reach the batch's parameters, for the envs meant and no others."""

import warnings

import numpy as np
import pytest
import torch
from test_sim_tensors import mixed
from toys import arm, ball, box

from kilogym.assets.asset import FLT_MAX
from kilogym.sim import Simulation, SimulationParams

pytestmark = pytest.mark.usefixtures("fake_engine")


def param(sim, name, env):
    """A parameter of one env as the engine would read it."""
    sim.prepare()
    for parameters in sim._prepared.parameters:
        parameters.flush()
    values = sim.batches[sim.env_batch[env]].params[name]
    return values[:, sim.env_column[env] if values.shape[1] > 1 else 0].tolist()


def shared(sim, name, batch=0):
    return sim.batches[batch].params[name].shape[1] == 1


def test_unedited_parameters_are_shared():
    sim = mixed()
    sim.prepare()
    for batch in sim.batches:
        assert all(values.shape[1] == 1 for values in batch.params.values())


@pytest.mark.parametrize("prepared", [False, True])
def test_dof_properties(prepared):
    sim = mixed()
    if prepared:
        sim.prepare()
    rows = sim.get_dof_properties(4, 0)
    assert rows["hasLimits"].tolist() == [True, True]
    assert rows["driveMode"].tolist() == [1, 3]
    rows["stiffness"], rows["driveMode"], rows["hasLimits"][0] = 80.0, 2, False
    sim.set_dof_properties(4, 0, rows)
    assert param(sim, "dof_stiffness", 4) == [80, 80]
    assert param(sim, "dof_stiffness", 1) == [5, 0]
    assert param(sim, "dof_mode", 4) == [2, 2]
    assert param(sim, "dof_lower", 4) == pytest.approx([-FLT_MAX, -0.1])
    assert shared(sim, "dof_armature", 1)
    again = sim.get_dof_properties(4, 0)
    assert again["lower"][0] == -1.0  # kept though not in force
    assert again["stiffness"].tolist() == [80, 80]


@pytest.mark.parametrize("prepared", [False, True])
def test_body_properties(prepared):
    sim = mixed()
    if prepared:
        sim.prepare()
    rows = sim.get_body_properties(3, 0)
    rows["mass"][0] = 6.0
    rows["com"][0] = (0.02, 0, 0)
    rows["flags"][2] = 1
    sim.set_body_properties(3, 0, rows, recompute_inertia=True)
    assert param(sim, "link_mass", 3) == [6, 0.5, 0.5, 1]
    assert param(sim, "link_mass", 0) == [3, 0.5, 0.5, 1]
    assert param(sim, "link_inertia", 3)[:6] == pytest.approx([0.1, 0.1, 0.1, 0, 0, 0])
    assert param(sim, "link_com", 3)[:3] == pytest.approx([0.02, 0, 0])
    assert param(sim, "link_gravity", 3) == [1, 1, 0, 1]


@pytest.mark.parametrize("prepared", [False, True])
def test_shape_properties(prepared):
    sim = mixed()
    if prepared:
        sim.prepare()
    rows = sim.get_shape_properties(1, 0)
    assert rows["friction"].tolist() == pytest.approx([1, 0.6, 1])
    rows["friction"], rows["restitution"], rows["rest_offset"] = [0.1, 0.2, 0.3], 0.5, 0.001
    rows["torsion_friction"], rows["rolling_friction"], rows["compliance"] = 0.01, [0.02, 0.03, 0.04], 1e-5
    rows["thickness"] = 0.002
    sim.set_shape_properties(1, 0, rows)
    assert param(sim, "shape_friction", 1) == pytest.approx([0.1, 0.2, 0.3])
    assert param(sim, "shape_friction", 4) == pytest.approx([1, 0.6, 1])
    assert param(sim, "shape_rest_offset", 1) == pytest.approx([0.003] * 3)  # with the thickness
    assert param(sim, "shape_torsion_friction", 1) == pytest.approx([0.01] * 3)
    assert param(sim, "shape_rolling_friction", 1) == pytest.approx([0.02, 0.03, 0.04])
    assert param(sim, "shape_compliance", 1) == pytest.approx([1e-5] * 3)
    assert param(sim, "shape_compliance", 4) == [0, 0, 0]


@pytest.mark.parametrize("prepared", [False, True])
def test_scale(prepared):
    sim = mixed()
    if prepared:
        sim.prepare()
    sim.set_scale(1, 0, 3.0)
    sim.set_scale(1, 0, 2.0)
    assert sim.get_scale(1, 0) == 2.0
    assert param(sim, "link_pos", 1)[3:6] == pytest.approx([0, 0, 1.0])
    assert param(sim, "link_mass", 1)[1] == pytest.approx(16.0)
    assert param(sim, "link_com", 1)[5] == pytest.approx(0.4)
    assert param(sim, "link_inertia", 1)[6] == pytest.approx(32.0)
    assert param(sim, "dof_upper", 1) == pytest.approx([1.5, 0.4])
    assert param(sim, "dof_spring_ref", 1) == pytest.approx([0, 0.1])
    assert param(sim, "shape_size", 1)[:3] == pytest.approx([0.1, 0, 0])
    assert param(sim, "shape_pos", 1)[8] == pytest.approx(0.04)
    assert param(sim, "sensor_pos", 1)[2] == pytest.approx(0.02)
    assert param(sim, "link_pos", 4)[3:6] == pytest.approx([0, 0, 0.5])
    sim.refresh_body_states()
    assert sim.body_states[sim.body_index(1, 0, "hand"), 2] == pytest.approx(1 + 1.0 + 0.8)


def test_setting_what_is_there_already_keeps_a_parameter_shared():
    sim = mixed()
    sim.prepare()
    sim.set_dof_properties(1, 0, sim.get_dof_properties(1, 0))
    sim.set_body_properties(1, 0, sim.get_body_properties(1, 0))
    sim.set_shape_properties(1, 0, sim.get_shape_properties(1, 0))
    assert all(shared(sim, name, 1) for name in sim.batches[1].params)


def test_shapes_left_out_of_the_model_can_be_set_all_the_same():
    sim = Simulation()
    sim.create_env()
    sim.create_actor(0, box(), group=0)
    sim.create_actor(0, ball(), group=1)
    sim.create_actor(0, ball(), group=1)
    sim.prepare()
    for actor, friction in enumerate([0.1, 0.2, 0.3]):
        rows = sim.get_shape_properties(0, actor)
        rows["friction"] = friction
        sim.set_shape_properties(0, actor, rows)
    assert param(sim, "shape_friction", 0) == pytest.approx([0.2, 0.3])
    assert sim.get_shape_properties(0, 0)["friction"] == np.float32(0.1)


def test_whole_parameters_on_the_device():
    sim = mixed()
    sim.prepare()
    rows = sim.get_body_properties(0, 0)
    rows["mass"][0] = 5.0
    sim.set_body_properties(0, 0, rows)
    mass = sim.parameter("link_mass", batch=0)
    assert mass.tolist() == [[5, 3], [0.5, 0.5], [0.5, 0.5], [1, 1]]
    mass[3] = torch.tensor([7.0, 8.0])
    # a later edit of one actor keeps what was written on the device
    rows["mass"][0] = 6.0
    sim.set_body_properties(0, 0, rows)
    assert param(sim, "link_mass", 0) == [6, 0.5, 0.5, 7]
    assert param(sim, "link_mass", 3) == [3, 0.5, 0.5, 8]
    with pytest.raises(KeyError, match="no parameter 'mass'; there are attractor, "):
        sim.parameter("mass")


def test_what_properties_refuse():
    sim = mixed()
    sim.prepare()
    bodies, dofs = sim.get_body_properties(1, 0), sim.get_dof_properties(1, 0)
    shapes = sim.get_shape_properties(1, 0)
    bodies["mass"][2] = 0
    with pytest.raises(ValueError, match=r"body 2 \('hand'\) has mass 0"):
        sim.set_body_properties(1, 0, bodies)
    dofs["damping"][1] = -1
    with pytest.raises(ValueError, match=r"expected a finite damping >= 0, DOF 1 \('slide'\) has -1\.0"):
        sim.set_dof_properties(1, 0, dofs)
    dofs["damping"][1], dofs["driveMode"][0] = 0, 4
    with pytest.raises(ValueError, match="driveMode 0 to 3"):
        sim.set_dof_properties(1, 0, dofs)
    with pytest.raises(ValueError, match=r"expected 2 records, got shape \(1,\)"):
        sim.set_dof_properties(1, 0, dofs[:1])
    for name in ("friction", "torsion_friction", "rolling_friction", "restitution", "compliance", "thickness"):
        bad = shapes.copy()
        bad[name][1] = -1.0
        with pytest.raises(ValueError, match=rf"expected a finite {name} >= 0, shape 1 has -1\.0"):
            sim.set_shape_properties(1, 0, bad)
    shapes["filter"] = 4
    with pytest.raises(NotImplementedError, match="filters cannot change once"):
        sim.set_shape_properties(1, 0, shapes)
    with pytest.raises(ValueError, match="scale of actor 'arm': expected a number > 0"):
        sim.set_scale(1, 0, 0)


def test_params_at_run_time():
    sim = mixed()
    sim.prepare()
    rows = sim.get_shape_properties(0, 0)
    rows["rest_offset"][0] = 0.05
    sim.set_shape_properties(0, 0, rows)
    changed = SimulationParams(dt=0.25, gravity=(0, 0, 3.0), rest_offset=0.002, substeps=4)
    sim.set_params(changed)
    changed.dt = 9.0
    assert sim.params.dt == 0.25
    assert [batch.control.gravity for batch in sim.batches] == [(0, 0, 3.0)] * 2
    assert sim.batches[1].control.substeps == 4
    assert param(sim, "shape_rest_offset", 0) == pytest.approx([0.05, 0.002, 0.002, 0.002])
    assert param(sim, "shape_rest_offset", 4) == pytest.approx([0.002] * 3)
    with pytest.raises(ValueError, match="up_axis: expected 'z'"):
        sim.set_params(SimulationParams(up_axis="y"))
    with pytest.raises(ValueError, match="max_contacts: expected 0"):
        sim.set_params(SimulationParams(max_contacts=5))
    with pytest.raises(ValueError, match=r"SimulationParams.dt: expected > 0 s, got -1"):
        SimulationParams(dt=-1)


def test_other_substeps_than_a_graph_has():
    """On terrain a captured graph has its substeps in it: as many launches."""
    sim = mixed()
    sim.prepare()
    sim.batches[1].captured_substeps = 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sim.set_params(SimulationParams(dt=0.01, substeps=2))
    with pytest.warns(UserWarning, match=r"substeps it was captured with, 2, now it is 4: capture it again"):
        sim.set_params(SimulationParams(dt=0.01, substeps=4))


def test_solver_types():
    sim = mixed(position_iterations=6)
    sim.prepare()
    control = sim.batches[0].control
    assert (control.iterations, control.sweeps) == (6, 1)
    sim.set_params(SimulationParams(position_iterations=6, solver_type=0))
    assert (control.iterations, control.sweeps) == (1, 6)


def test_arms_of_one_asset_share_everything_but_what_differs():
    asset = arm()
    sim = Simulation()
    for env in range(4):
        sim.create_env()
        sim.create_actor(env, asset, group=env)
        rows = sim.get_body_properties(env, 0)
        rows["mass"] += env
        sim.set_body_properties(env, 0, rows)
    sim.prepare()
    assert len(sim.batches) == 1
    assert {n for n, v in sim.batches[0].params.items() if v.shape[1] > 1} == {"link_mass"}
    assert sim.parameter("link_mass")[0].tolist() == [1, 2, 3, 4]
