// What markup alone cannot do: keep a thread at its end, send with Enter, and offer the shipped text again.
"use strict";

const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 80;
const toEnd = (box) => { box.scrollTop = box.scrollHeight; };
const scrolling = ".thread, .screen";

const offerShipped = (area) => {
  const button = area.closest("label").parentElement.querySelector(`[data-of="${CSS.escape(area.name)}"]`);
  if (button) button.hidden = area.value === area.dataset.shipped;
};

const ready = (root) => {
  root.querySelectorAll("textarea[data-shipped]").forEach((area) => {
    let button = area.closest("label").nextElementSibling;
    while (button && !button.classList.contains("restore")) button = button.nextElementSibling;
    if (button) button.dataset.of = area.name;
    offerShipped(area);
  });
};

document.addEventListener("DOMContentLoaded", () => {
  ready(document);
  document.querySelectorAll(scrolling).forEach(toEnd);
});

document.addEventListener("input", (event) => {
  if (event.target.matches("textarea[data-shipped]")) offerShipped(event.target);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || !event.target.matches("textarea[data-send]")) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.restore");
  if (!button) return;
  const area = document.getElementsByName(button.dataset.of)[0];
  area.value = area.dataset.shipped;
  offerShipped(area);
  area.focus();
});

// A reader who scrolled up stays where they are; one at the end sees what comes.
let follow = true;
document.addEventListener("htmx:beforeSwap", (event) => {
  const box = event.detail.target.closest(".thread");
  follow = !box || atEnd(box);
});
document.addEventListener("htmx:afterSettle", (event) => {
  const target = event.detail.target.isConnected ? event.detail.target : document;
  const box = target.closest ? target.closest(".thread") : null;
  if (box && follow) toEnd(box);
  if (event.target.id === "reply") event.target.querySelector("textarea").focus();
  document.querySelectorAll(".screen").forEach(toEnd);
});
