"use strict";

const byId = (id) => document.getElementById(id);
const say = (text) => { byId("state").textContent = text; };

function log(text, kind) {
  const item = document.createElement("li");
  item.textContent = text;
  if (kind) item.className = kind;
  byId("log").append(item);
}

function live() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}/socket`);
  const button = byId("say").querySelector("button");
  let typed = 0;
  const send = (text) => { log(`sent: ${text}`, "out"); socket.send(text); };
  socket.onopen = () => {
    button.disabled = false;
    say(`open, ${socket.extensions ? `with ${socket.extensions}` : "without extensions"}`);
    send("first message, sent by the page's script");
  };
  socket.onmessage = (event) => log(`received: ${event.data}`);
  socket.onclose = (event) => {
    button.disabled = true;
    say(`closed: ${event.code} ${event.reason}`);
  };
  byId("say").onsubmit = (event) => {
    event.preventDefault();
    const field = event.target.elements.text;
    send(field.value || `message ${++typed}`);
    field.value = "";
  };
}

function stream() {
  const events = new EventSource("/events?count=10&every=500");
  events.onopen = () => say("open: ten events, two a second");
  events.onmessage = (event) => log(`received: ${event.data}`);
  events.onerror = () => { events.close(); say("the app has ended the stream"); };
}

function upload() {
  byId("send").onsubmit = async (event) => {
    event.preventDefault();
    const file = event.target.elements.file.files[0];
    say(`sending ${file.size} bytes …`);
    const answer = await fetch("/size", { method: "POST", body: file });
    say(answer.ok ? "sent" : `answered ${answer.status}`);
    log(await answer.text());
  };
}

const start = { live, stream, upload }[document.body.dataset.page];
if (start) start();
