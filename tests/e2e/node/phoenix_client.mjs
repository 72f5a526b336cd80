// The phoenix package as a browser would use it: node phoenix_client.mjs URL websocket|longpoll, prints one JSON object.
import { LongPoll, Socket } from "phoenix";
import WebSocket from "ws";

const [url, transport] = process.argv.slice(2);
setTimeout(() => { console.error("deadline"); process.exit(1); }, 30_000).unref();

const done = (push) => new Promise((resolve, reject) => {
  push.receive("ok", resolve).receive("error", reject).receive("timeout", () => reject(new Error("timeout")));
});

const errors = [];
const socket = new Socket(`${url}/live`, {
  transport: transport === "longpoll" ? LongPoll : WebSocket,
  heartbeatIntervalMs: 300,
  vsn: "2.0.0",
});
let heartbeats = 0;
socket.onMessage((message) => { if (message.topic === "phoenix" && message.event === "phx_reply") heartbeats += 1; });
socket.onError((error) => errors.push(String(error?.message ?? error)));
socket.connect();

const channel = socket.channel("room:lobby", { name: "alice" });
const heard = new Promise((resolve) => channel.on("heard", resolve));
await done(channel.join());
const reply = await done(channel.push("shout", { text: "Grüße", number: 7 }));
const pushed = await heard;
// Long enough for heartbeats over a WebSocket, and for polls that end empty; then the channel must still work.
await new Promise((resolve) => setTimeout(resolve, 1000));
const again = await done(channel.push("shout", { text: "again" }));
const longpoll = socket.conn instanceof LongPoll;
await done(channel.leave());

console.log(JSON.stringify({ reply, pushed, again, errors, heartbeats, longpoll }));
process.exit(0);
