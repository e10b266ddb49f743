"""The README's sections on the files of an exported folder and on build systems."""

from __future__ import annotations


def readme(name: str) -> str:
    """What is where, and how the folder gets into a project."""
    return f"""## The folder

| | |
|---|---|
| `src/model.h`, `src/detector.h` | **include these two**: names that no other model changes |
| `src/{name}*` | this model, generated: network, front-end, detector |
| `src/engine/` | the code that runs it, the same for every model |
| `src/selftest/` | golden vectors and `sd_selftest`; a product can do without |
| `examples/` | `host`, `arduino`, `esp_idf`, `zephyr`: microphone in, words out |
| `manifest.json` | rate, labels, threshold, bytes, versions, licences, SHA-256 of every file |

The rest tells build systems about it. You can do without: `src/*.c` and `src/engine/*.c`, with
`src` among the header folders, compile anywhere.

## Into your project

- **CMake**: `add_subdirectory` this folder, or install it (`cmake -B build && cmake --build build
  && cmake --install build`) and `find_package({name})`; link `{name}::{name}`.
- **pkg-config**: after that installation, `pkg-config --cflags --libs {name}`.
- **Arduino**: copy it to `libraries/{name}` and open the examples `selftest` and `microphone`
  (Nano 33 BLE Sense).
- **PlatformIO**: copy it to `lib/{name}`, or name its path under `lib_deps`.
- **ESP-IDF**: copy it to `components/{name}`; `examples/esp_idf` is a project with an INMP441.
- **Zephyr**: add it to `EXTRA_ZEPHYR_MODULES` and set `CONFIG_{name.upper()}=y`;
  `examples/zephyr` is a sample with a digital microphone.
"""[:-1]
