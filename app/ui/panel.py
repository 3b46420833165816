"""What every panel is made of: components, how a state fills them, and handlers that call a session."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.blocks import Block

from app.notices import sentence_of
from app.state import SessionState
from app.ui.text import say

if TYPE_CHECKING:
    from app.session import Session
    from app.store import SessionStore

# Not queued: such a call answers in about 30 ms, and a later one of the same control replaces a waiting one.
QUIET: dict[str, Any] = {
    "queue": False,
    "show_progress": "hidden",
    "trigger_mode": "always_last",
    "api_visibility": "private",
}
_SHOW_NOTICE = "(sentence) => window.studio.notice(sentence)"


@dataclass(frozen=True)
class Panel:
    """Components that follow the session's state; `updates` gives one update for each, in order."""

    outputs: list[Block]
    updates: Callable[[SessionState], list[Any]]


class PanelTools:
    """The session behind a page's key, and handlers whose failures reach the status line.

    Bind only events that a person causes (submit, blur, release, click): what a refresh writes into a
    field must not come back as a gesture.
    """

    def __init__(self, store: "SessionStore", key: gr.Textbox) -> None:
        self._store = store
        self._key = key
        self._notice = gr.Textbox(visible="hidden", elem_id="notice")
        self.lazy: list[tuple[Callable[[str], Any], Block]] = []

    def find(self, key: str) -> "Session | None":
        """The session of a page, None when it is gone."""
        try:
            return self._store.get(key)
        except KeyError:
            return None

    def on(
        self,
        events: list[Callable[..., Any]],
        act: Callable[..., None],
        inputs: list[Block] | None = None,
        words: str | None = None,
    ) -> None:
        """Call `act(session, *values)` on each of `events`; its failure is one sentence in the status line.

        The status line says `words` meanwhile, for what takes longer than a moment.
        """

        def run(key: str, *values: Any) -> str:
            session = self.find(key)
            if session is None:
                return say("error.key")
            try:
                with nullcontext() if words is None else session.working(words):
                    act(session, *values)
            except Exception as failure:  # noqa: BLE001 - the door to the page: every failure becomes a sentence
                return sentence_of(failure)
            return ""

        for event in events:
            told = event(run, [self._key, *(inputs or [])], [self._notice], **QUIET)
            told.then(None, [self._notice], None, js=_SHOW_NOTICE)

    def when_open(self, panel: gr.Accordion, draw: Callable[[str], Any], output: Block) -> None:
        """Fill `output` by `draw(key)` when `panel` opens, and on news while the page says that it is open."""
        panel.expand(draw, [self._key], [output], **QUIET)
        self.lazy.append((draw, output))


def number(label: str, elem_id: str, **options: Any) -> gr.Number:
    """A compact number field with its label above."""
    return gr.Number(0, label=label, elem_id=elem_id, precision=3, step=0.01, min_width=40, interactive=True, **options)


def button(words: str, elem_id: str, **options: Any) -> gr.Button:
    """A small, quiet button."""
    return gr.Button(words, elem_id=elem_id, size="sm", min_width=40, **options)


def plain(content: str, **options: Any) -> gr.HTML:
    """HTML of our own that Gradio neither styles nor scripts."""
    return gr.HTML(content, apply_default_css=False, js_on_load=None, **options)


def upload_button(words: str, what: str) -> gr.HTML:
    """A button whose file our script sends, so that no copy stays in Gradio's own upload folder."""
    return plain(f'<button id="load-{what}" data-testid="load-{what}" data-upload="{what}">{words}</button>')


def heading(words: str, elem_id: str) -> gr.HTML:
    """A line of text between fields."""
    return plain(words, elem_id=elem_id, elem_classes=["heading"])


def same(exact: float, given: float, digits: int = 3) -> bool:
    """Whether a field still holds what the state put there, to the digits it shows."""
    return abs(round(exact, digits) - given) < 0.5 * 10**-digits
