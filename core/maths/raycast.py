"""Pictures of simple solids, exactly: a ray through every pixel, the nearest solid it meets, shade and shadow.

Solids are boxes, ellipsoids and upright cylinders, each the unit one ([-1, 1] cube, unit ball, radius 1 and height -1
to 1 along y) placed by an affine map. Axes are the camera's (CONVENTIONS.md): depth is z, not ray length.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, UInt8

from core.maths.compiled import compiled, no_type_check
from core.types.camera import Intrinsics

BOX, BALL, CYLINDER = 0, 1, 2
NOTHING = -1
_TILE = 16
_FAR = np.float32(1e9)
_TEXTURE_LEVELS = 5


@dataclass(frozen=True, eq=False)
class Solids:
    """N solids in camera axes: `local_from_camera` rows give the unit solid's coordinates of a point.

    `texture` is a layer of the atlas, `repeats` how often it repeats per scene unit, `tint` its colour's factor and
    `gloss` the share of a highlight.
    """

    kind: Int32[np.ndarray, "N"]
    camera_from_local: Float64[np.ndarray, "N 4 4"]
    texture: Int32[np.ndarray, "N"]
    repeats: Float32[np.ndarray, "N"]
    tint: Float32[np.ndarray, "N 3"]
    gloss: Float32[np.ndarray, "N"]


@dataclass(frozen=True, eq=False)
class Light:
    """A lamp at `position` (a sun when that is far), ambient light, and haze that thickens with distance."""

    position: tuple[float, float, float]
    strength: float
    ambient: float
    haze: tuple[float, float, float]
    haze_distance: float
    shadows: bool = True


@dataclass(frozen=True, eq=False)
class Rendered:
    """`picture` is sRGB; `depth` is z, 0 where no solid is met; `solid` is its number, NOTHING there."""

    picture: UInt8[np.ndarray, "H W 3"]
    depth: Float32[np.ndarray, "H W"]
    solid: Int32[np.ndarray, "H W"]


def texture_levels(atlas: UInt8[np.ndarray, "K S S 3"]) -> tuple[UInt8[np.ndarray, "K _ _ 3"], ...]:
    """Square sRGB textures, S a power of two, and halved ones, so that far textures do not flicker."""
    levels = [atlas]
    for _ in range(_TEXTURE_LEVELS - 1):
        last = levels[-1].astype(np.uint16)
        quarter = last[:, ::2, ::2] + last[:, 1::2, ::2] + last[:, ::2, 1::2] + last[:, 1::2, 1::2]
        levels.append((quarter // 4).astype(np.uint8))
    return tuple(levels)


def render_solids(
    solids: Solids,
    intrinsics: Intrinsics,
    light: Light,
    textures: tuple[UInt8[np.ndarray, "K _ _ 3"], ...],
    sky: Float32[np.ndarray, "H W 3"],
) -> Rendered:
    """The solids before `sky` (sRGB 0..255). `textures` comes from `texture_levels`.

    Colours of pixels at edges are the mean of four rays; depth and numbers are those of the pixel's centre.
    """
    height, width = intrinsics.height, intrinsics.width
    maps = np.linalg.inv(solids.camera_from_local)[:, :3].astype(np.float32)
    balls = _bounding_balls(solids)
    camera = np.array([intrinsics.fx, intrinsics.fy, intrinsics.cx, intrinsics.cy], np.float32)
    members, ends = _tiles(balls, camera, height, width)
    depth, solid = np.zeros((height, width), np.float32), np.full((height, width), NOTHING, np.int32)
    _meet(maps, solids.kind, camera, members, ends, depth, solid)
    picture = np.empty((height, width, 3), np.uint8)
    looks = (solids.texture, solids.repeats, solids.tint, solids.gloss, _scales(solids))
    lamp = np.array([*light.position, light.strength, light.ambient, *light.haze, light.haze_distance], np.float32)
    met = (depth, solid, _edges(depth, solid), sky)
    world = (maps, solids.kind, balls)
    _shade(world, camera, (members, ends), met, looks, lamp, light.shadows, textures, picture)
    return Rendered(picture, depth, solid)


def _scales(solids: Solids) -> Float32[np.ndarray, "N 3"]:
    return np.linalg.norm(solids.camera_from_local[:, :3, :3], axis=1).astype(np.float32)


def _bounding_balls(solids: Solids) -> Float32[np.ndarray, "N 4"]:
    """Centre and radius; corners of a box are further out than its faces."""
    half = np.linalg.norm(solids.camera_from_local[:, :3, :3], axis=1)
    flat = np.hypot(np.maximum(half[:, 0], half[:, 2]), half[:, 1])
    radius = np.where(
        solids.kind == BOX, np.linalg.norm(half, axis=1), np.where(solids.kind == BALL, half.max(1), flat)
    )
    return np.column_stack([solids.camera_from_local[:, :3, 3], radius]).astype(np.float32)


def _edges(depth: Float32[np.ndarray, "H W"], solid: Int32[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Pixels beside another solid."""
    edges = np.zeros(depth.shape, bool)
    across, down = solid[:, 1:] != solid[:, :-1], solid[1:] != solid[:-1]
    edges[:, 1:] |= across
    edges[:, :-1] |= across
    edges[1:] |= down
    edges[:-1] |= down
    return edges


