// A WebSocket client by the ws package: node ws_client.mjs URL HOST SCENARIO, prints one JSON object.
import { once } from "node:events";
import WebSocket from "ws";

const [url, host, scenario] = process.argv.slice(2);
setTimeout(() => { console.error("deadline"); process.exit(1); }, 240_000).unref();

const headers = { Host: host, "X-Token": "of the client", Cookie: "session=abc" };

async function open(path, protocols = [], options = {}) {
  const socket = new WebSocket(url + path, protocols, { headers, origin: `http://${host}`, ...options });
  const upgrade = once(socket, "upgrade");
  await once(socket, "open");
  const [response] = await upgrade;
  return { socket, response };
}

async function ask(socket, data) {
  const answer = once(socket, "message");
  socket.send(data);
  const [received, isBinary] = await answer;
  return isBinary ? received : received.toString();
}

async function closing(socket) {
  const [code, reason] = await once(socket, "close");
  return { code, reason: reason.toString() };
}

const scenarios = {
  async echo() {
    const { socket } = await open("/socket");
    const text = await ask(socket, "Grüße");
    const sent = Buffer.alloc(300_000, "0123456789abcdef");
    const binary = await ask(socket, sent);
    const pong = once(socket, "pong");
    socket.ping("still there?");
    const [payload] = await pong;
    socket.close(1000, "done");
    return { text, binary: binary.equals(sent), pong: payload.toString(), ...(await closing(socket)) };
  },
  async about() {
    const { socket, response } = await open("/socket/websocket?token=a%20b", ["first", "second"]);
    const about = JSON.parse(await ask(socket, "about"));
    socket.close();
    return { protocol: socket.protocol, cookies: response.headers["set-cookie"], extensions: socket.extensions, about };
  },
  async uncompressed() {
    const { socket } = await open("/socket", [], { perMessageDeflate: false });
    const about = JSON.parse(await ask(socket, "about"));
    socket.close();
    return { extensions: socket.extensions, upstream: about.extensions };
  },
  async closedByServer() {
    const { socket } = await open("/socket");
    const closed = closing(socket);
    socket.send("close 4005 that is enough");
    return closed;
  },
  async closedByClient() {
    const { socket } = await open("/socket");
    const closed = closing(socket);
    socket.close(4006, "that was enough");
    return closed;
  },
  async fragments() {
    const { socket } = await open("/socket", [], { perMessageDeflate: false });
    const answer = once(socket, "message");
    for (const part of ["one, ", "two, "]) socket.send(part, { fin: false });
    socket.ping();
    socket.send("three", { fin: true });
    const [received] = await answer;
    socket.close();
    return { text: received.toString() };
  },
  async refused() {
    const socket = new WebSocket(`${url}/refused`, { headers });
    const [, response] = await once(socket, "unexpected-response");
    let body = "";
    for await (const chunk of response) body += chunk;
    return { status: response.statusCode, reason: response.headers["x-reason"], body };
  },
  async lost() {
    const { socket } = await open("/socket");
    await ask(socket, "here");
    process.stdout.write("open\n");
    return closing(socket);
  },
};

console.log(JSON.stringify(await scenarios[scenario]()));
process.exit(0); // a refused handshake leaves a connection that the server may keep
