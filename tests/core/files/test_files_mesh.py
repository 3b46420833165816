import io
from dataclasses import replace

import numpy as np
import pytest

from core.errors import InvalidInput
from core.files.formats import format_named
from core.files.mesh import encode_glb
from core.types.geometry import TexturedMesh

RNG = np.random.default_rng(4)
TEXTURE = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)
# A square two units before the camera, its top left corner showing the texture's top left corner.
MESH = TexturedMesh(
    np.array([[-1, -1, 2], [1, -1, 2], [-1, 1, 2], [1, 1, 2]], np.float32),
    np.array([[0, 2, 1], [1, 2, 3]], np.int32),
    np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32),
    TEXTURE,
)
GLTF_VERTICES = MESH.vertices * (1, -1, -1)
MESH = replace(MESH, vertices=GLTF_VERTICES.astype(np.float32), axes="gltf")


def obj_files(mesh: TexturedMesh, stem: str) -> dict[str, bytes]:
    return format_named("obj").encode(mesh, stem)


def checked(mesh) -> None:
    order = [int(np.nonzero((np.abs(mesh.vertices - v) < 1e-6).all(axis=1))[0][0]) for v in GLTF_VERTICES]
    # trimesh counts v upwards whatever the file format does.
    assert np.allclose(mesh.visual.uv[order], MESH.uv * (1, -1) + (0, 1))
    assert len(mesh.faces) == 2
    # Both triangles face the camera, which looks along -z in these axes.
    assert (mesh.face_normals[:, 2] > 0.99).all()


def test_glb_comes_back_in_gltf_axes_with_its_texture():
    import trimesh

    mesh = trimesh.load(io.BytesIO(encode_glb(MESH)), file_type="glb", force="mesh")
    checked(mesh)
    assert np.array_equal(np.asarray(mesh.visual.material.baseColorTexture.convert("RGB")), TEXTURE)


def test_obj_comes_back_with_material_and_texture(tmp_path):
    import trimesh

    files = obj_files(MESH, "my cup")
    assert list(files) == ["my cup.obj", "my_cup.mtl", "my_cup-texture.png"]
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    mesh = trimesh.load(tmp_path / "my cup.obj", force="mesh", process=False)
    checked(mesh)
    assert np.array_equal(np.asarray(mesh.visual.material.image.convert("RGB")), TEXTURE)


def test_open3d_reads_both(tmp_path):
    import open3d

    (tmp_path / "a.glb").write_bytes(encode_glb(MESH))
    for name, data in obj_files(MESH, "a").items():
        (tmp_path / name).write_bytes(data)
    for name in ("a.glb", "a.obj"):
        mesh = open3d.io.read_triangle_mesh(str(tmp_path / name))
        assert len(mesh.triangles) == 2
        assert sorted(map(tuple, np.asarray(mesh.vertices).tolist())) == sorted(map(tuple, GLTF_VERTICES.tolist()))


def test_empty_mesh_is_a_valid_file():
    nothing = TexturedMesh(
        np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32), np.zeros((0, 2), np.float32), TEXTURE
    )
    assert encode_glb(nothing)[:4] == b"glTF"
    assert obj_files(nothing, "n")["n.obj"].startswith(b"# axes opencv")


def test_faces_must_name_existing_vertices():
    with pytest.raises(InvalidInput, match="vertices that exist"):
        TexturedMesh(MESH.vertices, np.array([[0, 1, 4]], np.int32), MESH.uv, TEXTURE)
