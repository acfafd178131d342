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

// hx-swap="morph" (an element) and "morph:innerHTML" (what is in it): what is shown already and stays the same is left alone, with
// what was typed into it, and what was opened stays open. idiomorph's own extension hands all of it back to htmx, which then wires
// it anew, and the stream's events count twice: here only what is new is wired. What is wired differently needs another id.
if (window.htmx && window.Idiomorph) {
  htmx.defineExtension("morph", {
    handleSwap(style, target, fragment) {
      if (!style.startsWith("morph")) return false;
      const added = [];
      Idiomorph.morph(target, fragment.children, {
        morphStyle: style === "morph" ? "outerHTML" : "innerHTML",
        callbacks: {
          beforeNodeMorphed: (mine, given) => !mine.isEqualNode(given),
          beforeAttributeUpdated: (name) => name !== "open",
          afterNodeAdded: (node) => { added.push(node); },
        },
      });
      return added;
    },
  });
}

// A reader who scrolled up stays where they are; one at the end sees what comes.
let reading = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target } = event.detail;
  const box = target.closest(".thread");
  reading = box && { box, follow: atEnd(box), fromEnd: target.matches(".earlier") ? box.scrollHeight - box.scrollTop : 0 };
});
document.addEventListener("htmx:afterSwap", () => {
  if (!reading) return;
  const { box, follow, fromEnd } = reading;
  reading = null;
  if (fromEnd) box.scrollTop = box.scrollHeight - fromEnd;
  else if (follow) toEnd(box);
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "phone") toEnd(event.target.querySelector(".screen"));
});

// Nobody has read what came while the page was hidden.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.matches("[data-seen]") && document.hidden) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.querySelectorAll("[data-seen]").forEach((each) => htmx.trigger(each, "seen"));
});

// All tabs share one stream (live.js); a browser without shared workers has one in each.
class SharedSource extends EventTarget {
  constructor(worker, name) {
    super();
    this.readyState = EventSource.CONNECTING;
    this.asked = new Set();
    this.port = new SharedWorker(worker, name).port;
    this.port.onmessage = ({ data }) => {
      if (data.name) this.dispatchEvent(new Event(data.name));
      if (data.open) {
        this.readyState = EventSource.OPEN;
        if (this.onopen) this.onopen(new Event("open"));
      }
      if (data.error) {
        this.readyState = data.state;
        if (data.state === EventSource.CLOSED) this.close(); // whoever hears of it opens another
        if (this.onerror) this.onerror(new Event("error"));
      }
    };
    addEventListener("pagehide", (event) => { if (!event.persisted) this.close(); });
  }

  addEventListener(name, listener) {
    super.addEventListener(name, listener);
    if (this.asked.has(name)) return;
    this.asked.add(name);
    this.port.postMessage({ listen: name });
  }

  close() {
    this.readyState = EventSource.CLOSED;
    this.port.postMessage({ close: true });
    this.port.close();
  }
}
if (window.htmx && "SharedWorker" in window) {
  htmx.createEventSource = (address) => {
    const { live, user } = document.body.dataset;
    return address === "/live" && live ? new SharedSource(live, `live-${user}`) : new EventSource(address);
  };
}

// Alerts: the time that is left, the title's count, a sound where it is allowed, keys, and the conversation that it is about.
const ring = () => {
  if (localStorage.getItem("sound") !== "on" || !("AudioContext" in window)) return;
  const audio = new AudioContext();
  [[660, 0], [880, .16]].forEach(([pitch, at]) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const from = audio.currentTime + at;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, from);
    volume.gain.linearRampToValueAtTime(.08, from + .02);
    volume.gain.exponentialRampToValueAtTime(.001, from + .35);
    tone.connect(volume).connect(audio.destination);
    tone.start(from);
    tone.stop(from + .4);
  });
  setTimeout(() => audio.close(), 1000);
};

const alertBox = () => document.getElementById("alerts");
const alertCards = () => [...document.querySelectorAll("#alerts .alert")];
const alertsOpen = () => [...document.querySelectorAll("#alerts [data-tags]")].flatMap((each) => each.dataset.tags.split(" "));
let alertsSeen = null; // none yet: those of a page that opens make no sound
let clockSkew = 0; // the server's clock less ours, in ms

const showAlertTimes = () => document.querySelectorAll("#alerts [data-until]").forEach((each) => {
  const left = Math.max(0, Math.ceil((Number(each.dataset.until) - Date.now() - clockSkew) / 1000));
  each.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  each.classList.toggle("soon", left <= 30);
});

