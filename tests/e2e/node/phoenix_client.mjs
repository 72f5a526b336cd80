// The phoenix package as a browser would use it: node phoenix_client.mjs URL websocket|longpoll, prints one JSON object.
import { LongPoll, Socket } from "phoenix";
import WebSocket from "ws";

const [url, transport] = process.argv.slice(2);
setTimeout(() => { console.error("deadline"); process.exit(1); }, 240_000).unref();

const done = (push) => new Promise((resolve, reject) => {
  push.receive("ok", resolve).receive("error", reject).receive("timeout", () => reject(new Error("timeout")));
});

const turn = () => new Promise((resolve) => setTimeout(resolve, 10));

let polls = 0;
const { poll } = LongPoll.prototype;
LongPoll.prototype.poll = function () {
  polls += 1;
  return poll.call(this);
};

const errors = [];
const socket = new Socket(`${url}/live`, {
  transport: transport === "longpoll" ? LongPoll : WebSocket,
  heartbeatIntervalMs: 60_000,
  timeout: 60_000,
  longpollerTimeout: 60_000,
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
// Two heartbeats over a WebSocket, or two polls that end empty; then the channel must still work.
if (transport === "longpoll") {
  const enough = polls + 2;
  while (polls < enough) await turn();
} else {
  for (const wanted of [1, 2]) {
    socket.sendHeartbeat();
    while (heartbeats < wanted) await turn();
  }
}
const again = await done(channel.push("shout", { text: "again" }));
const longpoll = socket.conn instanceof LongPoll;
await done(channel.leave());

console.log(JSON.stringify({ reply, pushed, again, errors, heartbeats, longpoll }));
process.exit(0);
