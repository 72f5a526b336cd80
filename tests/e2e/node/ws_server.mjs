// A WebSocket upstream: node ws_server.mjs PORT
// Text "close CODE REASON" closes so, "about" tells what the handshake brought; everything else comes back.
// /refused answers the handshake with 403 and a body; /silent closes nothing and says nothing.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const server = createServer((request, response) => response.end("plain\n"));
const sockets = new WebSocketServer({
  noServer: true,
  perMessageDeflate: { threshold: 0 },
  handleProtocols: (offered) => [...offered].at(-1),
});

sockets.on("headers", (headers) => headers.push("Set-Cookie: first=1", "Set-Cookie: second=2"));

sockets.on("connection", (socket, request) => {
  socket.on("message", (data, isBinary) => {
    const text = isBinary ? "" : data.toString();
    const close = /^close (\d+) ?(.*)$/.exec(text);
    if (close) socket.close(Number(close[1]), close[2]);
    else if (text === "about") {
      socket.send(JSON.stringify({ url: request.url, headers: request.headers, extensions: socket.extensions }));
    } else socket.send(data, { binary: isBinary });
  });
  socket.on("close", (code, reason) => console.log(JSON.stringify({ closed: code, reason: reason.toString() })));
});

server.on("upgrade", (request, socket, head) => {
  if (request.url === "/refused") {
    const body = "this origin is not allowed\n";
    socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${body.length}\r\nX-Reason: origin\r\n\r\n${body}`);
  } else sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit("connection", opened, request));
});

server.listen(Number(process.argv[2]), "127.0.0.1");
