"""gymutil: command lines, configs, lines and domain randomisation."""

import argparse
import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch
from scenes import sim_params

from isaacgym import gymapi, gymutil

NO_CUDA = not torch.cuda.is_available()


def parse(monkeypatch, line, **options):
    monkeypatch.setattr("sys.argv", ["example.py", *line.split()])
    return gymutil.parse_arguments(**options)


# ---- devices and flags -------------------------------------------------------------------------------------


def test_device_names():
    assert gymutil.parse_device_str("cpu") == ("cpu", 0)
    assert gymutil.parse_device_str("cuda") == ("cuda", 0)
    assert gymutil.parse_device_str("cuda:3") == ("cuda", 3)
    for wrong in ("gpu", "cuda:", "cuda:x", "cpu:0", "cuda:-1", ""):
        with pytest.raises(ValueError, match="expected 'cpu', 'cuda' or 'cuda:N'"):
            gymutil.parse_device_str(wrong)


def test_truth_values():
    assert [gymutil.parse_bool(t) for t in ("True", "yes", "t", "Y", "1")] == [True] * 5
    assert [gymutil.parse_bool(t) for t in ("False", "no", "f", "N", "0")] == [False] * 5
    with pytest.raises(argparse.ArgumentTypeError, match="expected true or false, got 'maybe'"):
        gymutil.parse_bool("maybe")


def test_flags_that_are_given(monkeypatch):
    args = parse(monkeypatch, "--sim_device cuda:1 --pipeline gpu --num_threads 4 --subscenes 2 --physx")
    assert (args.sim_device_type, args.compute_device_id) == ("cuda", 1)
    assert (args.use_gpu_pipeline, args.use_gpu) == (True, True)
    assert (args.physics_engine, args.num_threads, args.slices) == (gymapi.SIM_PHYSX, 4, 2)
    assert not hasattr(args, "headless")
    args = parse(monkeypatch, "--sim_device cpu --pipeline cpu --slices 3", headless=True)
    assert (args.use_gpu, args.use_gpu_pipeline, args.slices, args.headless) == (False, False, 3, False)


def test_the_gpu_pipeline_needs_a_gpu(monkeypatch, caplog):
    args = parse(monkeypatch, "--sim_device cpu --pipeline gpu")
    assert (args.pipeline, args.use_gpu_pipeline) == ("CPU", False)
    assert "needs a CUDA --sim_device" in caplog.text


def test_defaults_on_this_machine(monkeypatch):
    args = parse(monkeypatch, "")
    assert args.sim_device == ("cpu" if NO_CUDA else "cuda:0")
    assert args.use_gpu_pipeline is not NO_CUDA


def test_flex_asks_for_cuda(monkeypatch):
    args = parse(monkeypatch, "--flex --sim_device cpu --pipeline cpu")
    assert (args.physics_engine, args.sim_device) == (gymapi.SIM_FLEX, "cuda:0")


def test_no_graphics_implies_headless(monkeypatch):
    assert parse(monkeypatch, "--nographics", no_graphics=True, headless=True).headless


def test_custom_parameters(monkeypatch, caplog):
    custom = [
        {"name": "--num_envs", "type": int, "default": 36, "help": "envs"},
        {"name": "--pos_control", "type": gymutil.parse_bool, "default": True},
        {"name": "--headless", "action": "store_true", "default": True},  # the default of an action is ignored
        {"name": "--broken"},
    ]
    args = parse(monkeypatch, "--num_envs 5 --pos_control 0", custom_parameters=custom)
    assert (args.num_envs, args.pos_control, args.headless) == (5, False, False)
    assert "expected 'name' and 'type' or 'action'" in caplog.text


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("--nonsense", "--nonsense"),
        ("--sim_device tpu", "expected 'cpu'"),
        ("--pipeline both", "expected cpu or gpu"),
        ("--flex --physx", "not allowed"),
    ],
)
def test_wrong_command_lines(monkeypatch, capsys, line, text):
    with pytest.raises(SystemExit):
        parse(monkeypatch, line)
    assert text in capsys.readouterr().err


# ---- configs -----------------------------------------------------------------------------------------------


def test_sim_config():
    params = gymapi.SimParams()
    config = {
        "dt": 0.0166, "substeps": 3, "up_axis": 1, "gravity": [0, 0, -9.81], "use_gpu_pipeline": True, "unknown": 1,
        "physx": {"num_threads": 4, "solver_type": 0, "use_gpu": 0, "num_position_iterations": 8,
                  "contact_offset": 0.01, "rest_offset": 0, "max_depenetration_velocity": 5,
                  "contact_collection": 1, "nothing": 2},
        "flex": {"relaxation": 0.5, "num_outer_iterations": 7},
    }  # fmt: skip
    gymutil.parse_sim_config(config, params)
    assert (params.dt, params.substeps, params.up_axis) == (np.float32(0.0166), 3, gymapi.UP_AXIS_Z)
    assert params.gravity.z == np.float32(-9.81)
    assert params.use_gpu_pipeline is True
    p = params.physx
    assert (p.num_threads, p.solver_type, p.use_gpu, p.num_position_iterations) == (4, 0, False, 8)
    assert (p.contact_offset, p.rest_offset, p.max_depenetration_velocity) == (np.float32(0.01), 0, 5)
    assert p.contact_collection is gymapi.CC_LAST_SUBSTEP
    assert (params.flex.relaxation, params.flex.num_outer_iterations) == (0.5, 7)
    with pytest.raises(ValueError, match="gravity: expected three numbers"):
        gymutil.parse_sim_config({"gravity": [1, 2]}, params)


