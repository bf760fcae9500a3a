"""The constant tables that the native headers are compiled with."""

from kilogym.engine.limbs import whole
from kilogym.engine.tables import emit_tables
from kilogym.engine.topology import build_topology
from kilogym.scene.compile import compile_scene
from kilogym.scene.declarations import Scene
from kilogym.validation.trees import load
from kilogym.validation.zoo import ANT, HUMANOID


def tables(*paths) -> str:
    scene = Scene()
    scene.create_env((0, 0, 0), (0, 0, 0), 1)
    for path in paths:
        scene.create_actor(0, load(path), filter=1)
    model = compile_scene(scene)[0].model
    return emit_tables(model, build_topology(model), whole(model), "float")


def test_equal_robots_share_their_tables():
    """What is compiled is topology: the text, and with it the compiled module, is the same for another mass."""
    assert tables(ANT) == tables(ANT)
    assert tables(ANT) != tables(HUMANOID)