@compiled
@no_type_check
def _tiles(balls, camera, height, width):
    """Which solids' bounding balls may be seen in each tile: their numbers in a row, and where each tile's end."""
    fx, fy, cx, cy = camera
    down, across = (height + _TILE - 1) // _TILE, (width + _TILE - 1) // _TILE
    ends = np.zeros(down * across, np.int64)
    members = np.empty(max(1, down * across * len(balls)), np.int32)
    count = 0
    for tile in range(down * across):
        row, column = tile // across, tile % across
        x0, x1 = (column * _TILE - 1 - cx) / fx, ((column + 1) * _TILE - cx) / fx
        y0, y1 = (row * _TILE - 1 - cy) / fy, ((row + 1) * _TILE - cy) / fy
        left, right = 1 / np.sqrt(1 + x0 * x0), 1 / np.sqrt(1 + x1 * x1)
        top, bottom = 1 / np.sqrt(1 + y0 * y0), 1 / np.sqrt(1 + y1 * y1)
        for n in range(len(balls)):
            x, y, z, r = balls[n]
            # Signed distances from the four planes through the camera and the tile's sides.
            if z < -r or (x - x0 * z) * left < -r or (x1 * z - x) * right < -r:
                continue
            if (y - y0 * z) * top < -r or (y1 * z - y) * bottom < -r:
                continue
            members[count] = n
            count += 1
        ends[tile] = count
    return members[:count], ends


@compiled
@no_type_check
def _distance(m, kind, ox, oy, oz, dx, dy, dz, least):
    """Along the ray o + t d, the least t above `least` on the solid with map m; _FAR for none."""
    px = m[0, 0] * ox + m[0, 1] * oy + m[0, 2] * oz + m[0, 3]
    py = m[1, 0] * ox + m[1, 1] * oy + m[1, 2] * oz + m[1, 3]
    pz = m[2, 0] * ox + m[2, 1] * oy + m[2, 2] * oz + m[2, 3]
    qx = m[0, 0] * dx + m[0, 1] * dy + m[0, 2] * dz
    qy = m[1, 0] * dx + m[1, 1] * dy + m[1, 2] * dz
    qz = m[2, 0] * dx + m[2, 1] * dy + m[2, 2] * dz
    near, far = -_FAR, _FAR
    if kind == BALL:
        a, b, c = qx * qx + qy * qy + qz * qz, px * qx + py * qy + pz * qz, px * px + py * py + pz * pz - 1
        root = b * b - a * c
        if root < 0 or a == 0:
            return _FAR
        root = np.sqrt(root)
        near, far = (-b - root) / a, (-b + root) / a
    else:
        if kind == CYLINDER:
            a, b, c = qx * qx + qz * qz, px * qx + pz * qz, px * px + pz * pz - 1
            root = b * b - a * c
            if root < 0:
                return _FAR
            if a > 0:
                root = np.sqrt(root)
                near, far = (-b - root) / a, (-b + root) / a
        for axis in range(3):
            p, q = (px, qx) if axis == 0 else (py, qy) if axis == 1 else (pz, qz)
            if kind == CYLINDER and axis != 1:
                continue
            if q == 0:
                if abs(p) > 1:
                    return _FAR
                continue
            first, second = (-1 - p) / q, (1 - p) / q
            near, far = max(near, min(first, second)), min(far, max(first, second))
        if near > far:
            return _FAR
    return np.float32(near) if near > least else np.float32(far) if far > least else _FAR


