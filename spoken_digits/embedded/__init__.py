"""Integer networks as C: emit, build, run here and on emulated boards, package."""