const highlightAlerted = () => {
  const talks = new Set(alertCards().map((card) => card.dataset.talk));
  document.querySelectorAll(".rows li[id^='talk-']").forEach((row) => row.classList.toggle("alerted", talks.has(row.id.slice(5))));
};

const alertsChanged = () => {
  const open = alertsOpen();
  const clock = document.querySelector("#alerts [data-now]");
  if (clock) clockSkew = Number(clock.dataset.now) - Date.now();
  showAlertTimes();
  highlightAlerted();
  document.title = (open.length ? `(${open.length}) ` : "") + document.title.replace(/^\(\d+\) /, "");
  if (alertsSeen && open.some((tag) => !alertsSeen.has(tag))) ring();
  alertsSeen = new Set(open);
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.getRegistration().then((found) => {
      if (found && found.active) found.active.postMessage({ open });
    });
  }
};

if (document.getElementById("alerts")) setInterval(showAlertTimes, 1000);
const alertsIn = (markup) => (markup.match(/ data-tags="[^"]*"/g) || []).join();
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target !== alertBox()) return;
  // The same again stays as it is: who reads, hears or answers it is not interrupted.
  if (alertsIn(event.detail.xhr.responseText) === alertsIn(alertBox().innerHTML)) event.detail.shouldSwap = false;
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target === alertBox()) alertsChanged();
  else highlightAlerted();
});
document.addEventListener("keydown", (event) => {
  const card = event.target.closest ? event.target.closest("#alerts .alert") : null;
  if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
  const button = card.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!button) return;
  event.preventDefault();
  event.stopPropagation();
  button.click();
});
document.addEventListener("click", (event) => {
  const close = event.target.closest("[data-close]");
  if (close) close.closest(".notice").remove();
});

// The workplace: what one writes below a thread, the lists that open there, files and voice notes, and the keys.
const composer = () => document.getElementById("composer");
const pane = (mode) => composer().querySelector(`[data-pane="${mode}"]`);
const draftOf = (area) => `draft-${composer().dataset.talk}-${area.form.id}`;
const keepDraft = (area) => {
  if (area.value) sessionStorage.setItem(draftOf(area), area.value);
  else sessionStorage.removeItem(draftOf(area));
};
const isSent = (markup) => markup.includes('data-sent="yes"');
const forgetDraft = (area, words) => { if (sessionStorage.getItem(draftOf(area)) === words) sessionStorage.removeItem(draftOf(area)); };
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const csrf = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRF-Token"];
let picked = null; // the file that is to be sent
let recorder = null;

const setMode = (mode) => {
  composer().dataset.mode = mode;
  composer().querySelectorAll("[data-mode-of]").forEach((tab) => tab.setAttribute("aria-pressed", tab.dataset.modeOf === mode));
  composer().querySelectorAll("[data-pane]").forEach((each) => { each.hidden = each.dataset.pane !== mode; });
  const area = pane(mode).querySelector("textarea:not([readonly]), .template [data-place]");
  if (area) area.focus();
};

const workplaceReady = () => {
  if (!composer()) return;
  picked = null;
  composer().querySelectorAll("textarea[data-send]").forEach((area) => {
    if (!area.value) area.value = sessionStorage.getItem(draftOf(area)) || "";
  });
  const record = composer().querySelector("[data-record]");
  if (record) record.hidden = !(window.MediaRecorder && navigator.mediaDevices);
  fillTemplates(composer());
  showWindow();
};

const complain = (key) => {
  const line = composer().querySelector("[data-too-big]");
  line.textContent = line.dataset[key] || "";
  line.hidden = !key;
};

// How long free text may be written: counted by the server's clock, and told at once when it is over.
const showWindow = () => document.querySelectorAll("#composer [data-closes]").forEach((each) => {
  each.skew ??= Number(each.dataset.clock) - Date.now();
  const left = Number(each.dataset.closes) - Date.now() - each.skew;
  if (left <= 0) { if (!each.over) htmx.trigger(composer(), "closed"); each.over = true; return; }
  const minutes = Math.floor(left / 60000);
  const words = minutes >= 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : minutes ? `${minutes} min` : `${Math.ceil(left / 1000)} s`;
  each.classList.toggle("soon", minutes < 60);
  if (each.lastElementChild.textContent !== words) each.lastElementChild.textContent = words;
});
if (document.getElementById("composer")) setInterval(showWindow, 1000);

