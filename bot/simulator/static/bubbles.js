// How one message looks. Everything is built as nodes: what people wrote is never parsed as HTML.
export const texts = JSON.parse(document.getElementById("texts").textContent);
export const t = (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🙏"];
const ONLY_EMOJI = /^(\p{Extended_Pictographic}|\u200d|\ufe0f|[\u{1f3fb}-\u{1f3ff}]){1,8}$/u;
const MARKS = /(\*[^*\n]+\*|_[^_\n]+_|~[^~\n]+~|```[^`]+```|https?:\/\/[^\s<>"]+)/g;

export function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null && child !== ""));
  return made;
}

export function icon(name, label) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `static/icons.svg#${name}`);
  svg.append(use);
  if (label) { svg.setAttribute("role", "img"); svg.setAttribute("aria-label", label); } else svg.setAttribute("aria-hidden", "true");
  return svg;
}

// WhatsApp's own marks: *bold* _italic_ ~struck~ ```code```, and links.
export function written(text) {
  return text.split(MARKS).map((part) => {
    if (/^https?:/.test(part)) return node("a", { href: part, target: "_blank", rel: "noreferrer noopener" }, part);
    if (/^```[^]+```$/.test(part)) return node("code", {}, part.slice(3, -3));
    const tag = part.length > 2 && part[0] === part.at(-1) && { "*": "b", _: "i", "~": "s" }[part[0]];
    return tag ? node(tag, {}, ...written(part.slice(1, -1))) : part;
  });
}

const file = (content) => (content.id ? `media/${content.id}` : content.link);
const card = (name, title, detail, href) =>
  node(href ? "a" : "div", { class: "card", href, download: href ? title : null }, icon(name), node("span", {}, title, detail ? node("small", {}, detail) : ""));

function media(type, content) {
  const source = file(content);
  if (type === "image" || type === "sticker") return node("img", { src: source, alt: content.caption || t(type === "image" ? "photo" : "sticker"), loading: "lazy" });
  if (type === "audio") return node("audio", { src: source, controls: true, preload: "metadata" });
  if (type === "video") return node("video", { src: source, controls: true, preload: "metadata" });
  return card("file", content.filename || t("document"), content.mime_type, source);
}

function body(message) {
  const { type, content, text } = message;
  const parts = [];
  const header = type === "template" ? content.rendered.media : type === "interactive" ? content.header : null;
  if (header && header.type !== "text" && header[header.type]) parts.push(media(header.type, header[header.type]));
  const title = type === "template" ? content.rendered.header : header?.text;
  if (title) parts.push(node("p", { class: "head" }, ...written(title)));
  if (["image", "audio", "video", "document", "sticker"].includes(type)) parts.push(media(type, content));
  if (type === "location") {
    parts.push(node("div", { class: "map" }, icon("pin", t("location"))));
    const place = [content.name, content.address].filter(Boolean).join("\n");
    parts.push(node("p", {}, place || `${content.latitude}, ${content.longitude}`));
  } else if (type === "contacts") {
    for (const one of content.contacts) parts.push(card("person", one.name.formatted_name, one.phones?.map((p) => p.phone).join(", ")));
  } else if (type === "order") {
    for (const item of content.product_items) parts.push(card("cart", `${item.quantity} × ${item.product_retailer_id}`, `${item.item_price} ${item.currency}`));
  } else if (type === "unsupported") {
    parts.push(node("p", { class: "foot" }, t("unsupported")));
  } else if (text) {
    parts.push(node("p", { class: ONLY_EMOJI.test(text) ? "huge" : null }, ...written(text)));
  }
  const action = content.action ?? {};
  if (content.type === "product") parts.push(card("cart", action.product_retailer_id, t("product")));
  if (content.type === "product_list") for (const s of action.sections) for (const item of s.product_items) parts.push(card("cart", item.product_retailer_id, t("product")));
  const footer = type === "template" ? content.rendered.footer : content.footer?.text;
  if (footer) parts.push(node("p", { class: "foot" }, footer));
  return parts;
}

