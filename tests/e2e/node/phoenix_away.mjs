// The phoenix package on long-poll while its app goes away and returns: node phoenix_away.mjs URL, prints one JSON object.
// It asks for /heard-before once the app may go.
import { LongPoll, Socket } from "phoenix";

const [url] = process.argv.slice(2);
setTimeout(() => { console.error("deadline"); process.exit(1); }, 240_000).unref();

const done = (push) => new Promise((resolve, reject) => {
  push.receive("ok", resolve).receive("error", reject).receive("timeout", () => reject(new Error("timeout")));
});

const socket = new Socket(`${url}/live`, {
  transport: LongPoll,
  vsn: "2.0.0",
  reconnectAfterMs: () => 100,
  timeout: 60_000,
  longpollerTimeout: 60_000,
});
let losses = 0;
socket.onClose(() => { losses += 1; });
socket.connect();

const channel = socket.channel("room:lobby", {});
channel.rejoinTimer.timerCalc = () => 100;
await done(channel.join());
await done(channel.push("shout", { text: "before" }));
await fetch(`${url}/heard-before`);
await new Promise((resolve) => socket.onOpen(() => losses && resolve()));
while (channel.state !== "joined") await new Promise((resolve) => setTimeout(resolve, 20));
const after = await done(channel.push("shout", { text: "after" }));

console.log(JSON.stringify({ after, lost: losses > 0 }));
process.exit(0);
