// Select everything: the photo's objects, outlined while their tool is in hand, one click away.
import { ask, gesture } from "./link.js";
import { holds, setProposals } from "./overlay.js";
import { $ } from "./words.js";

let proposals = [], asked = "", looked = "";

// Asks for what the state has, and has the photo looked at when nobody has yet.
export async function showProposals(state) {
  const stage = $("stage").dataset;
  const wanted = state.photo_name && stage.tool === "all" && stage.view === "photo" && state.camera.at_home;
  const photo = `${state.photo_name} ${state.mask_backend}`;
  if (!wanted || state.proposals !== null) looked = "";
  if (wanted && state.proposals === null && looked !== photo) {
    looked = photo;
    gesture("find_objects");
  }
  const now = wanted && state.proposals ? `${photo} ${state.proposals} ${state.revision}` : "";
  if (now === asked) return;
  asked = now;
  const answer = now ? await ask("proposals") : { proposals: [] };
  if (asked !== now || !answer) return;
  proposals = answer.proposals.sort((a, b) => b.area - a.area);
  setProposals(proposals);
}

// The smallest one at a photo pixel: parts lie over their whole.
export const proposalAt = (point) => proposals.findLast((proposal) => holds(proposal.outline, point)) ?? null;

export function take(point) {
  const proposal = proposalAt(point);
  return proposal ? gesture("take", { index: proposal.index }) : null;
}
