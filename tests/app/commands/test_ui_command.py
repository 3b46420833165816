"""The `ui` command up to the moment when it serves."""

import socket

import pytest

from app.commands.ui import listening_socket, open_source
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
    import argparse

    from app.commands.ui import add_ui

    parser = argparse.ArgumentParser()
    add_ui(parser.add_subparsers())
    args = parser.parse_args(["ui"])
    assert args.host == "127.0.0.1"
    assert args.photo is None
    with listening_socket(args.host, 0) as listener:
        assert listener.family is socket.AF_INET


def test_a_photo_that_is_not_there_is_refused(tab):
    with pytest.raises(InvalidInput, match="no file"):
        open_source(tab.session, "nowhere.png")


def test_a_photo_from_the_command_line_is_open(tab, tmp_path):
    from studio_photo import square_photo

    path = tmp_path / "square.png"
    path.write_bytes(square_photo())
    open_source(tab.session, str(path))
    assert tab.session.state.photo_name == "square.png"