// What a template will say, as its places are filled in.
const fillTemplates = (root) => root.querySelectorAll(".template").forEach((form) => {
  const words = form.querySelector("[data-template]");
  if (!words) return;
  words.textContent = words.dataset.template.replace(/\{\{\s*(\d+)\s*\}\}/g, (whole, place) => {
    const field = form.querySelector(`[data-place="${CSS.escape(place)}"]`);
    return field && field.value.trim() ? field.value.trim() : whole;
  });
});

// The lists: ready answers after / and colleagues after @.
let atHand = null;
const loadAtHand = () => {
  atHand ??= fetch(`/conversations/${composer().dataset.talk}/at-hand`).then((answer) => answer.json()).catch(() => { atHand = null; return { canned: [], people: [] }; });
  return atHand;
};
const choices = () => document.getElementById("choices");
const options = () => [...choices().querySelectorAll("[role=option]")];
const closeChoices = () => {
  if (!composer()) return;
  choices().hidden = true;
  composer().querySelectorAll("[role=combobox]").forEach((area) => { area.setAttribute("aria-expanded", "false"); area.removeAttribute("aria-activedescendant"); });
};
const askedFor = (area) => {
  const before = area.value.slice(0, area.selectionStart);
  const found = area.dataset.lists === "canned" ? /^\/(\S*)$/.exec(area.value) : /(?:^|\s)@([\p{L}\p{N}]*(?: [\p{L}\p{N}]+)?)$/u.exec(before);
  return found && found[1];
};
const activate = (area, index) => options().forEach((option, at) => {
  option.setAttribute("aria-selected", at === index);
  if (at === index) { area.setAttribute("aria-activedescendant", option.id); option.scrollIntoView({ block: "nearest" }); }
});
const openChoices = async (area) => {
  const asked = askedFor(area);
  if (asked === null) return closeChoices();
  const known = await loadAtHand();
  if (!area.isConnected || askedFor(area) !== asked) return;
  const wanted = plain(asked);
  const canned = area.dataset.lists === "canned";
  const all = canned ? known.canned.map((each) => [`/${each.key}`, each.words, each.words]) : known.people.map((name) => [name, "", `@${name} `]);
  const first = all.filter(([key]) => plain(key).startsWith(canned ? `/${wanted}` : wanted));
  const found = [...first, ...all.filter((each) => !first.includes(each) && plain(each[0] + each[1]).includes(wanted))].slice(0, 8);
  if (!found.length && !canned) return closeChoices();
  choices().replaceChildren(...found.map(([key, words, put], at) => {
    const option = document.createElement("li");
    option.setAttribute("role", "option");
    option.id = `choice-${at}`;
    option.put = put;
    const name = document.createElement("b");
    name.textContent = key;
    const rest = document.createElement("span");
    rest.textContent = words;
    option.append(name, rest);
    return option;
  }));
  if (!found.length) {
    const none = document.createElement("li");
    none.className = "muted";
    none.textContent = known.canned.length ? choices().dataset.none : choices().dataset.empty;
    choices().append(none);
  }
  choices().hidden = false;
  area.setAttribute("aria-expanded", "true");
  activate(area, 0);
};
const choose = (area, option) => {
  if (area.dataset.lists === "canned") area.value = option.put;
  else area.setRangeText(option.put, area.value.lastIndexOf("@", area.selectionStart - 1), area.selectionStart, "end");
  closeChoices();
  area.focus();
  area.dispatchEvent(new Event("input", { bubbles: true }));
};

