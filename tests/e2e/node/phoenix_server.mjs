// The smallest Phoenix endpoint: serializer 2.0.0 over WebSocket and long-poll below /live.
// node phoenix_server.mjs PORT
// phx_join, phx_leave and heartbeat are answered ok; "shout" is answered with its payload and pushed back as "heard".
import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { WebSocketServer } from "ws";

const POLL_WINDOW = 400;
const sessions = new Map();

function handle(text, push) {
  const [joinRef, ref, topic, event, payload] = JSON.parse(text);
  const reply = (response) =>
    push(JSON.stringify([joinRef, ref, topic, "phx_reply", { status: "ok", response }]));
  if (event !== "shout") reply({});
  else {
    reply(payload);
    push(JSON.stringify([null, null, topic, "heard", payload]));
  }
}

class Session {
  constructor() {
    this.waiting = [];
    this.wake = () => {};
  }

  push(message) {
    this.waiting.push(message);
    this.wake();
  }

  async poll() {
    if (!this.waiting.length) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, POLL_WINDOW);
        this.wake = () => { clearTimeout(timer); resolve(); };
      });
    }
    return this.waiting.splice(0);
  }
}

function answer(response, status, token, messages = []) {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ status, token, messages }));
}

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://phoenix");
  if (pathname !== "/live/longpoll") {
    response.statusCode = 404;
    response.end();
    return;
  }
  let token = searchParams.get("token");
  let session = sessions.get(token);
  if (!session) {
    token = randomUUID();
    sessions.set(token, new Session());
    answer(response, 410, token);
  } else if (request.method === "GET") {
    const messages = await session.poll();
    answer(response, messages.length ? 200 : 204, token, messages);
  } else {
    let body = "";
    for await (const chunk of request) body += chunk;
    const batch = request.headers["content-type"] === "application/x-ndjson" ? body.split("\n") : [body];
    for (const message of batch) handle(message, (text) => session.push(text));
    answer(response, 200, token);
  }
});

const sockets = new WebSocketServer({ server, path: "/live/websocket" });
sockets.on("connection", (socket) => {
  socket.on("message", (data) => handle(data.toString(), (text) => socket.send(text)));
});

server.listen(Number(process.argv[2]), "127.0.0.1");
