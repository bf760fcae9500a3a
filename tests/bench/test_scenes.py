"""The scenes of the benchmark: the engines are given the same bodies, the same pairs, the same start and motors."""

from dataclasses import replace

import mujoco
import numpy as np
import pytest
import torch

from kilogym.assets import ImportOptions, load_asset
from kilogym.assets.asset import Asset, Joint, JointEquality, JointKind, Link, Shape, ShapeKind, Tendon
from kilogym.assets.procedural import make_box
from kilogym.bench import packages
from kilogym.bench.engine import Setting
from kilogym.bench.kilogym_engine import KilogymEngine
from kilogym.bench.measure import Plan, measure
from kilogym.bench.mujoco_engine import MujocoEngine
from kilogym.bench.mujoco_scene import build_scene, plain, without_overlaps
from kilogym.bench.robot import read_asset
from kilogym.bench.scene import Actor, Scene
from kilogym.bench.scenes import SCENES, load_scene, rough_ground
from kilogym.scene.collisions import plan_collisions
from kilogym.scene.declarations import Scene as Declared
from kilogym.scene.terrain import HeightField


def scene_of(name: str, timestep: float = 1 / 120) -> Scene:
    return load_scene(name, timestep)


def an_arm(**options) -> Asset:
    """A welded post, an upper arm and a forearm that follows it at half its angle; a hand that slides."""
    names = ("post", "upper", "fore", "hand")
    links = tuple(
        Link(name, i - 1, (0.0, 0.0, 0.3 if i > 1 else 0.1), mass=1.0 + i, com=(0.01 * i, 0.0, 0.1),
             inertia=(0.02, 0.03, 0.04, 0.001, 0.002, -0.001))
        for i, name in enumerate(names)
    )  # fmt: skip
    joints = (
        Joint("lift", JointKind.REVOLUTE, 1, axis=(0.0, 1.0, 0.0), has_limits=True, lower=-2.0, upper=2.0, damping=0.2),
        Joint("bend", JointKind.REVOLUTE, 2, axis=(0.0, 0.6, 0.8), armature=0.01),
        Joint("reach", JointKind.PRISMATIC, 3, axis=(0, 0, 1), friction=0.1, has_limits=True, lower=0.1, upper=0.4),
    )
    shapes = tuple(
        Shape(i, kind, size, (0.0, 0.0, 0.15), friction=0.3)
        for i, (kind, size) in enumerate(
            [
                (ShapeKind.BOX, (0.04, 0.05, 0.06)),
                (ShapeKind.CAPSULE, (0.03, 0.1, 0.0)),
                (ShapeKind.CYLINDER, (0.03, 0.1, 0.0)),
                (ShapeKind.SPHERE, (0.05, 0.0, 0.0)),
            ]
        )
    )
    return Asset("arm", links, joints, shapes, fixed_base=True, **options)


MOTORS = {"lift": 5.0, "reach": 3.0}


def a_scene(timestep: float = 1 / 120, self_collisions: bool = True, **options) -> Scene:
    follow = JointEquality("follow", "bend", "lift", (0.1, 0.5, 0.0, 0.0, 0.0))
    arm = Actor(plain(an_arm(equalities=(follow,), **options)), (0.1, 0.0, 1.5), (0.0, 0.0, 0.6, 0.8), self_collisions)
    box = Actor(plain(make_box(0.1, 0.2, 0.3)), (3.0, 0.0, 2.0), prefix="box_")
    return build_scene("arm and box", [box, arm], MOTORS, timestep, pose={"bend": 0.1, "reach": 0.25})


def mujoco_pairs(model: mujoco.MjModel) -> set[tuple[int, int]]:
    """Geoms that MuJoCo may let collide, by the rules of its documentation, without the plane or terrain."""
    weld, parent = model.body_weldid, model.body_weldid[model.body_parentid]
    excluded = {frozenset((int(s) >> 16, int(s) & 0xFFFF)) for s in model.exclude_signature}
    first = 1  # the plane or terrain
    out = set()
    for b in range(first, model.ngeom):
        for a in range(first, b):
            x, y = model.geom_bodyid[[a, b]]
            types, affinities = model.geom_contype[[a, b]], model.geom_conaffinity[[a, b]]
            if not (types[0] & affinities[1] or types[1] & affinities[0]) or weld[x] == weld[y]:
                continue
            if frozenset((int(x), int(y))) in excluded:
                continue
            if weld[x] and weld[y] and (parent[weld[y]] == weld[x] or parent[weld[x]] == weld[y]):
                continue
            out.add((a - first, b - first))
    return out


