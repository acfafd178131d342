// The service worker: shows what is pushed, answers it from the notification, and takes away what is settled.
"use strict";

const ICON = "/static/icon-192.png";
const ours = (address) => { const url = new URL(address, location.origin); return url.pathname + url.search; };

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

// {title, body, tag, url, actions: [{action, title, url}]}; `actions` are answered by a POST to their address.
addEventListener("push", (event) => {
  let data = {};
  try { data = event.data.json(); } catch { data = {}; }
  const actions = data.actions || [];
  event.waitUntil(registration.showNotification(data.title || "Mostrador", {
    body: data.body || "",
    tag: data.tag || "mostrador",
    renotify: true,
    icon: ICON,
    badge: ICON,
    lang: "es",
    requireInteraction: actions.length > 0,
    actions: actions.map(({ action, title }) => ({ action, title })),
    data: { url: data.url || "/", links: Object.fromEntries(actions.map(({ action, url }) => [action, url])) },
  }));
});

const clicked = (event) => {
  const { url, links } = event.notification.data || {};
  const { tag } = event.notification;
  event.notification.close();
  const link = event.action && links && links[event.action];
  event.waitUntil(link ? answer(ours(link), tag) : open(ours(url || "/")));
};
addEventListener("notificationclick", clicked);

async function answer(link, tag) {
  let told;
  try {
    const response = await fetch(link, { method: "POST", headers: { Accept: "application/json" } });
    told = await response.json();
  } catch {
    // No network: the page of the link says what happened, or lets them try again.
    return registration.showNotification("No hay conexión", { body: "Toca para responder.", tag, icon: ICON, data: { url: link } });
  }
  if (told.done && told.url) return open(ours(told.url));
  return registration.showNotification(told.title || "Mostrador", { body: told.words, tag, icon: ICON, silent: told.done, data: { url: told.url || "/" } });
}

async function open(path) {
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find((each) => new URL(each.url).pathname === path) || pages[0];
  if (!page) return clients.openWindow(path);
  await page.focus();
  if (new URL(page.url).pathname === path) return page;
  return page.navigate(path).catch(() => clients.openWindow(path));
}

// A page tells which alerts are still open: the others' notifications go away.
addEventListener("message", (event) => {
  const open = new Set((event.data || {}).open || []);
  event.waitUntil(registration.getNotifications().then((shown) => {
    shown.filter((each) => each.tag.startsWith("alert-") && !open.has(each.tag)).forEach((each) => each.close());
  }));
});
