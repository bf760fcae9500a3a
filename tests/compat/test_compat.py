"""Shims of kilogym.compat. Each case runs in a process of its own: what they patch is the interpreter."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"


def run_python(*args: str, path: str | Path = "", **env: str) -> subprocess.CompletedProcess[str]:
    """A new interpreter that finds our source, then `path`, then what this one finds through PYTHONPATH."""
    paths = [str(SRC), str(path), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **env}
    if "KILOGYM_COMPAT" not in env:
        environment.pop("KILOGYM_COMPAT", None)
    return subprocess.run([sys.executable, *args], capture_output=True, text=True, env=environment, timeout=300)


def check(code: str, path: str | Path = "", **env: str) -> str:
    result = run_python("-c", textwrap.dedent(code), path=path, **env)
    assert result.returncode == 0, result.stderr
    return result.stdout


def hide(*packages: str) -> str:
    """Code that makes packages unimportable, as if they were not installed."""
    return textwrap.dedent(f"""
        import sys
        hidden = {packages!r}
        class Blind:
            def __init__(self, finder): self.finder = finder
            def __getattr__(self, name): return getattr(self.finder, name)
            def find_spec(self, name, *args):
                return None if name.partition(".")[0] in hidden else self.finder.find_spec(name, *args)
        sys.meta_path[:] = [Blind(f) for f in sys.meta_path if hasattr(f, "find_spec")]
        for name in [n for n in sys.modules if n.partition(".")[0] in hidden]: del sys.modules[name]
    """)


def test_importing_the_package_changes_nothing():
    check("""
        import sys
        before = list(sys.meta_path)
        import kilogym.compat, numpy
        assert sys.meta_path == before and not hasattr(numpy, "Inf") and not kilogym.compat.installed()
    """)


def test_numpy_names_compute_as_they_did():
    check("""
        import kilogym.compat.auto
        import numpy as np
        assert np.Inf == np.inf and np.NINF == -np.inf and np.isnan(np.NaN)
        assert np.float_ is np.float64 and np.float is float and np.int is int and np.object is object
        assert isinstance(np.float64(1), np.float_) and np.zeros(2, dtype=np.float).dtype == np.float64
        assert np.zeros(2, dtype=np.bool).dtype == np.bool_
        assert np.product([2, 3]) == 6 and np.in1d([1, 2], [2]).tolist() == [False, True]
        assert np.asfarray([1, 2]).dtype == np.float64
        assert np.asfarray([1], dtype=np.float32).dtype == np.float32
        assert np.find_common_type([np.float32], [np.int64]) == np.float32
        assert np.find_common_type([np.int32], [np.float64]) == np.float64
        assert issubclass(np.VisibleDeprecationWarning, Warning) and np.trapz([1.0, 1.0]) == 1.0
    """)


def test_existing_names_are_kept():
    check("""
        import numpy as np
        bool_before, np.Inf = np.bool, "mine"
        import kilogym.compat
        restored = kilogym.compat.install("numpy")["numpy"]
        assert np.bool is bool_before and np.Inf == "mine" and "numpy.Inf" not in restored
        assert kilogym.compat.install("numpy")["numpy"] == restored
    """)


def test_torch_calls_are_accepted_where_torch_has_dropped_them():
    check("""
        import torch
        del torch._C._jit_set_profiling_mode
        import kilogym.compat
        assert kilogym.compat.install("torch") == {"torch": ["torch._C._jit_set_profiling_mode",
               *[n for n in kilogym.compat.installed()["torch"][1:]]]}
        torch._C._jit_set_profiling_mode(False)
    """)


def test_gym_is_gymnasium_by_identity():
    pytest.importorskip("gymnasium", reason="needs gymnasium, which the extra rl-games installs")
    check(
        hide("gym")
        + textwrap.dedent("""
        import kilogym.compat
        assert kilogym.compat.install("gym") == {"gym": ["gym"]}
        import gym, gymnasium, gym.spaces.box
        from gym import spaces, logger
        from gym.spaces import Box
        from gym.utils import seeding
        assert Box is gymnasium.spaces.Box and gym.spaces is gymnasium.spaces and gym.Env is gymnasium.Env
        assert gymnasium.spaces.__spec__.name == "gymnasium.spaces"
        logger.set_level(40); logger.info("quiet")
        class Task(gym.Env): pass
        try: gym.make("Ant-v2")
        except NotImplementedError as error: assert "gymnasium.make" in str(error)
        else: raise AssertionError
        try: gym.no_such_thing
        except AttributeError: pass
        else: raise AssertionError
        """)
    )


def test_a_real_gym_is_preferred(tmp_path):
    (tmp_path / "gym.py").write_text("real = True\n")
    check(
        """
        import kilogym.compat
        assert kilogym.compat.install("gym") == {"gym": []}
        import gym
        assert gym.real
        """,
        path=tmp_path,
    )


def test_distutils_where_python_has_none():
    check(
        hide("distutils", "pkg_resources")
        + textwrap.dedent("""
        import kilogym.compat
        assert kilogym.compat.install("distutils") == {"distutils": ["distutils", "pkg_resources"]}
        from distutils.util import strtobool
        from distutils.version import LooseVersion, StrictVersion
        import distutils.spawn, distutils, pkg_resources
        assert strtobool("Yes") == 1 and strtobool("off") == 0 and distutils.util.strtobool is strtobool
        assert LooseVersion("1.10") > LooseVersion("1.9") and LooseVersion("2.11.0+cu130") >= "2.4"
        assert LooseVersion("1.0rc4") > "1.0rc1"
        assert StrictVersion("1.2a1") < "1.2" and StrictVersion("1.2") == "1.2.0"
        assert distutils.spawn.find_executable("no-such-program") is None
        assert pkg_resources.parse_version("1.10") > pkg_resources.parse_version("1.9")
        assert pkg_resources.get_distribution("numpy").version
        assert pkg_resources.resource_filename("numpy", "x").endswith("x")
        """)
    )


def test_stand_ins_import_and_say_what_to_do_when_used():
    check(
        hide("pysdf", "urdfpy", "tkinter")
        + textwrap.dedent("""
        import kilogym.compat
        kilogym.compat.install("standins")
        from pysdf import SDF
        from urdfpy import URDF
        from tkinter import W
        for use, word in ((lambda: SDF([], []), "trimesh"), (lambda: URDF.load("a.urdf"), "yourdfpy")):
            try: use()
            except ImportError as error: assert word in str(error) and "not installed" in str(error)
            else: raise AssertionError
        try: import tkinter.filedialog
        except ImportError: pass
        else: raise AssertionError
        """)
    )


@pytest.mark.parametrize(("wish", "expected"), [("0", []), ("numpy", ["numpy"]), ("numpy, torch", ["numpy", "torch"])])
def test_environment_chooses(wish, expected):
    out = check("import kilogym.compat as c; print(sorted(c.install_from_environment()))", KILOGYM_COMPAT=wish)
    assert out.strip() == str(expected)


def test_unknown_shim_is_named():
    result = run_python("-c", "import kilogym.compat as c; c.install('numby')")
    assert "numby" in result.stderr
    assert "numpy" in result.stderr


def test_module_runs_an_unmodified_script(tmp_path):
    (tmp_path / "neighbour.py").write_text("value = 3\n")
    script = tmp_path / "train.py"
    script.write_text(
        "import sys, os, numpy as np, neighbour\n"
        "assert np.Inf > 1 and __name__ == '__main__' and os.path.samefile(__file__, sys.argv[0])\n"
        "assert os.path.samefile(sys.path[0], os.path.dirname(__file__))\n"
        "print(sys.argv[1:], neighbour.value)\n"
        "sys.exit(7)\n"
    )
    result = run_python("-m", "kilogym.compat", str(script), "task=Ant", "-m")
    assert (result.returncode, result.stdout.strip()) == (7, "['task=Ant', '-m'] 3"), result.stderr


def test_module_runs_a_module(tmp_path):
    (tmp_path / "tool.py").write_text("import sys, numpy as np\nprint(np.float_(2), sys.argv[1:])\n")
    result = run_python("-m", "kilogym.compat", "-m", "tool", "--flag", path=tmp_path)
    assert result.stdout.strip() == "2.0 ['--flag']", result.stderr


def test_usage():
    assert run_python("-m", "kilogym.compat").returncode == 2
    assert run_python("-m", "kilogym.compat", "missing.py").returncode == 2
    assert run_python("-m", "kilogym.compat", "--help").returncode == 0