// Files: attached, dropped or pasted; sent as they are, with their words beside them.
const pick = (file) => {
  const form = document.getElementById("reply");
  if (!form || !file || !form.querySelector("[data-attach]")) return;
  setMode("message");
  complain(file.size > (file.type.startsWith("image/") ? 5 : 16) * 1048576 ? "tooBig" : "");
  if (!composer().querySelector("[data-too-big]").hidden) return;
  picked = file;
  form.querySelector(".file").hidden = false;
  form.querySelector(".file strong").textContent = file.name;
  form.querySelector(".file small").textContent = file.size < 1048576 ? `${Math.ceil(file.size / 1024)} KB` : `${(file.size / 1048576).toFixed(1).replace(".", ",")} MB`;
  form.querySelector("textarea").required = false;
};
const dropFile = () => {
  const form = document.getElementById("reply");
  picked = null;
  form.querySelector(".file").hidden = true;
  form.querySelector("textarea").required = true;
  form.querySelector("#file").value = "";
};
const sendFile = (file, caption) => {
  const box = composer();
  const size = box.querySelector(".file small");
  const request = new XMLHttpRequest();
  const failed = () => { box.classList.remove("busy"); complain("failed"); };
  box.classList.add("busy");
  complain("");
  request.open("POST", `/conversations/${box.dataset.talk}/file`);
  request.setRequestHeader("X-CSRF-Token", csrf());
  request.setRequestHeader("HX-Request", "true");
  request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
  request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
  request.setRequestHeader("X-Caption", encodeURIComponent(caption));
  request.upload.addEventListener("progress", (event) => { if (size) size.textContent = `${Math.round(event.loaded / event.total * 100)} %`; });
  request.addEventListener("error", failed);
  request.addEventListener("load", () => {
    if (request.status === 401) location.assign("/login");
    else if (request.status !== 200) failed();
    else {
      if (isSent(request.responseText)) forgetDraft(document.querySelector("#reply textarea"), caption);
      focusAfter = true;
      htmx.swap("#composer", request.responseText, { swapStyle: "outerHTML" }, { eventInfo: { target: box } });
    }
  });
  request.send(file);
};

