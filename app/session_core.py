"""What every session has: a history, a revision, a render job and people who listen."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

from app import selection
from app.estimate import TimeEstimate
from app.export_jobs import ExportJobs
from app.frames import Frames
from app.jobs import JobState, RenderJobs
from app.keeping import NoKeeper
from app.services import Services
from app.state import Event, EventKind, Numbers, SessionState, numbers_of, project_state
from app.thumbnail import thumbnail
from app.unsaved import Entry
from core.editing.apply import apply
from core.editing.history import History
from core.errors import InvalidInput
from core.perception.everything import Proposal
from core.perception.registry import preferred_depth, preferred_segmentation, segmentation_backends
from core.types import edits
from core.types.frame import Frame
from core.types.project import Project
from core.types.protocols import CancelToken
from core.types.scene import Placement, SceneObject

Listener = Callable[[Event], None]


class SessionCore:
    """Thread-safe. Methods raise EditorError with a sentence for the user and then change nothing."""

    def __init__(self, key: str, services: Services, keeper: NoKeeper | None = None) -> None:
        self.key = key
        self.services = services
        progressed = partial(self._notify, "progress")
        self._keeper = keeper or NoKeeper()
        self._keeper.on_change = progressed
        # Held for a moment, to read or change what is here; and as long as a gesture takes that later ones come after.
        self._lock = threading.RLock()
        self._turn = threading.RLock()
        self.closing = CancelToken()
        self._history: History | None = None
        self._revision = 0
        self._selected: str | None = None
        self._picks: dict[str, selection.Pick] = {}
        self._frames: dict[int, Frame] = {}
        self._listeners: list[Listener] = []
        self.estimate = TimeEstimate()
        self._pictures = Frames(services, self.estimate)
        self.openings = ExportJobs(progressed)
        self.exports = ExportJobs(progressed)
        self.models = ExportJobs(progressed)
        self._waited_for = (self.openings, self.exports, self.models)
        self._not_opened: str | None = None
        self._untold: tuple[str, ...] = ()
        self._found: tuple[Proposal, ...] | None = None
        self._finding: tuple[str, str] | None = None
        self._mask_backend = services.mask_backend or preferred_segmentation()
        self._considered = (services.depth_backend or preferred_depth(), self._mask_backend)
        self._jobs = RenderJobs(services.turns, self._frame_arrived, self._job_changed)
        self._ahead = RenderJobs(services.turns, lambda *_: None, lambda *_: None, behind=True)

    # ---- history and selection

    def select(self, object_id: str | None) -> None:
        """Make an object the one that gizmo and numbers act on; not an undo step."""
        if object_id is not None:
            self.project.scene.object(object_id)
        self._selected = object_id
        self._notify("changed")
        self._paint_ahead()

    def undo(self) -> None:
        """One step back."""
        self._move(History.undo)

    def redo(self) -> None:
        """One step forward."""
        self._move(History.redo)

    def goto(self, index: int) -> None:
        """Show a step of the history."""
        self._move(lambda history: history.at(index))

    # ---- results

    def cancel(self) -> None:
        """Stop what is opened, else the export that runs, else fetching or asking a model, else rendering.

        The last frame stays.
        """
        next((work for work in self._waited_for if work.state.running), self._jobs).cancel()

    def refresh(self) -> None:
        """Render the shown step again, after a cancel or a failure."""
        self._render()

    def full_frame(self, project: Project | None = None, cancel: CancelToken | None = None) -> Frame:
        """A project (the shown step's by default) at the photo's own size; kept, so that a second export is quick.

        Raises Cancelled soon after `cancel` was set, EngineFailed if the engine cannot finish.
        """
        return self._pictures.full(project or self.project, cancel)

    def export_seconds(self, format_name: str) -> float | None:
        """How long an export of the shown step will take; None while nothing is known about it."""
        rendering = self._full_size_seconds()
        return None if rendering is None else rendering + self.estimate.writing(format_name, self.project.photo)

    @property
    def project(self) -> Project:
        """The shown step's project. Raises InvalidInput before a photo is open."""
        return self._known_history.project

    @property
    def history(self) -> History | None:
        return self._history

    @property
    def kept_as(self) -> str | None:
        """The entry of unsaved work that this session writes."""
        return self._keeper.entry_id

    @property
    def revision(self) -> int:
        return self._revision

    @property
    def selected_object(self) -> SceneObject | None:
        """The object that gizmo and numbers act on."""
        if self._selected is None:
            return None
        return self.project.scene.object(self._selected)

    @property
    def frame(self) -> Frame | None:
        """The newest frame of the shown revision."""
        return self._frames.get(self._revision)

    def frame_of_step(self, index: int) -> Frame | None:
        """The finished preview of a history step, while it is still remembered."""
        steps = self._known_history.steps
        if not 0 <= index < len(steps):
            raise InvalidInput(f"There is no step {index} in the history; it has {len(steps)}.")
        return self._pictures.known_preview(steps[index].project)

    @property
    def state(self) -> SessionState:
        """A snapshot for whoever shows it."""
        with self._lock:
            base = SessionState(
                revision=self._revision,
                mask_title=segmentation_backends()[self._mask_backend].info.title,
                mask_backend=self._mask_backend,
                considered=self._considered,
                models=self.models.state,
                opening=replace(self.openings.state, error=self._not_opened),
                proposals=None if self._found is None else len(self._found),
                not_kept=self._keeper.not_kept,
            )
            if self._history is None:
                return base
            history, frame = self._history, self.frame
            return replace(
                base,
                **project_state(history.project, self._selected),
                engine_title=self.services.engine_info(history.project.settings.engine).title,
                steps=tuple(step.label for step in history.steps),
                step=history.index,
                can_undo=history.can_undo,
                can_redo=history.can_redo,
                job=self._jobs.state,
                export=self.exports.state,
                share_invented=None if frame is None else float(frame.invented.mean()),
                adherence=self.services.memo.find(("adherence", history.project, self._mask_backend)),
                expected_seconds=self._full_size_seconds(),
            )

    def hold(self, object_id: str, placement: Placement) -> None:
        """Tell listeners where a hand has an object while it drags; nothing changes."""
        self.project.scene.object(object_id)
        self._notify("held", held=numbers_of(self.project.scene, placement))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear of changes; the returned function ends it. Listeners must not block."""
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def report(self, sentence: str) -> None:
        """Tell listeners of a failure that happened outside a method call."""
        self._notify("error", sentence)

    def working(self, stage: str) -> AbstractContextManager[object]:
        """While inside, the state says that the session does this."""
        return self.models.shown(stage, CancelToken())

    def tell(self, notice: str) -> None:
        """Tell listeners what they should know of something that was done all the same: one sentence."""
        self._notify("notice", notice)

    def take_untold(self) -> tuple[str, ...]:
        """What is to be said about the photo as it was opened: to the first page that asks, and only once."""
        with self._lock:
            told, self._untold = self._untold, ()
        return told

    def wait_idle(self, timeout: float) -> bool:
        """Whether all rendering is done within `timeout` seconds."""
        return self._jobs.wait_idle(timeout)

    def in_turn(self) -> AbstractContextManager[None]:
        """For work that a network does at once while its user waits. Raises Cancelled when the session ends."""
        return self.services.turns.turn(self.closing)

    @property
    def is_needed(self) -> bool:
        """Whether something would be lost if it ended now: work in hand that its user asked for, or not yet on disk."""
        return self._keeper.not_kept is not None or any(work.state.running for work in self._waited_for)

    def give_up(self) -> None:
        """Ask all work to stop, without waiting for it; whoever waits for its result hears Cancelled."""
        self.closing.cancel()
        for work in (self._jobs, self._ahead, *self._waited_for):
            work.cancel()

    def close(self) -> None:
        """Stop all work and wait for what runs to notice."""
        self.give_up()
        self._keeper.close()
        for work in (self._jobs, self._ahead, *self._waited_for):
            work.close()
        self._listeners.clear()

    # ---- inside

    @property
    def _known_history(self) -> History:
        if self._history is None:
            opening = self.openings.state
            raise InvalidInput(f"{opening.stage}; wait for it." if opening.running else "Open a photo first.")
        return self._history

    def _full_size_seconds(self) -> float | None:
        """How long the shown step will take at the photo's own size; None while nothing of it is seen."""
        project = self.project
        is_seen = self.frame is not None or self._pictures.known_full(project) is not None
        return self._pictures.full_seconds(project) if is_seen else None

    def _replace_history(self, history: History, entry: Entry | None = None) -> None:
        """Show another photo; `entry` is where it was kept until now."""
        with self._turn:
            self._keeper.begin(history, entry)
            with self._lock:
                if self._history is None or history.project.photo.id != self.project.photo.id:
                    self._found = self._finding = None
                self._history, self._selected = history, None
                self._picks.clear()
                self._revision += 1
        self._render()
        self._notify("changed")

    def _commit(self, edit: edits.Edit, label: str, select: str | None = None) -> None:
        with self._turn:
            before = self._known_history
            self._show(before.push(apply(before.project, edit), label), select)

    def _move(self, step: Callable[[History], History]) -> None:
        with self._turn:
            history = step(self._known_history)
            if history.index != self._known_history.index:
                self._show(history)

    def _show(self, history: History, select: str | None = None) -> None:
        self._keeper.change(history)
        with self._lock:
            self._history = history
            self._selected = select if select is not None else self._still_there(self._selected)
            self._revision += 1
        self._render()
        self._notify("changed")

    def _still_there(self, object_id: str | None) -> str | None:
        objects = self._known_history.project.scene.objects
        return object_id if any(o.id == object_id for o in objects) else None

    def _render(self) -> None:
        with self._lock:
            project, revision = self.project, self._revision
        self._ahead.cancel()
        self._jobs.start(revision, "Updating the picture", partial(self._pictures.preview, project))

    def _paint_ahead(self) -> None:
        """Begin to paint what is behind the selected object, so that it is there once that is moved.

        A failure is shown when the object is moved.
        """
        with self._lock:
            selected, busy = self.selected_object, self._jobs.state.running
            project, revision = self.project, self._revision
        if self.closing.cancelled or selected is None or busy or not selected.is_untouched or project.flow_override:
            self._ahead.cancel()
            return
        self._ahead.start(revision, "Painting ahead", partial(self._pictures.paint_behind, project, selected.id))

    def _frame_arrived(self, revision: int, frame: Frame) -> None:
        with self._lock:
            if revision != self._revision:
                return
            self._frames = {revision: frame}
            self.estimate.learn(frame)
            photo = self.project.photo
        self._notify("frame")
        if frame.stage == "final":
            self._keeper.show(thumbnail(frame, photo))

    def _job_changed(self, revision: int, state: JobState) -> None:
        if state.error is not None:
            self._notify("error", state.error)
        elif revision == self._revision:
            self._notify("progress")
            if not state.running:
                self._paint_ahead()

    def _notify(self, kind: EventKind, message: str = "", held: Numbers | None = None) -> None:
        with self._lock:
            event, listeners = Event(kind, self._revision, message, held), tuple(self._listeners)
        for listener in listeners:
            listener(event)