// Buttons below a message of the business; `act` is told what was pressed.
function options(message, chosen, act) {
  const { type, content, id } = message;
  const made = [];
  const button = (key, title, name) => node("button", { type: "button", class: chosen === key ? "chosen" : null, "data-choice": key, onclick: () => act.press(id, key) }, name ? icon(name) : "", title);
  if (type === "template") {
    for (const one of content.rendered.buttons) made.push(button(one.payload, one.text, "reply"));
    for (const one of content.rendered.links) made.push(node("a", { href: one.url, target: "_blank", rel: "noreferrer noopener" }, icon("link"), one.text));
  } else if (type === "interactive") {
    const action = content.action ?? {};
    if (content.type === "button") for (const one of action.buttons) made.push(button(one.reply.id, one.reply.title, "reply"));
    if (content.type === "list") made.push(node("button", { type: "button", "data-list": true, onclick: () => act.list(message, chosen) }, icon("list"), action.button));
    if (content.type === "cta_url") made.push(node("a", { href: action.parameters.url, target: "_blank", rel: "noreferrer noopener" }, icon("link"), action.parameters.display_text));
    if (content.type === "location_request_message") made.push(node("button", { type: "button", onclick: act.location }, icon("pin"), t("location")));
    if (content.type === "catalog_message") made.push(node("button", { type: "button", disabled: true }, icon("cart"), t("catalogue")));
    if (content.type === "flow") made.push(node("button", { type: "button", disabled: true }, icon("file"), action.parameters.flow_cta));
  }
  return made.length ? node("div", { class: "options" }, ...made) : null;
}

function menu(message, act) {
  const react = EMOJI.map((emoji) => {
    const on = message.reactions.person === emoji;
    return node("button", { type: "button", "aria-label": t("react", { emoji }), "aria-pressed": String(on), onclick: () => act.react(message.id, on ? "" : emoji) }, emoji);
  });
  const entries = [node("div", {}, ...react), node("button", { type: "button", onclick: () => act.reply(message) }, t("reply"))];
  if (message.mine && message.type === "text") entries.push(node("button", { type: "button", onclick: () => act.edit(message) }, t("edit")));
  if (message.mine) entries.push(node("button", { type: "button", onclick: () => act.delete(message.id) }, t("delete")));
  return node("menu", { class: "actions" }, ...entries);
}

export function quoted(message) {
  return message.text || t({ image: "photo", video: "photo", audio: "voice", contacts: "contact" }[message.type] ?? (message.type in texts ? message.type : "message"));
}

// Put a changed bubble in the old one's place. A player stays where it is: moved, it would stop.
export function renewed(old, made) {
  const player = ":scope > audio, :scope > video";
  const [kept, fresh] = [old.querySelector(player), made.querySelector(player)];
  if (!kept || !fresh) return made;
  old.className = made.className;
  for (const child of [...old.childNodes]) if (child !== kept) child.remove();
  const parts = [...made.childNodes];
  old.prepend(...parts.slice(0, parts.indexOf(fresh)));
  old.append(...parts.slice(parts.indexOf(fresh) + 1));
  return old;
}

export function bubble(message, { first, about, chosen, business, act }) {
  const classes = ["bubble", message.mine && "mine", first && "first", message.type === "sticker" && "sticker", message.deleted && "gone"];
  const reactions = [...new Set(Object.values(message.reactions).filter(Boolean))].join("");
  if (reactions) classes.push("reacted");
  const made = node("li", { class: classes.filter(Boolean).join(" "), "data-id": message.id });
  if (message.referral) made.append(card("megaphone", message.referral.headline, `${t("ad_label")} · ${message.referral.body}`));
  if (about && !message.deleted) made.append(node("div", { class: "quoted" }, node("b", {}, about.mine ? t("you") : business), ...written(quoted(about))));
  made.append(...(message.deleted ? [node("p", {}, t("deleted"))] : body(message)));
  const at = new Date(message.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  const meta = node("span", { class: "meta" }, message.edited && !message.deleted ? `${t("edited")} ${at}` : at);
  if (message.mine && !message.deleted) {
    const tick = icon({ read: "delivered" }[message.status] ?? message.status, t(message.status));
    tick.setAttribute("class", message.status);
    meta.append(tick);
  }
  (made.lastElementChild?.matches("p") ? made.lastElementChild : made).append(meta);
  const below = message.mine || message.deleted ? null : options(message, chosen, act);
  if (below) made.append(below);
  if (reactions) made.append(node("span", { class: "reactions" }, reactions));
  if (!message.deleted) {
    const more = node("button", { type: "button", class: "more", "aria-label": t("actions"), "aria-expanded": "false" }, icon("more"));
    more.addEventListener("click", (event) => {
      event.stopPropagation();
      const open = more.getAttribute("aria-expanded") === "true";
      act.closeMenus();
      if (open) return;
      more.setAttribute("aria-expanded", "true");
      const list = menu(message, act);
      more.parentElement.append(list);
      list.scrollIntoView({ block: "nearest" });
      list.querySelector("button").focus();
    });
    made.append(more);
  }
  return made;
}