def kilogym_pairs(scene: Scene) -> set[tuple[int, int]]:
    """Shapes that Kilogym tests against each other, counted over all actors."""
    declared = Declared()
    env = declared.create_env((0, 0, 0), (0, 0, 0), 1)
    for a in scene.actors:
        declared.create_actor(env, a.asset, a.pos, a.quat, None, -1, -1 if a.self_collisions else 1)
    plan = plan_collisions(declared.env(env), True)
    return {(plan.kept[a], plan.kept[b]) for a, b in plan.pairs}


@pytest.mark.parametrize("self_collisions", [True, False])
def test_own_scene_has_the_same_pairs(self_collisions):
    scene = a_scene(self_collisions=self_collisions)
    pairs = kilogym_pairs(scene)
    assert pairs == mujoco_pairs(scene.model)
    assert ((1, 3) in pairs) == self_collisions  # post and forearm
    assert (0, 1) in pairs  # box and post
    assert (1, 2) not in pairs  # post and upper arm are joined


@pytest.mark.parametrize("name", SCENES)
def test_named_scenes_have_the_same_pairs(name):
    scene = scene_of(name)
    pairs = kilogym_pairs(scene)
    assert pairs == mujoco_pairs(scene.model)
    assert bool(pairs) == (name not in ("anymal", "shadow-hand"))


def fly_apart(scene: Scene, steps: int, share: float = 0.2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start, and where Kilogym and MuJoCo are after some steps of steady controls; MuJoCo's constraints hardened."""
    model = scene.model
    model.eq_solref[:, 0] = model.jnt_solref[:, 0] = 2 * model.opt.timestep
    model.eq_solimp[:, :2] = model.jnt_solimp[:, :2] = 0.9999
    setting = Setting(scene, 2, "cpu", scene.model.opt.timestep, steps)
    engines = KilogymEngine(setting), MujocoEngine(setting)
    start = engines[1].positions()
    assert np.abs(engines[0].positions() - start).max() < 1e-6
    controls = torch.rand((2, scene.num_controls), generator=torch.Generator().manual_seed(0)) - 0.5
    ends = []
    for engine in engines:
        engine.set_controls(share * controls)
        engine.advance()
        ends.append(engine.positions())
        engine.close()
    return start, *ends


def test_own_scene_moves_alike():
    start, ours, theirs = fly_apart(a_scene(1 / 9600), 960, 4.0)
    moved = np.abs(theirs - start).max(axis=0)
    assert moved[2] > 0.04  # the box falls
    assert (moved[-3:] > 0.001).all()  # the arm, its follower and the slide
    assert np.abs(ours - theirs).max() < 2e-4


def _flying(scene: Scene) -> np.ndarray:
    """Where in qpos what does not stand on anything is: stacked cubes sink in, MuJoCo's more than ours."""
    return scene.joint_qpos if scene.name == "franka-cubes" else np.arange(scene.model.nq)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["anymal", "shadow-hand", "franka-cubes", "anymal-rough", "heap"])
def test_named_scenes_move_alike_before_they_touch(name):
    scene = scene_of(name, 1 / 9600)
    start, ours, theirs = (q[:, _flying(scene)] for q in fly_apart(scene, 480))
    moved = np.abs(theirs - start).max()
    assert moved > 0.01
    assert np.abs(ours - theirs).max() < 0.03 * moved


def test_terrain_is_where_kilogym_has_it():
    """Rays down onto MuJoCo's height field meet the heights of the samples."""
    field = rough_ground()
    scene = build_scene("box", [Actor(plain(make_box(0.1, 0.1, 0.1)), (0.0, 0.0, 3.0))], {}, 0.01, field)
    data = mujoco.MjData(scene.model)
    mujoco.mj_forward(scene.model, data)
    hit = np.zeros(1, np.int32)
    for i, j in ((20, 30), (101, 150), (180, 7)):
        at = np.array([field.pos[0] + i * 0.1, field.pos[1] + j * 0.1, 2.0])
        distance = mujoco.mj_ray(scene.model, data, at, np.array([0.0, 0.0, -1.0]), None, 1, -1, hit)
        assert scene.model.geom(hit[0]).name == "terrain"
        assert 2.0 - distance == pytest.approx(field.heights[i, j], abs=1e-5)


