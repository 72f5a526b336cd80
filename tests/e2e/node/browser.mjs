// Opens one page in a fresh headless Chromium, waits for a condition, prints what an expression gives.
// node browser.mjs CHROMIUM PROFILE URL UNTIL READ CLICK
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import WebSocket from "ws";

const [chromium, profile, url, until, read, click] = process.argv.slice(2);
const DEADLINE = 240_000;
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
  "--no-default-browser-check", "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--disable-extensions", "--disable-default-apps", "--no-proxy-server", "--remote-debugging-port=0",
  "--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows",
  `--user-data-dir=${profile}`, "about:blank",
];

const browser = spawn(chromium, FLAGS, { stdio: ["ignore", "ignore", "pipe"] });
const timer = setTimeout(() => fail("deadline"), DEADLINE);
let last = "nothing yet";

function fail(why) {
  console.error(`${why}; last seen: ${last}`);
  browser.kill("SIGKILL");
  process.exit(1);
}

async function debuggerAddress() {
  for await (const line of createInterface({ input: browser.stderr })) {
    last = line;
    const found = /^DevTools listening on (ws:.*)$/.exec(line);
    if (found) return found[1];
  }
  return fail("chromium has ended");
}

process.on("uncaughtException", (error) => fail(error.message));

const socket = new WebSocket(await debuggerAddress());
browser.stderr.resume();
await once(socket, "open");

let calls = 0;
const waiting = new Map();
const messages = [];
const requests = [];
let sessionId;

function call(method, params = {}) {
  const id = ++calls;
  socket.send(JSON.stringify({ id, method, params, sessionId }));
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

socket.on("message", (data) => {
  const message = JSON.parse(data);
  if (message.id) {
    const { resolve, reject } = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error) reject(new Error(message.error.message));
    else resolve(message.result);
  } else if (message.method === "Runtime.exceptionThrown") {
    messages.push(message.params.exceptionDetails.exception?.description ?? message.params.exceptionDetails.text);
  } else if (message.method === "Log.entryAdded" && message.params.entry.level === "error") {
    messages.push(`${message.params.entry.text} ${message.params.entry.url ?? ""}`);
  } else if (message.method === "Network.requestWillBeSent") {
    requests.push(message.params.request.url);
  }
});

async function evaluate(expression) {
  const { result, exceptionDetails } = await call("Runtime.evaluate", { expression, returnByValue: true });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
}

// A page that gives way to the next has for a moment no root element, no context to evaluate in, or loses the question.
async function evaluateOrChange(expression) {
  try {
    return await evaluate(expression);
  } catch (error) {
    if (!/navigated or closed|context/.test(error.message)) throw error;
    return undefined;
  }
}

async function eventually(expression) {
  while (!(await evaluateOrChange(expression))) {
    last = (await evaluateOrChange("document.documentElement?.outerHTML")) ?? last;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const { targetId } = await call("Target.createTarget", { url: "about:blank" });
({ sessionId } = await call("Target.attachToTarget", { targetId, flatten: true }));
for (const domain of ["Page", "Runtime", "Log", "Network"]) await call(`${domain}.enable`);
const { errorText } = await call("Page.navigate", { url });
if (errorText) fail(errorText);
// Until the page asked for is there, questions are answered by the one before it.
const loaded = "location.href !== 'about:blank' && document.readyState === 'complete'";
await eventually(loaded);
if (click) {
  const element = `document.querySelector(${JSON.stringify(click)})`;
  await eventually(`${loaded} && ${element} && !${element}.disabled`);
  await evaluate(`${element}.click()`);
}
await eventually(until);
const value = await evaluate(read);

clearTimeout(timer);
sessionId = undefined;
call("Browser.close");
await once(browser, "exit");
socket.terminate();
console.log(JSON.stringify({ value, messages, requests }));
