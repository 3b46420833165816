"""What a command tells while it works."""

from app.progress import Progress


def test_a_notice_is_printed_once_and_kept(capsys):
    progress = Progress()
    with progress.stage("open"):
        progress.tell("The photo has 3 pages; the first is opened.")
        progress.tell("The photo has 3 pages; the first is opened.")
    progress.tell("The object is out of view.")
    assert progress.notices == ["The photo has 3 pages; the first is opened.", "The object is out of view."]
    printed = capsys.readouterr()
    assert printed.err == ("notice: The photo has 3 pages; the first is opened.\nnotice: The object is out of view.\n")
    assert printed.out == ""
