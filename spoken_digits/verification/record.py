"""docs/record.json: the machine and the versions that made the recorded run.

It is provenance, not an output of a stage: it differs between machines even if the results are
equal.
"""

from __future__ import annotations

import datetime
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from spoken_digits import arithmetic
from spoken_digits.io import files

RECORD = Path("docs/record.json")
_LIBRARIES = ("torch", "numpy", "torchaudio", "librosa")
_SETS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile")
_CPUINFO = Path("/proc/cpuinfo")


def describe(lock: Path) -> dict[str, Any]:
    """Describe this machine and its libraries, with the hash of the dvc.lock that they made."""
    return {
        "processor": processor(),
        "instruction_sets": [name for name in _SETS if name in arithmetic.processor_flags()],
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in _LIBRARIES},
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "lock_sha256": files.sha256(lock.read_bytes()),
    }


def processor() -> str:
    """Name of the processor, if the system gives one."""
    if _CPUINFO.exists():
        fields = dict.fromkeys(("model name", "cpu family", "model"), "")
        for line in _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if fields.get(key.strip()) == "":
                fields[key.strip()] = value.strip()
        if fields["model name"]:
            return "{model name} (family {cpu family}, model {model})".format(**fields)
    return platform.processor() or platform.machine()


def compare(recorded: dict[str, Any], lock: Path) -> list[str]:
    """Lines that describe the recorded machine and how this one differs."""
    here = describe(lock)
    if not recorded:
        return [f"no {RECORD} says where the run was recorded; here: {here['processor']}"]
    lines = [f"recorded on {recorded['processor']}, here {here['processor']}"]
    lines += [
        f"recorded with {name} {recorded.get(name)}, here {here[name]}"
        for name in ("python", *_LIBRARIES)
        if recorded.get(name) != here[name]
    ]
    if recorded.get("lock_sha256") != here["lock_sha256"]:
        lines.append(f"{RECORD} is of another dvc.lock than this one: `make record` renews it")
    return lines