def test_a_box_comes_to_rest_on_slanted_terrain_in_both():
    heights = np.repeat(np.linspace(0.0, 0.2, 21)[:, None], 21, axis=1)
    field = HeightField(heights, (0.1, 0.1), (-1.0, -1.0, 0.0))
    scene = build_scene("box", [Actor(plain(make_box(0.2, 0.2, 0.2)), (0.0, 0.0, 0.22))], {}, 1 / 120, field)
    setting = Setting(scene, 1, "cpu", 1 / 120, 120)
    for kind in (KilogymEngine, MujocoEngine):
        engine = kind(setting)
        engine.advance()
        x, _, z = engine.positions()[0, :3]
        assert z - 0.1 * (x + 1.0) == pytest.approx(0.1 * np.sqrt(1.01), abs=3e-3), kind.name
        engine.close()


def test_starts_are_equal_for_equal_seeds_and_differ_between_envs():
    scene = load_scene("heap", 0.01)
    three = scene.starts(3)
    assert np.array_equal(scene.starts(5)[:3], three)
    assert not np.array_equal(three[0], three[1])
    assert not np.array_equal(scene.starts(3, seed=1), three)
    assert np.abs(np.linalg.norm(three.reshape(3, 20, 7)[..., 3:], axis=-1) - 1).max() < 1e-12


def test_boxes_of_the_heap_do_not_overlap_at_the_start():
    scene = load_scene("heap", 0.01)
    data = mujoco.MjData(scene.model)
    for qpos in scene.starts(8):
        data.qpos[:] = qpos
        mujoco.mj_forward(scene.model, data)
        assert all(contact.dist > 0 for contact in data.contact)


def test_links_drawn_into_each_other_are_kept_apart():
    arm = an_arm()
    fat = replace(arm, shapes=(*arm.shapes, Shape(0, ShapeKind.SPHERE, (0.9, 0.0, 0.0))))
    scene = build_scene("fat", [Actor(plain(fat), (0.0, 0.0, 3.0))], MOTORS, 0.01)
    (actor,) = without_overlaps(scene)
    assert set(actor.asset.excluded_pairs) >= {(0, 2), (0, 3)}


def test_joints_that_only_one_engine_has_are_named():
    scene = a_scene()
    other = replace(scene, actors=scene.actors[:1])
    with pytest.raises(ValueError, match=r"MuJoCo has the joints \['bend', 'lift', 'reach'\], Kilogym \[\]"):
        _ = other.dof_of_joint


@pytest.mark.parametrize(
    "options",
    [{"tendons": (Tendon("t", ("lift", "bend"), (1.0, 1.0)),)}, {"joints": (Joint("b", JointKind.BALL, 1),)}],
)
def test_what_has_no_counterpart_is_refused(options):
    with pytest.raises(NotImplementedError, match="arm: tendons"):
        plain(replace(an_arm(), **options))


def test_mesh_without_triangles_is_refused():
    arm = replace(an_arm(), shapes=(Shape(0, ShapeKind.MESH, (1.0, 1.0, 1.0)),))
    with pytest.raises(ValueError, match="shape 0 is a mesh without triangles"):
        build_scene("x", [Actor(arm)], {}, 0.01)


def test_unknown_scenes_are_refused():
    with pytest.raises(ValueError, match="heap"):
        load_scene("no-such-scene", 0.01)


def test_hand_follows_where_the_file_has_tendons():
    hand = packages.read_shadow_hand()
    assert {e.joint: e.leader for e in hand.asset.equalities} == {
        f"robot0:{f}J0": f"robot0:{f}J1" for f in ("FF", "MF", "RF", "LF")
    }
    assert hand.asset.equalities[0].coefficients[1] == pytest.approx(0.00805 / 0.00705)
    assert (len(hand.motors), hand.asset.num_dofs, len(set(hand.colliding))) == (20, 24, 18)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("kind", [KilogymEngine, MujocoEngine])
def test_named_scenes_are_measured(name, kind):
    scene = scene_of(name)
    result = measure(kind, Setting(scene, 2, "cpu", 1 / 120, 8), Plan(warm_up=120, steps=40, repeats=2))
    assert result.nonfinite_envs == 0
    assert not result.overflowed
    assert result.quality.contacts_per_env > (0 if name != "shadow-hand" else -1)


def test_importing_takes_no_part_of_isaac_gyms_defaults(tmp_path):
    file = tmp_path / "ball.xml"
    file.write_text('<mujoco><worldbody><body><freejoint/><geom size="1"/></body></worldbody></mujoco>')
    assert read_asset(file).options.angular_damping == 0.0
    assert load_asset(tmp_path, "ball.xml", ImportOptions()).options.angular_damping == 0.5
