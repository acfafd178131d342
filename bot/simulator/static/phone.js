// The page: everybody's phones, live. What the simulator says is the truth; nothing is kept here but which number is chosen.
import { node, t } from "./bubbles.js";
import { Pane, ask, call } from "./pane.js";

const store = {
  now: "", numbers: [], people: [], faults: [], conversations: new Map(),
  conversation(number, person) {
    const key = `${number} ${person}`;
    if (!this.conversations.has(key)) this.conversations.set(key, { messages: [], typing: false, open: false });
    return this.conversations.get(key);
  },
};
const panes = new Map();
const tabs = document.getElementById("tabs");
const phones = document.getElementById("phones");
let current = localStorage.getItem("person");

let toastTimer;
function toast(text) {
  const place = document.getElementById("toast");
  place.textContent = text;
  place.hidden = !text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { place.hidden = true; }, 5000);
}

function tick() {
  const shown = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  document.getElementById("clock").textContent = new Date(store.now).toLocaleString(document.documentElement.lang, shown);
}

async function refresh() {
  const state = await (await fetch("state")).json();
  Object.assign(store, { now: state.now, numbers: state.numbers, people: state.people, faults: state.faults });
  store.conversations.clear();
  for (const one of state.conversations) Object.assign(store.conversation(one.number, one.person), one);
  for (const person of store.people) {
    if (!panes.has(person.id)) {
      panes.set(person.id, new Pane(person, store, toast));
      phones.append(panes.get(person.id).root);
      tabs.append(node("button", { type: "button", "data-person": person.id, onclick: () => show(person.id) }, person.name));
    }
    panes.get(person.id).setNumbers(store.numbers);
    panes.get(person.id).render();
  }
  for (const [id, pane] of panes) {
    if (store.people.some((person) => person.id === id)) continue;
    pane.root.remove();
    panes.delete(id);
    tabs.querySelector(`[data-person="${CSS.escape(id)}"]`).remove();
  }
  if (!panes.has(current)) current = store.people[0]?.id;
  show(current);
  document.getElementById("nobody").hidden = store.people.length > 0;
  tick();
  const count = document.getElementById("fault-count");
  count.textContent = store.faults.reduce((sum, fault) => sum + fault.times, 0);
  count.hidden = !store.faults.length;
}

function show(person) {
  current = person;
  if (person) localStorage.setItem("person", person);
  for (const [id, pane] of panes) pane.root.classList.toggle("current", id === person);
  for (const tab of tabs.children) {
    tab.setAttribute("aria-current", String(tab.dataset.person === person));
    if (tab.dataset.person === person) tab.classList.remove("news");
  }
  const pane = panes.get(person);
  if (pane) pane.chat.scrollTop = pane.chat.scrollHeight;
}

// One conversation's newest messages; older ones stay as they are.
function update(event) {
  const conversation = store.conversation(event.number, event.person);
  const known = new Map(conversation.messages.map((message) => [message.id, message]));
  const news = event.messages.some((message) => !message.mine && !known.has(message.id));
  for (const message of event.messages) known.set(message.id, message);
  Object.assign(conversation, { messages: [...known.values()], typing: event.typing, open: event.open });
  const pane = panes.get(event.person);
  if (!pane) return;
  if (pane.number === event.number) pane.render();
  if (news && event.person !== current) tabs.querySelector(`[data-person="${CSS.escape(event.person)}"]`)?.classList.add("news");
}

const stream = new EventSource("events");
stream.addEventListener("message", ({ data }) => {
  const event = JSON.parse(data);
  if (event.event === "refresh") refresh(); else update(event);
});
stream.addEventListener("error", () => toast(t("offline")));
stream.addEventListener("open", () => { document.getElementById("toast").hidden = true; });
setInterval(() => {
  if (!store.now) return;
  store.now = new Date(new Date(store.now).getTime() + 30_000).toISOString();
  tick();
}, 30_000);

async function tried(work) {
  try { return await work(); } catch (error) { toast(t("failed", { error: error.message })); return null; }
}

document.getElementById("day").addEventListener("click", () => tried(() => call("clock", { advance_hours: 24 })));

document.getElementById("open-person").addEventListener("click", async () => {
  const fields = await ask("person-dialog");
  if (!fields) return;
  const person = await tried(() => call("people", { name: fields.name, phone: fields.phone || null }));
  document.querySelector("#person-dialog form").reset();
  if (person) { current = person.id; await refresh(); panes.get(person.id).root.scrollIntoView({ inline: "center" }); panes.get(person.id).input.focus(); }
});

document.getElementById("open-faults").addEventListener("click", async () => {
  const dialog = document.getElementById("faults-dialog");
  const all = node("option", { value: "" }, t("faults_all"));
  dialog.querySelector("[name=number]").replaceChildren(all, ...store.numbers.map((number) => node("option", { value: number.id }, number.name)));
  const names = new Map([...dialog.querySelectorAll("[name=kind] option")].map((option) => [option.value, option.textContent]));
  const describe = (fault) => names.get(JSON.stringify(Object.fromEntries(Object.entries(fault).filter(([key, value]) => value && ["code", "http", "timeout", "drop_reply"].includes(key))))) ?? JSON.stringify(fault);
  const lines = store.faults.map((fault) => node("li", {}, `${describe(fault)} × ${fault.times}`));
  document.getElementById("faults").replaceChildren(...(lines.length ? lines : [node("li", {}, t("faults_none"))]));
  const fields = await ask("faults-dialog");
  if (fields?.button === "clear") tried(() => call("faults", {}, "DELETE"));
  else if (fields) tried(() => call("faults", { ...JSON.parse(fields.kind), number: fields.number || null, times: Number(fields.times) }));
});
