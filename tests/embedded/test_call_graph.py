"""What GCC writes of calls and frames, read right."""

from __future__ import annotations

import pytest

from spoken_digits.embedded import call_graph
from spoken_digits.embedded.call_graph import CallGraph


def node(title: str, n_bytes: int, kind: str = "static") -> str:
    label = f"{title}\\n/a/f.c:1:2\\n{n_bytes} bytes ({kind})"
    return f'node: {{ title: "{title}" label: "{label}" }}\n'


def edge(caller: str, callee: str) -> str:
    return f'edge: {{ sourcename: "{caller}" targetname: "{callee}" label: "/a/f.c:3:4" }}\n'


def graph(frames: dict[str, int], **calls: str) -> CallGraph:
    return CallGraph(
        frames=frames, calls={name: frozenset(some.split()) for name, some in calls.items()}
    )


def test_functions_of_two_sources_with_one_name_are_two():
    texts = {
        "f": node("/a/f.c:run", 8) + node("main", 4) + edge("main", "/a/f.c:run"),
        "g": node("/a/g.c:run", 80) + node("other", 1) + edge("other", "/a/g.c:run"),
    }
    found = call_graph.parsed(texts, {})
    assert found.frames == {"f:run": 8, "main": 4, "g:run": 80, "other": 1}
    assert found.deepest("main") == (12, ["main", "f:run"])


def test_a_call_through_a_pointer_goes_to_all_that_the_table_holds():
    texts = {
        "sd_recogniser": node("sd_recogniser_hear", 8)
        + edge("sd_recogniser_hear", "__indirect_call"),
        "sd_by_word": node("/a/sd_by_word.c:hear", 24) + node("shared", 2),
    }
    tables = {"sd_by_word:sd_by_word": frozenset({"hear", "shared", "constants"})}
    found = call_graph.parsed(texts, tables)
    assert found.calls["sd_recogniser_hear"] == {"sd_by_word:hear", "shared"}
    with pytest.raises(ValueError, match="sd_recogniser_hear calls through a pointer, to nowhere"):
        call_graph.parsed(texts, {})
    elsewhere = {"sd_new": texts["sd_recogniser"], "sd_by_word": texts["sd_by_word"]}
    with pytest.raises(ValueError, match="sd_new: .* to nowhere known"):
        call_graph.parsed(elsewhere, tables)


def test_a_frame_without_a_fixed_size_is_refused():
    with pytest.raises(ValueError, match="the frame of vla has no fixed size"):
        call_graph.parsed({"f": node("vla", 8, "dynamic")}, {})


def test_recursion_is_found_however_long_the_chain():
    frames = dict.fromkeys(("a", "b", "c", "d"), 1)
    assert graph(frames, a="b c", b="d", c="d").recursion() == []
    assert graph(frames, a="b", b="c d", c="a").recursion() == ["a", "b", "c", "a"]
    assert graph(frames, a="b", d="d").recursion() == ["d", "d"]
    with pytest.raises(ValueError, match="recursion: d -> d"):
        graph(frames, a="b", d="d").deepest("a")


def test_the_deepest_path_is_the_one_of_most_bytes():
    found = graph({"a": 1, "b": 2, "c": 100, "d": 30}, a="b c", b="d d", c="", d="")
    assert found.deepest("a") == (101, ["a", "c"])
    assert found.deepest("b") == (32, ["b", "d"])


def test_no_bound_where_something_is_unknown():
    found = graph({"a": 1}, a="memcpy")
    assert found.outside() == {"memcpy"}
    with pytest.raises(ValueError, match="the stack of memcpy is unknown"):
        found.deepest("a")
    helper = CallGraph(frames={"a": 1}, calls={}, undefined=frozenset({"__aeabi_fadd"}))
    assert helper.outside() == {"__aeabi_fadd"}
