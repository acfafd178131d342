// One stream of events for all tabs of a browser (a shared worker): over HTTP/1.1 a browser opens six connections to a site, and
// a stream in each tab would use them up. Pages say which events they listen for.
"use strict";

const ports = new Set();
const names = new Set();
let source = null;

const tell = (message) => ports.forEach((port) => port.postMessage(message));
const listen = (name) => source.addEventListener(name, () => tell({ name }));

const connect = () => {
  source = new EventSource("/live");
  source.onopen = () => tell({ open: true });
  source.onerror = () => tell({ error: true, state: source.readyState });
  names.forEach(listen);
};

onconnect = ({ ports: [port] }) => {
  ports.add(port);
  if (!source || source.readyState === EventSource.CLOSED) connect();
  else if (source.readyState === EventSource.OPEN) port.postMessage({ open: true });
  port.onmessage = ({ data }) => {
    if (data.close) {
      ports.delete(port);
    } else if (!names.has(data.listen)) {
      names.add(data.listen);
      listen(data.listen);
    }
    // Who comes later missed the word that comes first.
    if (data.listen === "connected" && source.readyState === EventSource.OPEN) port.postMessage({ name: "connected" });
  };
};
