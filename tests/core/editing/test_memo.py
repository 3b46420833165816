"""Several memos in one room: what goes first, and what a closed one leaves behind."""

import numpy as np
import pytest

from core.editing import memo
from core.editing.memo import Memo, MemoPool, bytes_held
from core.types.protocols import Embedding


def block() -> np.ndarray:
    return np.zeros(100, np.uint8)


def test_the_least_recently_used_of_all_memos_go_first() -> None:
    pool = MemoPool(300)
    first, second = Memo(pool), Memo(pool)
    first.put("a", block())
    second.put("a", block())
    first.put("b", block())
    assert first.find("a") is not None
    second.put("b", block())
    assert [first.find("a") is None, second.find("a") is None, first.find("b") is None] == [False, True, False]
    assert (pool.size_bytes, first.size_bytes, second.size_bytes) == (300, 200, 100)


def test_before_them_go_those_that_nobody_looks_at() -> None:
    pool = MemoPool(300)
    looked_at, left = Memo(pool), Memo(pool)
    looked_at.put("old", block())
    left.put("new", block())
    left.put("newer", block())
    left.watched = False
    looked_at.put("newest", block())
    assert looked_at.find("old") is not None
    assert left.find("new") is None
    assert left.find("newer") is not None


def test_a_value_larger_than_the_room_is_kept_alone() -> None:
    narrow = Memo(MemoPool(50))
    narrow.put("small", np.zeros(10, np.uint8))
    narrow.put("large", block())
    assert narrow.find("large") is not None
    assert narrow.find("small") is None


def test_a_closed_memo_holds_nothing_and_takes_nothing() -> None:
    pool = MemoPool()
    closed, other = Memo(pool), Memo(pool)
    closed.put("a", block())
    other.put("a", block())
    closed.close()
    assert closed.get("b", block).size == 100
    assert (closed.size_bytes, pool.size_bytes) == (0, 100)
    assert closed.find("b") is None


def test_a_pool_gives_up_what_memory_is_needed_for() -> None:
    pool = MemoPool()
    full = Memo(pool)
    for key in "abc":
        full.put(key, block())
    pool.shed(150)
    assert pool.size_bytes == 100
    assert full.find("c") is not None


@pytest.mark.parametrize(("free", "ceiling"), [(None, 1 << 30), (80 << 30, 10 << 30), (1 << 30, 1 << 29)])
def test_the_ceiling_follows_the_memory_of_the_machine(monkeypatch, free: int | None, ceiling: int) -> None:
    monkeypatch.setattr(memo, "free_bytes", lambda: free)
    assert memo.ceiling_bytes() == ceiling


def test_an_embedding_weighs_what_it_says() -> None:
    assert bytes_held(Embedding("back-end", "photo", object(), 1234)) == 1234
