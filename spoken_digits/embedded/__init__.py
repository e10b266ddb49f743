"""Integer networks as C: emitted, built, run here and on emulated boards, packaged."""
