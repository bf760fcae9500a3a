#!/usr/bin/env bash
# Collect the wheels that IsaacGymEnvs on Kilogym needs beside PyTorch, for a machine that reaches no registry.
#
#   tools/vendor_wheels.sh FOLDER          the client: rl_games, Hydra, gymnasium, and Kilogym's own needs
#   tools/vendor_wheels.sh FOLDER bench    also MuJoCo Warp, the benchmark's peer
#
# There:  python3 -m pip install --no-index --no-deps --target site FOLDER/*.whl;  export PYTHONPATH=site:src
#
# The target is Python 3.12 on x86-64 Linux (PYTHON_VERSION=3.13 for another) that has torch, numpy, scipy, lxml,
# pyyaml, psutil, tensorboard, protobuf, packaging, pillow, matplotlib and typing_extensions already; nothing is
# resolved, each package is named here. Warp (100 MB) is left out; add it with WARP=1.
set -euo pipefail
out=${1:?usage: tools/vendor_wheels.sh FOLDER [bench]}
python=${PYTHON:-python3}
version=${PYTHON_VERSION:-3.12}
client=(
  hydra-core==1.3.2 omegaconf==2.3.0 termcolor==3.3.0
  rl-games==1.6.5 tensorboardX==2.6.5 setproctitle==1.3.8 watchdog==6.0.0
  gymnasium==1.4.0 farama-notifications==0.0.6 cloudpickle==3.1.2
  mujoco==4.0.0 mujoco-core==4.0.0 trimesh==5.2.0 pycollada==0.9.3
)
bench=(mujoco-warp==4.0.0 etils==1.15.0 absl-py==2.5.1)
packages=("${client[@]}")
[ "${2:-}" = bench ] && packages+=("${bench[@]}")
[ -n "${WARP:-}" ] && packages+=(warp-lang==1.19.0)
platforms=()
for n in 39 35 34 31 28 27 24 17; do platforms+=(--platform "manylinux_2_${n}_x86_64"); done
platforms+=(--platform manylinux2014_x86_64 --platform manylinux1_x86_64)
mkdir -p "$out"
"$python" -m pip download -q --no-deps --only-binary=:all: --python-version "$version" --implementation cp \
  "${platforms[@]}" -d "$out" "${packages[@]}"
# The ANTLR runtime that omegaconf pins exists as source only; it is pure Python, so a wheel built here fits there.
"$python" -m pip wheel -q --no-deps -w "$out" antlr4-python3-runtime==4.9.3
du -sh "$out"