@compiled
@no_type_check
def _nearest(maps, kinds, members, start, stop, dx, dy):
    best, number = _FAR, NOTHING
    for place in range(start, stop):
        n = members[place]
        t = _distance(maps[n], kinds[n], 0.0, 0.0, 0.0, dx, dy, 1.0, 1e-3)
        if t < best:
            best, number = t, n
    return best, number


@compiled
@no_type_check
def _meet(maps, kinds, camera, members, ends, depth, solid):
    fx, fy, cx, cy = camera
    height, width = depth.shape
    across = (width + _TILE - 1) // _TILE
    for y in range(height):
        for x in range(width):
            tile = (y // _TILE) * across + x // _TILE
            start = ends[tile - 1] if tile else 0
            t, n = _nearest(maps, kinds, members, start, ends[tile], (x - cx) / fx, (y - cy) / fy)
            if n >= 0:
                depth[y, x], solid[y, x] = t, n


@compiled
@no_type_check
def _in_shadow(world, x, y, z, lamp, own):
    maps, kinds, balls = world
    dx, dy, dz = lamp[0] - x, lamp[1] - y, lamp[2] - z
    length = dx * dx + dy * dy + dz * dz
    for n in range(len(balls)):
        bx, by, bz = balls[n, 0] - x, balls[n, 1] - y, balls[n, 2] - z
        along = (bx * dx + by * dy + bz * dz) / length
        r2 = balls[n, 3] * balls[n, 3]
        if bx * bx + by * by + bz * bz > r2:
            if along < 0 or along > 1 + balls[n, 3] / np.sqrt(length):
                continue
            ex, ey, ez = bx - along * dx, by - along * dy, bz - along * dz
            if ex * ex + ey * ey + ez * ez > r2:
                continue
        t = _distance(maps[n], kinds[n], x, y, z, dx, dy, dz, 1e-3 if n != own else 1e-2)
        if t < 0.999:
            return True
    return False


@compiled
@no_type_check
def _surface(m, kind, scales, x, y, z):
    """Where on its texture a point lies (scene units), and the unit normal towards the outside."""
    px = m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3]
    py = m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3]
    pz = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3]
    gx, gy, gz = px, py, pz
    sx, sy, sz = scales
    if kind == BOX:
        if abs(px) >= abs(py) and abs(px) >= abs(pz):
            gy, gz, u, v = 0.0, 0.0, pz * sz, py * sy
        elif abs(py) >= abs(pz):
            gx, gz, u, v = 0.0, 0.0, px * sx, pz * sz
        else:
            gx, gy, u, v = 0.0, 0.0, px * sx, py * sy
    elif kind == CYLINDER and abs(py) < 0.999:
        gy, u, v = 0.0, np.arctan2(pz, px) * max(sx, sz), py * sy
    elif kind == CYLINDER:
        gx, gz, u, v = 0.0, 0.0, px * sx, pz * sz
    else:
        u, v = np.arctan2(pz, px) * sx, py * sy
    nx = m[0, 0] * gx + m[1, 0] * gy + m[2, 0] * gz
    ny = m[0, 1] * gx + m[1, 1] * gy + m[2, 1] * gz
    nz = m[0, 2] * gx + m[1, 2] * gy + m[2, 2] * gz
    length = np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-12
    return u, v, nx / length, ny / length, nz / length


