"""Select everything: the photo's objects are proposed at once, and those that are taken are cut out."""

from app import selection
from app.export_jobs import Tell
from app.session_masks import MaskGestures
from app.session_models import ModelGestures
from app.ui.text import say
from core.errors import InvalidInput
from core.perception import everything
from core.perception.everything import Proposal
from core.types.mask import Prompt
from core.types.protocols import CancelToken


class FindingGestures(MaskGestures, ModelGestures):
    """Proposals belong to the photo and the mask back-end; another of either forgets them."""

    def find_objects(self) -> None:
        """Look for the photo's objects in the background, unless they are known or being looked for."""
        photo, name = self.project.photo, self._mask_backend
        wanted = photo.id, name
        if self._found is not None or self._finding == wanted:
            return
        self._finding = wanted

        def work(tell: Tell, cancel: CancelToken) -> tuple[Proposal, ...]:
            def progress(share: float) -> None:
                if self._finding != wanted:
                    cancel.cancel()
                tell(say("export.looking"), share)

            return everything.find_objects(self.services.segmentation(name), photo, cancel, progress)

        def done(found: tuple[Proposal, ...]) -> None:
            if (self.project.photo.id, self._mask_backend) == wanted:
                self._found = found
                self._notify("changed")

        def over() -> None:
            if self._finding == wanted:
                self._finding = None

        self._in_background(say("export.looking"), work, done, over)

    def take_proposal(self, index: int) -> None:
        """Cut a proposal out as a new object, which clicks refine. Raises InvalidInput for an unknown one."""
        found = self._found or ()
        if not 0 <= index < len(found):
            raise InvalidInput(f"There is no proposal {index}; look for the photo's objects again.")
        self._selected, photo = None, self.project.photo
        prompt = Prompt(clicks=(found[index].click_on(photo),))
        self._take_pick(selection.Pick(prompt, (found[index].mask_for(photo),)))

    @property
    def proposals(self) -> tuple[Proposal, ...]:
        """What was found; empty before."""
        return self._found or ()
