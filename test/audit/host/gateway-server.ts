/** Stands where OpenClaw's gateway stands: its process title, its answers 401 and 200, a port and an address. */
import { createServer } from "node:http";

const [address = "127.0.0.1", token = ""] = process.argv.slice(2);
process.title = "openclaw-gateway";
const server = createServer((request, response) => {
  const allowed = token === "" || request.headers.authorization === `Bearer ${token}`;
  if (request.url === "/startupz") return void response.end('{"version":"2026.9.6"}');
  response.writeHead(request.url === "/v1/models" && !allowed ? 401 : 200).end("{}");
});
// Its number inside its own namespace, so that the test can end it.
server.listen(18_789, address, () => console.log(process.pid));
