"""How g++ rounds as a GPU does: products fused with sums, once rounded."""

import platform
from pathlib import Path

FUSED = ["-O2", "-ffp-contract=fast", *(["-mfma"] if platform.machine() == "x86_64" else [])]
"""-O1 fuses other products, and shows less."""
HAS_FMA = platform.machine() != "x86_64" or " fma " in Path("/proc/cpuinfo").read_text()
"""Whether this CPU can."""
