import numpy as np

from core.maths.holes import background_side, fill_depth, find_holes, lies_at_rim


def test_every_unknown_pixel_belongs_to_exactly_one_hole() -> None:
    generator = np.random.default_rng(0)
    unknown = np.zeros((300, 1100), bool)
    for _ in range(30):
        y, x = generator.integers(0, 290), generator.integers(0, 1090)
        unknown[y : y + generator.integers(1, 30), x : x + generator.integers(1, 60)] = True
    count = np.zeros(unknown.shape, int)
    holes = find_holes(unknown)
    for hole in holes:
        count[hole.window] += hole.pixels
    assert len(holes) > 1
    assert np.array_equal(count, unknown.astype(int))


def test_windows_are_grown_and_cracks_are_thin() -> None:
    unknown = np.zeros((200, 300), bool)
    unknown[80:120, 100:160] = True
    unknown[10:12, 250:280] = True
    block, crack = find_holes(unknown)
    assert block.window == (slice(32, 168), slice(40, 220))
    assert not block.is_thin
    assert crack.is_thin


def test_the_near_side_of_a_gap_is_not_allowed_but_sloping_ground_is() -> None:
    unknown = np.zeros((80, 120), bool)
    unknown[20:60, 50:70] = True
    none = np.zeros_like(unknown)
    depth = np.full((80, 120), 5, np.float32)
    depth[:, 70:] = 2
    allowed = background_side(depth, unknown, none)
    assert not allowed[30:50, 70:73].any()
    assert allowed[30:50, 47:50].all()
    ground = (4 / (0.5 + np.arange(80, dtype=np.float32) / 40)[:, None]).repeat(120, axis=1)
    assert np.array_equal(background_side(ground, unknown, none), ~unknown)
    before_a_wall = np.minimum(ground, 4)
    assert np.array_equal(background_side(before_a_wall, unknown, none), ~unknown)


def test_a_far_sliver_beside_a_hole_is_not_all_that_may_continue() -> None:
    unknown = np.zeros((120, 160), bool)
    unknown[40:80, 50:110] = True
    depth = np.full(unknown.shape, 3, np.float32)
    depth[78:, 76:84] = 5
    assert np.array_equal(background_side(depth, unknown, np.zeros_like(unknown)), ~unknown)
    depth[78:, 50:110] = 5  # as wide as the hole: that is a far side
    behind = background_side(depth, unknown, np.zeros_like(unknown))
    assert behind[90:, 60:100].all()
    assert not behind[:36].any()


def test_what_an_object_stood_on_may_go_on_behind_it_and_what_stood_before_it_may_not() -> None:
    unknown = np.zeros((80, 120), bool)
    unknown[20:60, 40:80] = True
    none = np.zeros_like(unknown)
    depth = np.full((80, 120), 6, np.float32)
    depth[52:] = 4  # a table before a wall
    table = np.zeros_like(unknown)
    table[62:66, 42:78] = True
    assert not background_side(depth, unknown, none)[table].any()
    stood = np.where(unknown, np.float32(4), np.float32(0))
    assert background_side(depth, unknown, none, stood)[table].all()
    far_thing = np.where(unknown, np.float32(5.5), np.float32(0))  # a thing on the wall, the table before it
    assert not background_side(depth, unknown, none, far_thing)[table].any()
    large = tuple(field.repeat(16, axis=0).repeat(16, axis=1) for field in (depth, unknown, none, stood))
    assert background_side(*large)[::16, ::16][table].all()


def test_depth_of_a_plane_continues_as_that_plane() -> None:
    x = np.arange(100, dtype=np.float32)
    depth = np.ascontiguousarray(np.broadcast_to(1 / (0.2 + 0.004 * x), (60, 100)))
    unknown = np.zeros((60, 100), bool)
    unknown[20:40, 30:70] = True
    given = np.where(unknown, np.float32(0), depth)
    np.testing.assert_allclose(fill_depth(given, unknown, ~unknown), depth, rtol=2e-3)


def test_no_depth_at_all_stays_unknown() -> None:
    unknown = np.zeros((10, 10), bool)
    unknown[3:6, 3:6] = True
    assert (fill_depth(np.zeros((10, 10), np.float32), unknown, ~unknown) == 0).all()


def test_a_near_surface_may_continue_beyond_the_frame() -> None:
    unknown = np.zeros((80, 120), bool)
    unknown[:, :12] = True
    depth = np.full((80, 120), 5, np.float32)
    depth[40:] = 2
    assert background_side(depth, unknown, np.zeros_like(unknown))[60:, 12:40].all()


def test_a_strip_or_corner_along_the_frame_lies_at_the_rim_and_an_object_does_not() -> None:
    strip, corner, inside, cut = (np.zeros((200, 300), bool) for _ in range(4))
    strip[:, 260:] = True
    corner[:, :12] = corner[180:] = True
    inside[60:140, 90:200] = True
    cut[80:, 120:180] = True
    assert [lies_at_rim(pixels) for pixels in (strip, corner, inside, cut)] == [True, True, False, False]


def test_what_counts_as_a_crack_grows_with_the_picture() -> None:
    for side, wide, thin in ((200, 4, True), (200, 9, False), (4000, 9, True), (4000, 30, False)):
        unknown = np.zeros((side, side), bool)
        unknown[20:160, 60 : 60 + wide] = True
        (hole,) = find_holes(unknown)
        assert hole.is_thin == thin
