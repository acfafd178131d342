// This browser's push subscription, and the sound of the alerts on screen.
"use strict";

addEventListener("DOMContentLoaded", async () => {
  const box = document.getElementById("push");
  if (!box) return;
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRF-Token"];
  const trouble = box.querySelector("[data-trouble]");
  const known = () => box.dataset.endpoints.split(" ");

  const sound = box.querySelector("[data-sound]");
  sound.checked = localStorage.getItem("sound") === "on";
  sound.addEventListener("change", () => {
    localStorage.setItem("sound", sound.checked ? "on" : "off");
    if (sound.checked) ring();
  });

  const show = (state) => {
    box.querySelectorAll("[data-state]").forEach((each) => { each.hidden = each.dataset.state !== state; });
    box.querySelector("[data-push=on]").hidden = state !== "off";
    box.querySelector("[data-push=off]").hidden = state !== "on";
  };
  const post = async (address, fields) => {
    const response = await fetch(address, { method: "POST", body: new URLSearchParams(fields), headers: { "X-CSRF-Token": token } });
    if (!response.ok) throw new Error(response.status === 422 ? await response.text() : "");
  };
  const bytes = (key) => Uint8Array.from(atob(key.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const subscription = async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    return registration && registration.pushManager.getSubscription();
  };
  const fail = (error) => {
    trouble.textContent = error.message && error.name === "Error" ? error.message
      : "El navegador no pudo activar los avisos. Revisa tu conexión e inténtalo de nuevo.";
    trouble.hidden = false;
  };

  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return show("unsupported");
  if (Notification.permission === "denied") return show("denied");
  const current = await subscription();
  show(current && known().includes(current.endpoint) ? "on" : "off");

  box.querySelector("[data-push=on]").addEventListener("click", async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    trouble.hidden = true;
    try {
      if (await Notification.requestPermission() !== "granted") return show(Notification.permission === "denied" ? "denied" : "off");
      await navigator.serviceWorker.register("/sw.js");
      const registration = await navigator.serviceWorker.ready;
      const { key } = await (await fetch("/push/key")).json();
      const old = await registration.pushManager.getSubscription();
      if (old) await old.unsubscribe(); // it may be of another key
      const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
      const { endpoint, keys } = made.toJSON();
      await post("/push/subscribe", { endpoint, p256dh: keys.p256dh, auth: keys.auth });
      location.reload();
    } catch (error) {
      fail(error);
    } finally {
      button.disabled = false;
    }
  });
  box.querySelector("[data-push=off]").addEventListener("click", async () => {
    try {
      const made = await subscription();
      await post("/push/unsubscribe", { endpoint: made.endpoint });
      await made.unsubscribe();
      location.reload();
    } catch (error) {
      fail(error);
    }
  });
});
