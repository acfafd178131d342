// What the writing assistant proposes: put into its field, with the way back to what stood there.
"use strict";

const put = (area, words) => {
  area.value = words;
  area.dispatchEvent(new Event("input", { bubbles: true }));
};

document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  const proposal = target.matches(".draft") && target.querySelector("[data-proposal]");
  if (!proposal) return;
  const area = document.getElementsByName(target.dataset.of)[0];
  const undo = proposal.querySelector("[data-undo]");
  const before = area.value;
  put(area, proposal.dataset.proposal);
  undo.hidden = false;
  undo.addEventListener("click", () => {
    put(area, before);
    target.replaceChildren();
    area.focus();
  });
});

document.addEventListener("htmx:afterRequest", ({ detail: { elt, successful, xhr } }) => {
  if (elt.id === "keep-summary" && successful && isSent(xhr.responseText)) elt.remove();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-discard]")) event.target.closest("form").remove();
});