// Voice notes, in whichever form the browser records.
const RECORDINGS = [["audio/ogg;codecs=opus", "ogg"], ["audio/webm;codecs=opus", "webm"], ["audio/mp4", "m4a"]];
const record = async () => {
  const form = document.getElementById("reply");
  const button = form.querySelector("[data-record]");
  const kind = RECORDINGS.find(([type]) => MediaRecorder.isTypeSupported(type));
  complain("");
  button.disabled = true; // while the browser asks
  let stream;
  try {
    if (!kind) throw new Error("no recording");
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch { complain("noMicrophone"); return; } finally { button.disabled = false; }
  if (!form.isConnected) { stream.getTracks().forEach((track) => track.stop()); return; }
  const parts = [];
  const begun = Date.now();
  const clock = setInterval(() => {
    const seconds = Math.floor((Date.now() - begun) / 1000);
    form.querySelector(".recording b").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (seconds >= 600) recorder.stop();
  }, 250);
  recorder = new MediaRecorder(stream, { mimeType: kind[0], audioBitsPerSecond: 32000 });
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  recorder.addEventListener("stop", () => {
    clearInterval(clock);
    stream.getTracks().forEach((track) => track.stop());
    const given = recorder.given;
    recorder = null;
    form.classList.remove("recording-now");
    form.querySelector(".recording").hidden = true;
    form.querySelector(".recording b").textContent = "0:00";
    form.querySelector("textarea").required = !picked;
    if (given !== "cancel") sendFile(new File(parts, `nota-de-voz.${kind[1]}`, { type: kind[0].split(";")[0] }), "");
  });
  form.classList.add("recording-now");
  form.querySelector(".recording").hidden = false;
  form.querySelector("textarea").required = false;
  recorder.start();
};
const stopRecording = (given) => { recorder.given = given; recorder.stop(); };

document.addEventListener("DOMContentLoaded", workplaceReady);
document.addEventListener("load", (event) => { // a picture that came late moves the end away
  const box = event.target.closest ? event.target.closest(".thread") : null;
  if (box && box.scrollHeight - box.scrollTop - box.clientHeight < event.target.offsetHeight + 80) toEnd(box);
}, true);
let focusAfter = false;
// What is being sent leaves the field at once, so that one can write on; it comes back when it could not be sent.
const WRITTEN = "#reply[hx-post], #note";
document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.detail.elt;
  if (!form.matches(WRITTEN)) return;
  const area = form.querySelector("textarea");
  form.sending = area.value;
  area.value = "";
});
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt: form, successful } = event.detail;
  if (!form.matches(WRITTEN) || successful) return;
  const area = form.querySelector("textarea");
  area.value = [form.sending, area.value].filter(Boolean).join("\n");
  keepDraft(area);
  complain("failed");
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, requestConfig: { elt, verb }, serverResponse } = event.detail;
  if (target !== composer()) return;
  focusAfter = target.contains(document.activeElement) || verb === "post";
  if (elt.matches(WRITTEN) && isSent(serverResponse)) forgetDraft(elt.querySelector("textarea"), elt.sending);
  if (recorder) stopRecording("cancel");
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "composer") {
    workplaceReady();
    if (focusAfter) setMode(composer().dataset.mode);
    focusAfter = false;
  } else if (event.target.classList.contains("templates")) fillTemplates(event.target);
});
document.addEventListener("input", (event) => {
  if (event.target.matches("#composer textarea[data-send]")) {
    keepDraft(event.target);
    openChoices(event.target);
  }
  if (event.target.matches("[data-place]")) fillTemplates(composer());
});
document.addEventListener("mousedown", (event) => { if (event.target.closest("#choices")) event.preventDefault(); });
document.addEventListener("focusout", (event) => { if (event.target.matches("[data-lists]")) closeChoices(); });
document.addEventListener("change", (event) => { if (event.target.id === "file") pick(event.target.files[0]); });
document.addEventListener("paste", (event) => {
  if (!composer() || !event.clipboardData.files.length) return;
  event.preventDefault();
  pick(event.clipboardData.files[0]);
});
["dragover", "dragleave", "drop"].forEach((kind) => document.addEventListener(kind, (event) => {
  const zone = event.target.closest ? event.target.closest("[data-drop]") : null;
  if (!zone || !event.dataTransfer || !event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  zone.classList.toggle("dropping", kind === "dragover");
  if (kind === "drop") pick(event.dataTransfer.files[0]);
}));
document.addEventListener("submit", (event) => {
  if (event.target.id !== "reply" || !(picked || recorder)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (recorder) stopRecording("send");
  else if (!composer().classList.contains("busy")) sendFile(picked, event.target.querySelector("textarea").value);
}, true);
document.addEventListener("click", (event) => {
  const found = (what) => event.target.closest(what);
  if (found("[data-mode-of]")) setMode(found("[data-mode-of]").dataset.modeOf);
  else if (found("[data-attach]")) document.getElementById("file").click();
  else if (found("[data-drop-file]")) dropFile();
  else if (found("[data-record]")) record();
  else if (found("[data-stop]")) stopRecording(found("[data-stop]").dataset.stop);
  else if (found("[data-keys]")) document.getElementById("keys").showModal();
  else if (found("#choices [role=option]")) choose(document.querySelector("[aria-expanded=true][data-lists]"), found("[role=option]"));
  document.querySelectorAll(".menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
});

// Keys. In a list that is open, and while nothing is typed.
document.addEventListener("keydown", (event) => {
  const area = event.target;
  if (!area.matches || !area.matches("[data-lists][aria-expanded=true]")) return;
  const all = options();
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && all.length) activate(area, (at + step + all.length) % all.length);
  else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey) { if (all[at]) choose(area, all[at]); }
  else if (event.key === "Escape") closeChoices();
  else return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

const keysOfList = (event) => {
  const rows = [...document.querySelectorAll("#rows .row")];
  const row = event.target.closest(".row");
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  if (step && rows.length) {
    const next = rows[row ? rows.indexOf(row) + step : step > 0 ? 0 : rows.length - 1];
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
  } else if (event.key === "e" && row && row.hasAttribute("data-return")) htmx.ajax("POST", `${row.getAttribute("href")}/return`, { swap: "none" });
  else if (event.key === "/") document.getElementById("q").focus();
  else return false;
  return true;
};
const keysOfTalk = (event) => {
  const back = document.querySelector("#owner [data-return]");
  if (event.key === "r") setMode("message");
  else if (event.key === "n") setMode("note");
  else if (event.key === "e" && back) back.click();
  else if (event.key === "/") {
    setMode("message");
    const area = document.querySelector("#reply textarea[data-lists]");
    if (area && !area.value) { area.value = "/"; openChoices(area); }
  } else if (event.key === "Escape") location.assign("/");
  else return false;
  return true;
};
document.addEventListener("keydown", (event) => {
  const at = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented || !at.closest || document.querySelector("dialog[open]")) return;
  const menu = at.closest(".menu[open]");
  if (menu && event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
    event.preventDefault();
    return;
  }
  if (at.closest("input, textarea, select")) {
    if (event.key === "Escape" && composer() && at.closest("#composer")) at.blur();
    return;
  }
  if (at.closest("#alerts") || (at.closest("details[open]") && event.key !== "Escape")) return;
  const open = document.querySelector(".menu[open]");
  let done = true;
  if (event.key === "?" && document.getElementById("keys")) document.getElementById("keys").showModal();
  else if (event.key === "Escape" && open) open.open = false;
  else if (document.getElementById("rows")) done = keysOfList(event);
  else if (composer()) done = keysOfTalk(event);
  else done = false;
  if (done) event.preventDefault();
});
