"""The package against the published stubs: every class, name and signature; and how much of it is done."""

import ast
import inspect
import re
import runpy
from pathlib import Path

import pytest
import stubs

from isaacgym import gymapi
from isaacgym.gymapi.gym.status import MISSING, WITHOUT_EFFECT

HERE = Path(__file__).parent
TOOL = HERE.parents[1] / "tools" / "api_status.py"
GYM = gymapi.acquire_gym()
PUBLISHED = stubs.gym_methods()
DONE = sorted(set(PUBLISHED) - set(MISSING) - set(WITHOUT_EFFECT))


def ours(name: str) -> list[inspect.Parameter]:
    return list(inspect.signature(getattr(GYM, name)).parameters.values())


def test_the_stubs_are_read_whole():
    assert len(PUBLISHED) == 312
    unknown = [name for name, signatures in PUBLISHED.items() if not signatures]
    assert unknown == ["get_vec_actor_dof_states"]  # the stub says nothing of its arguments


def test_there_are_exactly_the_published_methods():
    assert {name for name in dir(gymapi.Gym) if not name.startswith("_")} == set(PUBLISHED)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_signature(name):
    parameters = ours(name)
    assert all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters), parameters
    required = sum(p.default is p.empty for p in parameters)
    for published in PUBLISHED[name]:
        # every published call is possible
        assert required <= published.required, published
        assert len(published.names) <= len(parameters), published
        if not published.positional_only:
            assert [p.name for p in parameters[: len(published.names)]] == list(published.names)
            assert len(parameters) == len(published.names)
        for parameter, text in ((p, published.defaults.get(p.name)) for p in parameters):
            if text is not None and not text.startswith("<"):  # a default object: create_sim's params
                expected = eval(text, {**vars(gymapi)})
                assert parameter.default == expected, (parameter, expected)


def test_how_much_is_done(capsys):
    assert set(MISSING) | set(WITHOUT_EFFECT) < set(PUBLISHED)
    assert not set(MISSING) & set(WITHOUT_EFFECT)
    with capsys.disabled():
        print(
            f"\nGym: {len(DONE)} of {len(PUBLISHED)} methods done, {len(WITHOUT_EFFECT)} accepted without an effect, "
            f"{len(MISSING)} raise NotImplementedError"
        )


@pytest.mark.parametrize("name", sorted(MISSING))
def test_what_is_missing_raises_and_says_what(name):
    count = PUBLISHED[name][0].required
    with pytest.raises(NotImplementedError, match=re.escape(f"Gym.{name}: {MISSING[name]}")):
        getattr(GYM, name)(*[None] * count)


def test_only_methods_that_are_marked_are_not_built():
    for name in DONE:
        source = inspect.getsource(inspect.unwrap(getattr(gymapi.Gym, name)))
        body = ast.parse("class X:\n" + source).body[0].body[0].body
        assert len(body) > 1 or not isinstance(body[0], ast.Expr), f"{name} has no body"
        assert "raise NotImplementedError" not in source, name


def test_every_method_that_is_done_is_called_by_a_test():
    called = set()
    for file in HERE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called.add(node.func.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                # by name: put(scene, "set_..."), tensor(scene, "dof_state")
                called |= {node.value, f"acquire_{node.value}_tensor", f"refresh_{node.value}_tensor"}
    assert sorted({*DONE, *WITHOUT_EFFECT} - called) == []


def test_the_page_of_methods_is_current():
    tool = runpy.run_path(str(TOOL))
    assert tool["PAGE"].read_text() == tool["page"](), "run python tools/api_status.py"


# ---- classes and names -------------------------------------------------------------------------------------


def test_every_published_name_exists():
    assert sorted(name for name in stubs.module_names() if not hasattr(gymapi, name)) == []


@pytest.mark.parametrize("name", sorted(set(stubs.classes()) - {"Gym"}))
def test_members(name):
    kind = getattr(gymapi, name)
    if hasattr(kind, "__members__"):  # an enum: names are on the members
        kind = next(iter(kind))
    elif name not in ("Sim", "Env", "Asset", "Viewer", "UsdExporter"):
        kind = kind()
    missing = [member for member in stubs.members(name) if not hasattr(kind, member)]
    assert missing == []
