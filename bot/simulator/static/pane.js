// One phone: the conversation of a person with the business number that is chosen, and what the thumb does.
import { bubble, node, quoted, renewed, t } from "./bubbles.js";

export async function call(path, given, method = "POST") {
  const answer = await fetch(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(given) });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error ?? `HTTP ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
}

// Show a dialog; resolves to its fields, or null when it was cancelled. The button's value is under "button".
export function ask(id) {
  const dialog = document.getElementById(id);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const fields = Object.fromEntries(new FormData(dialog.querySelector("form")));
      resolve(["", "cancel"].includes(dialog.returnValue) ? null : { ...fields, button: dialog.returnValue });
    }, { once: true });
  });
}

export class Pane {
  constructor(person, store, toast) {
    Object.assign(this, { person, store, toast, about: null, editing: null, ad: false, shown: new Map(), typingTimer: null, recorder: null });
    this.root = document.getElementById("phone").content.firstElementChild.cloneNode(true);
    this.root.dataset.person = person.id;
    this.root.setAttribute("aria-label", t("phone_of", { name: person.name }));
    this.find(".owner b").textContent = person.name;
    this.find(".owner span").textContent = person.phone || `${t("hidden_phone")} · ${person.id}`;
    this.chat = this.find(".chat");
    this.input = this.find("textarea");
    this.select = this.find("select");
    this.act = {
      press: (message, choice) => this.do({ do: "press", message, choice }),
      list: (message, chosen) => this.openSheet(message, chosen),
      location: () => this.attach("location"),
      react: (message, emoji) => { this.closeMenus(); this.do({ do: "react", message, emoji }); },
      reply: (message) => { this.quote(message, null); },
      edit: (message) => { this.quote(null, message); this.input.value = message.text; },
      delete: (message) => { this.closeMenus(); this.do({ do: "delete", message }); },
      closeMenus: () => this.closeMenus(),
    };
    this.listen();
  }

  find(selector) { return this.root.querySelector(selector); }
  get number() { return this.select.value; }
  get conversation() { return this.store.conversation(this.number, this.person.id); }

  listen() {
    this.select.addEventListener("change", () => {
      localStorage.setItem(`number ${this.person.id}`, this.number);
      this.quote(null, null);
      this.closeMenus();
      this.render();
    });
    this.find(".composer").addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.submit(); }
      if (event.key === "ArrowUp" && !this.input.value) {
        const last = this.conversation.messages.filter((m) => m.mine && m.type === "text" && !m.deleted).at(-1);
        if (last) { event.preventDefault(); this.act.edit(last); }
      }
    });
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { this.closeMenus(); this.quote(null, null); }
      if (event.altKey && /^[1-9]$/.test(event.key)) {
        const buttons = [...this.root.querySelectorAll(".options")].at(-1)?.querySelectorAll("button");
        if (buttons?.[event.key - 1]) { event.preventDefault(); buttons[event.key - 1].click(); }
      }
    });
    this.root.addEventListener("click", (event) => { if (!event.target.closest(".actions, .attachments, .attach, .sheet, .options")) this.closeMenus(); });
    this.find(".attach").addEventListener("click", () => {
      const list = this.find(".attachments");
      const open = list.hidden;
      this.closeMenus();
      list.hidden = !open;
      this.find(".attach").setAttribute("aria-expanded", String(open));
      if (open) list.querySelector("button").focus();
    });
    for (const button of this.root.querySelectorAll("[data-attach]")) button.addEventListener("click", () => { this.closeMenus(); this.attach(button.dataset.attach); });
    this.find(".quote button").addEventListener("click", () => this.quote(null, null));
    this.find(".ad button").addEventListener("click", () => this.setAd(false));
    this.find(".sheet header button").addEventListener("click", () => this.closeMenus());
    this.find(".mic").addEventListener("click", () => this.record());
    this.find("input[type=file]").addEventListener("change", (event) => { const [file] = event.target.files; if (file) this.upload(file, file.type, file.name); event.target.value = ""; });
  }

  async do(given) {
    try { await call("acts", { person: this.person.id, number: this.number, ...given }); } catch (error) { this.toast(t("failed", { error: error.message })); }
  }

  submit() {
    const text = this.input.value.trim();
    if (!text) return;
    if (this.editing) this.do({ do: "edit", message: this.editing.id, text });
    else this.do({ do: "say", text, about: this.about?.id, referral: this.ad ? this.referral() : null });
    this.quote(null, null);
    this.setAd(false);
    this.input.value = "";
  }

  referral() {
    const id = String(120200000000000 + Math.floor(Math.random() * 1e9));
    return { source_url: `https://fb.me/${id.slice(-8)}`, source_id: id, source_type: "ad", headline: t("ad_headline"), body: t("ad_body"), media_type: "image", ctwa_clid: `AR${crypto.randomUUID().replaceAll("-", "")}` };
  }

  setAd(on) { this.ad = on; this.find(".ad").hidden = !on; if (on) this.input.focus(); }

  quote(about, editing) {
    this.closeMenus();
    if (this.editing && !editing) this.input.value = "";
    Object.assign(this, { about, editing });
    this.find(".quote").hidden = !(about || editing);
    if (about) this.find(".quote span").textContent = quoted(about);
    if (editing) this.find(".quote span").textContent = t("editing");
    if (about || editing) this.input.focus();
  }

  closeMenus() {
    this.root.querySelectorAll(".actions").forEach((menu) => menu.remove());
    this.root.querySelectorAll(".more").forEach((more) => more.setAttribute("aria-expanded", "false"));
    this.find(".attachments").hidden = true;
    this.find(".attach").setAttribute("aria-expanded", "false");
    this.find(".sheet").hidden = true;
  }

  openSheet(message, chosen) {
    this.closeMenus();
    const { action } = message.content;
    const rows = action.sections.flatMap((section) => [
      section.title ? node("h3", {}, section.title) : "",
      ...section.rows.map((row) => node("button", { type: "button", "data-choice": row.id, "aria-current": chosen === row.id ? "true" : null, onclick: () => { this.closeMenus(); this.act.press(message.id, row.id); } }, row.title, row.description ? node("small", {}, row.description) : "")),
    ]);
    this.find(".sheet b").textContent = action.button;
    this.find(".sheet").setAttribute("aria-label", action.button);
    this.find(".rows").replaceChildren(...rows);
    this.find(".sheet").hidden = false;
    this.find(".rows button").focus();
  }

  async attach(what) {
    if (what === "photo" || what === "document") {
      const input = this.find("input[type=file]");
      input.accept = what === "photo" ? "image/jpeg,image/png,video/mp4" : "";
      return input.click();
    }
    if (what === "ad") return this.setAd(true);
    if (what === "voice" || what === "sticker") return this.do({ do: what });
    const fields = await ask(`${what}-dialog`);
    if (fields) this.do({ do: what, ...fields });
  }

  async upload(content, mime, filename, voice = false) {
    const query = new URLSearchParams({ person: this.person.id, number: this.number, filename, ...(voice ? { voice: "1" } : {}) });
    const caption = voice ? "" : this.input.value.trim();
    if (caption) { query.set("caption", caption); this.input.value = ""; }
    const answer = await fetch(`files?${query}`, { method: "POST", headers: { "Content-Type": mime || "application/octet-stream" }, body: content });
    if (!answer.ok) this.toast(t("failed", { error: (await answer.json().catch(() => ({}))).error ?? answer.status }));
  }

  // Record with the microphone; where there is none, a packaged voice note goes out.
  async record() {
    if (this.recorder) return this.recorder.stop();
    const mime = ["audio/ogg;codecs=opus", "audio/mp4"].find((type) => window.MediaRecorder?.isTypeSupported(type));
    let stream;
    try { stream = mime && (await navigator.mediaDevices.getUserMedia({ audio: true })); } catch { stream = null; }
    if (!stream) return this.do({ do: "voice" });
    const chunks = [];
    const mic = this.find(".mic");
    this.recorder = new MediaRecorder(stream, { mimeType: mime });
    this.recorder.addEventListener("dataavailable", (event) => chunks.push(event.data));
    this.recorder.addEventListener("stop", () => {
      stream.getTracks().forEach((track) => track.stop());
      this.recorder = null;
      mic.classList.remove("on");
      this.upload(new Blob(chunks), mime.replace(";", "; "), "voice", true);
    });
    mic.classList.add("on");
    this.toast(t("recording"));
    this.recorder.start();
  }

  setNumbers(numbers) {
    const wanted = this.number || localStorage.getItem(`number ${this.person.id}`) || this.likelyNumber(numbers);
    this.select.replaceChildren(...numbers.map((number) => node("option", { value: number.id }, number.name)));
    if (numbers.some((number) => number.id === wanted)) this.select.value = wanted;
  }

  // The number that was talked to last; at first, everybody gets another one.
  likelyNumber(numbers) {
    const last = (number) => this.store.conversation(number.id, this.person.id).messages.at(-1)?.at ?? "";
    const [newest] = [...numbers].sort((a, b) => last(b).localeCompare(last(a)));
    const place = this.store.people.findIndex((person) => person.id === this.person.id);
    return newest && last(newest) ? newest.id : numbers[place % numbers.length]?.id;
  }

  render() {
    const number = this.store.numbers.find((one) => one.id === this.number);
    if (!number) return this.chat.replaceChildren(node("li", { class: "hello" }, t("no_numbers")));
    const { messages, typing, open } = this.conversation;
    this.find(".avatar").textContent = number.name[0];
    this.find(".avatar").className = `avatar tone${this.store.numbers.indexOf(number) % 5}`;
    this.find(".to small").textContent = typing ? t("typing") : `${number.display} · ${t("online")}`;
    this.find(".window").hidden = open || !messages.some((message) => message.mine);
    clearTimeout(this.typingTimer);
    if (typing) this.typingTimer = setTimeout(() => { this.conversation.typing = false; this.render(); }, 25_000);
    const atEnd = this.chat.scrollHeight - this.chat.scrollTop - this.chat.clientHeight < 80;
    const byId = new Map(messages.map((message) => [message.id, message]));
    const chosen = new Map(messages.filter((m) => m.mine && m.about).map((m) => [m.about, m.content.payload ?? m.content[m.content.type]?.id]));
    const items = messages.length ? [] : [node("li", { class: "hello" }, t("empty"))];
    const before = this.shown;
    this.shown = new Map();
    // What has not changed keeps its node and its place, so that a voice note goes on playing and nothing is read out twice.
    const add = (id, key, make) => {
      const old = before.get(id);
      const made = old?.key === key ? old : { key, item: old ? renewed(old.item, make()) : make() };
      this.shown.set(id, made);
      items.push(made.item);
    };
    let day = "", side = null;
    for (const message of messages) {
      const name = this.dayName(message.at);
      if (name !== day) { add(name, name, () => node("li", { class: "day" }, name)); side = null; }
      day = name;
      const look = { first: message.mine !== side, about: message.about && byId.get(message.about), chosen: chosen.get(message.id), business: number.name, act: this.act };
      side = message.mine;
      add(message.id, JSON.stringify([message, look.first, look.chosen, look.about?.text, number.id]), () => bubble(message, look));
    }
    if (typing) add("typing", "", () => node("li", { class: "bubble writing first", "aria-hidden": "true" }, node("span", { class: "dots" }, node("i"), node("i"), node("i"))));
    const gone = new Set(this.chat.children);
    for (const item of items) gone.delete(item);
    for (const item of gone) item.remove();
    items.forEach((item, at) => { if (this.chat.children[at] !== item) this.chat.insertBefore(item, this.chat.children[at] ?? null); });
    if (atEnd || messages.some((message) => !before.has(message.id))) this.chat.scrollTop = this.chat.scrollHeight;
  }

  dayName(at) {
    const days = Math.round((new Date(this.store.now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 864e5);
    if (days < 2) return t(days < 1 ? "today" : "yesterday");
    return new Date(at).toLocaleDateString(document.documentElement.lang, { weekday: "long", day: "numeric", month: "long" });
  }
}