def test_configs_of_one_engine():
    params = gymapi.SimParams()
    gymutil.parse_physx_config({"num_velocity_iterations": 3, "always_use_articulations": "true"}, params)
    gymutil.parse_flex_config({"warm_start": 0.25}, params)
    assert (params.physx.num_velocity_iterations, params.physx.always_use_articulations) == (3, True)
    assert params.flex.warm_start == 0.25
    target = argparse.Namespace()
    gymutil.parse_float_int_bool({"a": "1.5", "b": 2.0, "c": 0}, target, ["a"], ["b"], ["c"])
    assert (target.a, target.b, target.c) == (1.5, 2, False)


def test_indenting_xml():
    root = ET.fromstring("<a><b><c/></b><b/></a>")
    gymutil._indent_xml(root)
    assert ET.tostring(root, encoding="unicode").strip() == "<a>\n  <b>\n    <c />\n  </b>\n  <b />\n</a>"


# ---- lines -------------------------------------------------------------------------------------------------


def points(geometry, pose=None):
    return np.array([[list(end) for end in line] for line in geometry.instance_verts(pose)])


def test_axes():
    axes = gymutil.AxesGeometry(0.5)
    assert axes.num_lines() == 3
    assert points(axes)[:, 0].tolist() == [[0, 0, 0]] * 3
    assert points(axes)[:, 1].tolist() == (0.5 * np.eye(3)).tolist()
    assert [list(c) for c in axes.colors()] == np.eye(3).tolist()


def test_boxes():
    box = gymutil.WireframeBoxGeometry(1.0, 2.0, 3.0, color=(0, 1, 0))
    ends = points(box)
    assert box.num_lines() == 12
    assert sorted(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).tolist()) == [1] * 4 + [2] * 4 + [3] * 4
    np.testing.assert_allclose(np.abs(ends.reshape(-1, 3)), [[0.5, 1.0, 1.5]] * 24)
    assert len({tuple(sorted(map(tuple, line))) for line in ends.tolist()}) == 12
    corners = gymutil.WireframeBBoxGeometry([gymapi.Vec3(0, 0, 0), (1, 2, 3)])
    assert points(corners).reshape(-1, 3).max(axis=0).tolist() == [1, 2, 3]
    assert list(corners.colors()[0]) == [1, 0, 0]


def test_spheres_and_poses():
    pose = gymapi.Transform(gymapi.Vec3(1, 0, 0))
    ball = gymutil.WireframeSphereGeometry(0.5, 6, 10, pose, color=(1, 1, 0), color2=(0, 0, 1))
    distances = np.linalg.norm(points(ball).reshape(-1, 3) - [1, 0, 0], axis=1)
    np.testing.assert_allclose(distances, 0.5, atol=1e-6)
    assert ball.num_lines() == 10 * 6 + 10 * 5
    assert {tuple(c) for c in ball.colors().tolist()} == {(1, 1, 0), (0, 0, 1)}
    moved = points(ball, gymapi.Transform(gymapi.Vec3(0, 0, 2)))
    np.testing.assert_allclose(moved, points(ball) + np.array([0, 0, 2]), atol=1e-6)


# ---- domain randomisation ----------------------------------------------------------------------------------


def random_params(**fields):
    return {"range": [0.5, 1.5], "operation": "scaling", "distribution": "uniform", **fields}


def test_samples_have_the_distribution_asked_for():
    np.random.seed(0)  # noqa: NPY002  (clients seed the global generator, and it is what is used)
    x = gymutil.generate_random_samples(random_params(), 20000, 0)
    assert 0.5 <= x.min() < 0.51
    assert 1.49 < x.max() <= 1.5
    assert x.mean() == pytest.approx(1.0, abs=0.01)
    x = gymutil.generate_random_samples(random_params(distribution="loguniform"), 20000, 0)
    assert np.log(x).mean() == pytest.approx((math.log(0.5) + math.log(1.5)) / 2, abs=0.01)
    gauss = random_params(distribution="gaussian", operation="additive", range=[1.0, 4.0])  # mean, variance
    x = gymutil.generate_random_samples(gauss, 20000, 0)
    assert (x.mean(), x.std()) == (pytest.approx(1.0, abs=0.05), pytest.approx(2.0, abs=0.05))
    assert gymutil.generate_random_samples(random_params(), (2, 3), 0).shape == (2, 3)
    assert gymutil.generate_random_samples(random_params(), 1, 0, extern_sample=np.array([0.25])).tolist() == [0.75]


