"""Textured meshes as GLB and OBJ, both in glTF axes: x right, y up, z towards the viewer (-z forward)."""

import json
import struct

import numpy as np

from core.files.png import encode_png
from core.files.text import number_rows
from core.types.geometry import TexturedMesh

_GLTF_FROM_WORLD = np.array([1, -1, -1], np.float32)  # x right, y down, z forward -> y up, -z forward
_FLOAT, _UNSIGNED_INT = 5126, 5125
_ARRAY_BUFFER, _ELEMENT_BUFFER = 34962, 34963


def encode_glb(mesh: TexturedMesh) -> bytes:
    """One GLB with its texture inside, unlit: a photograph must not be shaded a second time."""
    vertices = mesh.vertices * _GLTF_FROM_WORLD
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
        "asset": {"version": "2.0", "generator": "LRAS Studio"},
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


def encode_obj(mesh: TexturedMesh, stem: str) -> dict[str, bytes]:
    """Files by name: `stem`.obj first, with its material `stem`.mtl and texture `stem`.png beside it."""
    vertices = (mesh.vertices * _GLTF_FROM_WORLD).astype(np.float64)
    uv = mesh.uv.astype(np.float64)
    uv[:, 1] = 1 - uv[:, 1]  # OBJ counts v upwards
    corners = np.repeat(mesh.faces.astype(np.int64) + 1, 2, axis=1)
    name = stem.replace(" ", "_")  # readers split these lines at spaces
    text = (
        f"mtllib {name}.mtl\nusemtl photo\n".encode()
        + number_rows("v %.9g %.9g %.9g\n", vertices)
        + number_rows("vt %.9g %.9g\n", uv)
        + number_rows("f %d/%d %d/%d %d/%d\n", corners)
    )
    material = f"newmtl photo\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nillum 0\nmap_Kd {name}.png\n"
    return {
        f"{stem}.obj": text,
        f"{name}.mtl": material.encode(),
        f"{name}.png": encode_png(mesh.texture),
    }
