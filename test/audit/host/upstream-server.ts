/** What stands behind the proxy in these tests: 200 on `/`, 401 on /v1/models, 101 for WebSockets. */
import { createServer } from "node:http";

const server = createServer((request, response) => {
  response.writeHead(request.url === "/v1/models" ? 401 : request.url === "/" ? 200 : 404);
  response.end("upstream");
});
server.on("upgrade", (_request, socket) => {
  socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
});
server.listen(18_789, "127.0.0.1");
