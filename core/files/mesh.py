"""Textured meshes as GLB and OBJ, each with its texture, its transparency and a word on its axes."""

import json
import struct

import numpy as np

from core.files.png import encode_png
from core.files.text import number_rows
from core.maths.axes import AXES_IN_WORDS
from core.types.geometry import TexturedMesh

_FLOAT, _UNSIGNED_INT = 5126, 5125
_ARRAY_BUFFER, _ELEMENT_BUFFER = 34962, 34963


def encode_glb(mesh: TexturedMesh) -> bytes:
    """One GLB with its texture inside, unlit: a photograph must not be shaded a second time."""
    vertices = mesh.vertices
    indices = mesh.faces.astype("<u4")
    parts = [
        (indices.tobytes(), _ELEMENT_BUFFER),
        (vertices.astype("<f4").tobytes(), _ARRAY_BUFFER),
        (mesh.uv.astype("<f4").tobytes(), _ARRAY_BUFFER),
        (encode_png(mesh.texture), None),
    ]
    buffer, views = b"", []
    for data, target in parts:
        view = {"buffer": 0, "byteOffset": len(buffer), "byteLength": len(data)}
        views.append(view | ({"target": target} if target else {}))
        buffer += data + b"\0" * (-len(data) % 4)
    low, high = (vertices.min(0), vertices.max(0)) if len(vertices) else (np.zeros(3), np.zeros(3))
    position = {"min": [float(v) for v in low], "max": [float(v) for v in high]}
    document = {
        "asset": {"version": "2.0", "generator": "LRAS Studio", "extras": {"axes": AXES_IN_WORDS[mesh.axes]}},
        "extensionsUsed": ["KHR_materials_unlit"],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "photo", "mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 1, "TEXCOORD_0": 2}, "indices": 0, "material": 0}]}],
        "accessors": [
            {"bufferView": 0, "componentType": _UNSIGNED_INT, "count": indices.size, "type": "SCALAR"},
            {"bufferView": 1, "componentType": _FLOAT, "count": len(vertices), "type": "VEC3"} | position,
            {"bufferView": 2, "componentType": _FLOAT, "count": len(mesh.uv), "type": "VEC2"},
        ],
        "materials": [
            {
                "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}, "metallicFactor": 0, "roughnessFactor": 1},
                "extensions": {"KHR_materials_unlit": {}},
                "doubleSided": True,
            }
            | _alpha_mode(mesh)
        ],
        "textures": [{"source": 0, "sampler": 0}],
        # Linear filters; clamped, for the photo does not repeat.
        "samplers": [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}],
        "images": [{"bufferView": 3, "mimeType": "image/png"}],
        "bufferViews": views,
        "buffers": [{"byteLength": len(buffer)}],
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(buffer), b"BIN\0") + buffer
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def encode_obj(mesh: TexturedMesh, names: tuple[str, ...]) -> tuple[bytes, bytes, bytes]:
    """The geometry, its material and its texture, which name each other by `names` in this order."""
    _, material_name, texture_name = names
    uv = mesh.uv.astype(np.float64)
    uv[:, 1] = 1 - uv[:, 1]  # OBJ counts v upwards
    corners = np.repeat(mesh.faces.astype(np.int64) + 1, 2, axis=1)
    text = (
        _line(f"# axes {AXES_IN_WORDS[mesh.axes]}")
        + _line(f"mtllib {material_name}")
        + _line("usemtl photo")
        + number_rows("v %.9g %.9g %.9g\n", mesh.vertices.astype(np.float64))
        + number_rows("vt %.9g %.9g\n", uv)
        + number_rows("f %d/%d %d/%d %d/%d\n", corners)
    )
    material = ["newmtl photo", "Ka 1 1 1", "Kd 1 1 1", "Ks 0 0 0", "illum 0", f"map_Kd {texture_name}"]
    if mesh.texture.shape[2] == 4:
        material.append(f"map_d {texture_name}")
    return text, b"".join(map(_line, material)), encode_png(mesh.texture)


def _alpha_mode(mesh: TexturedMesh) -> dict[str, object]:
    """How glTF draws a texture with transparency: cut out, or blended where some of it is partly transparent."""
    if mesh.texture.shape[2] == 3:
        return {}
    alpha = mesh.texture[..., 3]
    return {"alphaMode": "MASK" if ((alpha == 0) | (alpha == 255)).all() else "BLEND"}


def _line(words: str) -> bytes:
    return words.encode("utf-8", "surrogateescape") + b"\n"
