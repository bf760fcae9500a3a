"""The constant tables that the native headers are compiled with."""

from engine_support import ANT, HUMANOID, Scene, compile_scene, load

from kilogym.engine.tables import build_topology, emit_tables


def tables(*paths) -> str:
    scene = Scene()
    scene.create_env((0, 0, 0), (0, 0, 0), 1)
    for path in paths:
        scene.create_actor(0, load(path), filter=1)
    model = compile_scene(scene)[0].model
    return emit_tables(model, build_topology(model), "float")


def test_only_envs_of_moderate_size_are_unrolled():
    """A Humanoid's step compiles for CUDA in seconds unrolled; two of them would take minutes."""
    assert "#define KG_ROLLED 0" in tables(ANT)
    assert "#define KG_ROLLED 0" in tables(HUMANOID)
    assert "#define KG_ROLLED 1" in tables(HUMANOID, HUMANOID)


def test_equal_robots_share_their_tables():
    """What is compiled is topology: the text, and with it the compiled module, is the same for another mass."""
    assert tables(ANT) == tables(ANT)
    assert tables(ANT) != tables(HUMANOID)
