"""Which threads step an env: the choice, and what it must fit into."""

import pytest
from engine_support import ANT, HUMANOID, Scene, compile_scene, load

from kilogym.engine.batch import EngineOptions
from kilogym.engine.mapping import SHARED_BYTES, choose_mapping
from kilogym.engine.tables import Mapping, build_topology, work_bytes


def chosen(*paths, device="cuda", **options) -> tuple[Mapping, int]:
    """The mapping and the shared memory of a block."""
    scene = Scene()
    scene.create_env((0, 0, 0), (0, 0, 0), 1)
    for path in paths:
        scene.create_actor(0, load(path), filter=1)
    model = compile_scene(scene)[0].model
    topology, wanted = build_topology(model), EngineOptions(**options)
    mapping = choose_mapping(model, topology, device, wanted)
    size = work_bytes(model, topology, 8 if wanted.precision == "float64" else 4)
    return mapping, size * (mapping.block // mapping.lanes)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("paths", [[ANT], [HUMANOID], [HUMANOID] * 2, [HUMANOID] * 5], ids=len)
def test_what_is_chosen_fits(paths, precision):
    mapping, size = chosen(*paths, precision=precision)
    assert mapping.lanes == 1 or size <= SHARED_BYTES


def test_small_envs_share_a_warp_and_huge_ones_have_a_thread():
    assert chosen(ANT)[0].lanes > 1
    assert chosen(HUMANOID)[0].lanes > 1
    assert chosen(*[HUMANOID] * 16)[0].lanes == 1
    assert chosen(ANT, device="cpu")[0] == Mapping()


def test_what_is_asked_for_and_does_not_fit():
    with pytest.raises(ValueError, match=r"lanes = 4, block_dim = 0: expected envs that fit into 49152 bytes"):
        chosen(*[HUMANOID] * 2, lanes=4)
