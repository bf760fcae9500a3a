"""The bench of kilogym.validation under the names that the tests of this folder use."""

from kilogym.validation.bodies import *  # noqa: F403
from kilogym.validation.kilogym_world import KilogymWorld as World  # noqa: F401
