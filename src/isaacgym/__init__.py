"""Isaac Gym's Python API on the Kilogym engine: `gymapi`, `gymtorch`, `gymutil`, `torch_utils`, `terrain_utils`.

Names, signatures, defaults and orders are those of Isaac Gym Preview 4; what differs on purpose is listed in
docs/migration.md. Nothing here computes physics: every act is delegated to the `kilogym` package.

Import it before or after torch, as you like: the order does not matter. Importing this package alone loads
neither torch nor the engine.

Importing it also puts back the names that clients of its time miss today (`np.Inf`, the old `gym` ...), where they
are missing and nowhere else; the environment variable KILOGYM_COMPAT chooses which, or 0 for none.
"""

from kilogym.compat import install_from_environment as _install_from_environment

_install_from_environment(default="numpy,distutils,gym,standins")
