"""Coloured point clouds as PLY, PCD and XYZ; PLY and PCD say their axes in a comment, XYZ knows none."""

import numpy as np

from core.files.text import number_rows
from core.maths.axes import AXES_IN_WORDS
from core.types.geometry import PointCloud


def encode_ply(cloud: PointCloud) -> bytes:
    """Binary little-endian PLY."""
    rows = np.empty(len(cloud.points), [("points", "<f4", 3), ("colours", "u1", 3)])
    rows["points"], rows["colours"] = cloud.points, cloud.colours
    return _ply_header("binary_little_endian", cloud) + rows.tobytes()


def encode_ply_ascii(cloud: PointCloud) -> bytes:
    """PLY as text; nine digits give every float32 back."""
    return _ply_header("ascii", cloud) + _text_rows(cloud)


def encode_pcd(cloud: PointCloud) -> bytes:
    """PCD 0.7, binary, with colours packed as PCL and Open3D read them."""
    red, green, blue = (cloud.colours[:, i].astype(np.uint32) for i in range(3))
    rows = np.empty(len(cloud.points), [("points", "<f4", 3), ("rgb", "<u4")])
    rows["points"], rows["rgb"] = cloud.points, red << 16 | green << 8 | blue
    header = (
        f"# .PCD v0.7 - Point Cloud Data file format\n# axes {AXES_IN_WORDS[cloud.axes]}\n"
        f"VERSION 0.7\nFIELDS x y z rgb\nSIZE 4 4 4 4\nTYPE F F F F\nCOUNT 1 1 1 1\nWIDTH {len(rows)}\nHEIGHT 1\n"
        f"VIEWPOINT 0 0 0 1 0 0 0\nPOINTS {len(rows)}\nDATA binary\n"
    )
    return header.encode() + rows.tobytes()


def encode_xyz(cloud: PointCloud) -> bytes:
    """One line per point: x y z and red green blue 0..255."""
    return _text_rows(cloud)


def _ply_header(coding: str, cloud: PointCloud) -> bytes:
    properties = "".join(f"property float {axis}\n" for axis in "xyz")
    properties += "".join(f"property uchar {colour}\n" for colour in ("red", "green", "blue"))
    comment = f"comment axes {AXES_IN_WORDS[cloud.axes]}\n"
    count = len(cloud.points)
    return f"ply\nformat {coding} 1.0\n{comment}element vertex {count}\n{properties}end_header\n".encode()


def _text_rows(cloud: PointCloud) -> bytes:
    numbers = np.concatenate([cloud.points.astype(np.float64), cloud.colours], axis=1)
    return number_rows("%.9g %.9g %.9g %d %d %d\n", numbers)