@compiled
@no_type_check
def _texel(textures, number, u, v, footprint, out):
    """The colour at (u, v), in repeats, of a pixel that covers so many texels of the finest level."""
    level = 0
    while level < len(textures) - 1 and footprint > 1.4:
        footprint, level = footprint / 2, level + 1
    layer = textures[level][number]
    side = layer.shape[0]
    fu, fv = u * side, v * side
    u0, v0 = np.floor(fu), np.floor(fv)
    au, av = fu - u0, fv - v0
    i0, j0 = int(v0) & (side - 1), int(u0) & (side - 1)
    i1, j1 = (i0 + 1) & (side - 1), (j0 + 1) & (side - 1)
    for c in range(3):
        top = layer[i0, j0, c] * (1 - au) + layer[i0, j1, c] * au
        bottom = layer[i1, j0, c] * (1 - au) + layer[i1, j1, c] * au
        out[c] = top * (1 - av) + bottom * av


@compiled
@no_type_check
def _add_colour(world, looks, textures, lamp, shadows, seen, focal, texel, out):
    """Add the colour, sRGB 0..255, of the point at z = t on solid n that is `seen` along (dx, dy, 1)."""
    dx, dy, t, n = seen
    texture, repeats, tint, gloss, scales = looks
    x, y, z = t * dx, t * dy, t
    u, v, nx, ny, nz = _surface(world[0][n], world[1][n], scales[n], x, y, z)
    away = np.sqrt(dx * dx + dy * dy + 1)
    facing = (nx * dx + ny * dy + nz) / away
    if facing > 0:  # seen from inside, as the walls of a room
        nx, ny, nz, facing = -nx, -ny, -nz, -facing
    lx, ly, lz = lamp[0] - x, lamp[1] - y, lamp[2] - z
    reach = np.sqrt(lx * lx + ly * ly + lz * lz) + 1e-6
    lit = max(0.0, (nx * lx + ny * ly + nz * lz) / reach)
    e = 1e-3 * max(1.0, z)
    if lit > 0 and shadows and _in_shadow(world, x + e * nx, y + e * ny, z + e * nz, lamp, n):
        lit = 0.0
    # Light from above is the stronger part of the ambient light; the camera's y points down.
    bright = lamp[3] * lit + lamp[4] * (0.8 - 0.2 * ny)
    shine = 0.0
    if lit > 0 and gloss[n] > 0:
        hx, hy, hz = lx / reach - dx / away, ly / reach - dy / away, lz / reach - 1 / away
        half = (nx * hx + ny * hy + nz * hz) / (np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-6)
        shine = gloss[n] * lamp[3] * max(0.0, half) ** 30
    covered = z / focal * repeats[n] * textures[0].shape[1] / max(0.2, -facing)
    _texel(textures, texture[n], u * repeats[n], v * repeats[n], covered, texel)
    share = 1 - np.exp(-t / lamp[8])
    for c in range(3):
        out[c] += (texel[c] * tint[n, c] * bright + 255 * shine) * (1 - share) + lamp[5 + c] * share


@compiled
@no_type_check
def _shade(world, camera, tiles, met, looks, lamp, shadows, textures, picture):
    """`met` is depth, solid, edges and sky."""
    fx, fy, cx, cy = camera
    depth, solid, edges, sky = met
    members, ends = tiles
    height, width = depth.shape
    across = (width + _TILE - 1) // _TILE
    out, texel = np.empty(3, np.float32), np.empty(3, np.float32)
    for y in range(height):
        for x in range(width):
            out[:] = 0
            tile = (y // _TILE) * across + x // _TILE
            start = ends[tile - 1] if tile else 0
            rays = 4 if edges[y, x] else 1
            for ray in range(rays):
                du, dv = (0.5 * (ray % 2) - 0.25, 0.5 * (ray // 2) - 0.25) if rays > 1 else (0.0, 0.0)
                dx, dy = (x + du - cx) / fx, (y + dv - cy) / fy
                t, n = np.float32(depth[y, x]), solid[y, x]
                if rays > 1:
                    t, n = _nearest(world[0], world[1], members, start, ends[tile], dx, dy)
                if n >= 0:
                    _add_colour(world, looks, textures, lamp, shadows, (dx, dy, t, n), fx, texel, out)
                else:
                    for c in range(3):
                        out[c] += sky[y, x, c]
            for c in range(3):
                picture[y, x, c] = np.uint8(min(255.0, max(0.0, out[c] / rays + 0.5)))