def test_schedules():
    linear = random_params(schedule="linear", schedule_steps=100)
    for step, low, high in ((0, 1.0, 1.0), (50, 0.75, 1.25), (100, 0.5, 1.5), (500, 0.5, 1.5)):
        x = gymutil.generate_random_samples(linear, 2, step, extern_sample=np.array([0.0, 1.0]))
        assert x.tolist() == pytest.approx([low, high]), step
    added = random_params(schedule="linear", schedule_steps=100, operation="additive")
    assert gymutil.generate_random_samples(added, 1, 0, extern_sample=np.array([1.0])).tolist() == [0.0]
    constant = random_params(schedule="constant", schedule_steps=100)
    assert gymutil.generate_random_samples(constant, 1, 99, extern_sample=np.array([1.0])).tolist() == [1.0]
    assert gymutil.generate_random_samples(constant, 1, 100, extern_sample=np.array([1.0])).tolist() == [1.5]


def test_samples_that_cannot_be_drawn():
    with pytest.raises(ValueError, match="expected 'scaling' or 'additive', got 'adding'"):
        gymutil.generate_random_samples(random_params(operation="adding"), 1, 0)
    with pytest.raises(ValueError, match="expected 'uniform', 'loguniform' or 'gaussian', got 'beta'"):
        gymutil.generate_random_samples(random_params(distribution="beta"), 1, 0)


def test_buckets():
    params = random_params(range=[0.0, 1.0], num_buckets=4)
    values = [gymutil.get_bucketed_val(v, params) for v in (-1.0, 0.1, 0.3, 0.99, 5.0)]
    assert values == [0.0, 0.0, 0.25, 0.75, 0.75]
    gymutil.check_buckets(None, [], {})


def test_applying_samples():
    sim = sim_params("cpu")
    params = random_params(operation="additive", range=[0.5, 0.5])
    gymutil.apply_random_samples(sim, {"gravity": gymapi.Vec3(0, 0, -9.81)}, "gravity", params, 0)
    assert (sim.gravity.x, sim.gravity.z) == (0.5, np.float32(-9.31))
    rows = np.zeros(3, [("stiffness", "<f4")])
    before = rows.copy()
    before["stiffness"] = 10
    gymutil.apply_random_samples(rows, before, "stiffness", random_params(range=[2.0, 2.0]), 0)
    assert rows["stiffness"].tolist() == [20, 20, 20]
    body = gymapi.RigidBodyProperties()
    gymutil.apply_random_samples(body, {"mass": 3.0}, "mass", random_params(range=[2.0, 2.0]), 0)
    assert body.mass == 6.0
    shape = gymapi.RigidShapeProperties()
    bucketed = random_params(range=[0.0, 1.0], num_buckets=2)
    gymutil.apply_random_samples(shape, {"friction": 1.0}, "friction", bucketed, 0, np.array([0.8]))
    assert shape.friction == 0.5


def test_the_maps_randomise_a_running_simulation(gym, make_scene):
    """The loop of IsaacGymEnvs: get, keep the original, change every attribute, set."""
    scene = make_scene("walker")
    getters, setters = gymutil.get_property_getter_map(gym), gymutil.get_property_setter_map(gym)
    extra = gymutil.get_default_setter_args(gym)
    assert set(getters) == set(setters) == set(extra)
    env = scene.envs[0]
    twice = random_params(range=[2.0, 2.0])
    for kind, attr in (("rigid_body_properties", "mass"), ("rigid_shape_properties", "friction"),
                       ("tendon_properties", "damping")):  # fmt: skip
        props = getters[kind](env, 0)
        for prop in props:
            original = {name: getattr(prop, name) for name in dir(prop) if not name.startswith("_")}
            gymutil.apply_random_samples(prop, original, attr, twice, 0)
        assert setters[kind](env, 0, props, *extra[kind])
    dofs = getters["dof_properties"](env, 0)
    gymutil.apply_random_samples(dofs, dofs.copy(), "damping", twice, 0)
    assert setters["dof_properties"](env, 0, dofs, *extra["dof_properties"])
    assert gym.get_actor_rigid_body_properties(env, 0)[0].mass == pytest.approx(4.0)
    assert gym.get_actor_rigid_body_properties(scene.envs[1], 0)[0].mass == pytest.approx(2.0)
    assert gym.get_actor_rigid_shape_properties(env, 0)[0].friction == 2.0
    assert gym.get_actor_dof_properties(env, 0)["damping"][0] == pytest.approx(0.4)
    sim = getters["sim_params"](scene.sim)
    gymutil.apply_random_samples(sim, {"gravity": sim.gravity}, "gravity", twice, 0)
    setters["sim_params"](scene.sim, sim)
    assert gym.get_sim_params(scene.sim).gravity.z == pytest.approx(2 * -9.81)
