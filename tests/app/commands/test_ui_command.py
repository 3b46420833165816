"""The `ui` command up to the moment when it serves."""

import argparse
import socket

import pytest

from app.commands.ui import check_source, gigabytes, listening_socket, open_source
from core.errors import InvalidInput


def test_a_taken_port_is_said_in_one_sentence():
    with listening_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidInput, match=f"127.0.0.1:{port}"):
            listening_socket("127.0.0.1", port)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70000), ("192.0.2.1", 0)])
def test_an_address_that_cannot_be_had_is_refused(host, port):
    with pytest.raises(InvalidInput, match="--port"):
        listening_socket(host, port)


def test_only_this_machine_is_listened_to_by_default():
    from app.commands.ui import add_ui

    parser = argparse.ArgumentParser()
    add_ui(parser.add_subparsers())
    args = parser.parse_args(["ui"])
    assert args.host == "127.0.0.1"
    assert args.photo is None
    with listening_socket(args.host, 0) as listener:
        assert listener.family is socket.AF_INET


def test_an_answer_does_not_wait_for_its_second_part():
    import asyncio

    async def answers_at_once() -> int:
        accepted = asyncio.get_running_loop().create_future()
        with listening_socket("127.0.0.1", 0) as listener:
            server = await asyncio.start_server(lambda _, writer: accepted.set_result(writer), sock=listener)
            _, ours = await asyncio.open_connection(*listener.getsockname())
            theirs = await accepted
            at_once = theirs.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            for writer in (ours, theirs):
                writer.close()
            server.close()
        return at_once

    assert asyncio.run(answers_at_once())


@pytest.mark.parametrize("amount", ["0", "-1", "nan", "inf", "much"])
def test_an_impossible_ceiling_is_refused(amount):
    assert gigabytes("1.5") == 1_500_000_000
    with pytest.raises(argparse.ArgumentTypeError, match="gigabytes"):
        gigabytes(amount)


def test_a_photo_that_is_not_there_is_refused():
    with pytest.raises(InvalidInput, match="no file"):
        check_source("nowhere.png")


@pytest.mark.parametrize(("name", "content", "said"), [
    ("text.png", b"no picture", "not a picture"),
    ("photo.lras", b"\xff\xd8\xff", "not a project"),
    ("empty.jpg", b"", "is empty"),
])  # fmt: skip
def test_a_file_of_the_wrong_kind_is_refused_before_serving(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=f"{name} {said}|{name} is {said}"):
        check_source(str(tmp_path / name))
    with pytest.raises(InvalidInput, match="folder"):
        check_source(str(tmp_path))


def test_a_sample_is_known_by_its_name():
    check_source("sample:coffee")
    with pytest.raises(InvalidInput, match="coffee"):
        check_source("sample:nothing")


def test_a_photo_from_the_command_line_is_open(tab, tmp_path):
    from studio_photo import square_photo

    path = tmp_path / "square.png"
    path.write_bytes(square_photo())
    open_source(tab.session, str(path))
    assert tab.session.state.photo_name == "square.png"
