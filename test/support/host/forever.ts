// Started by a test that kills it: a host with everything on, for as long as this process lives.
import { startHost } from "./host.ts";

const host = await startHost({
  ufw: ["allow 22/tcp"],
  docker: { containers: [{ name: "web", publish: [{ hostPort: 8080, port: 80 }] }] },
  sshd: { ports: [22] },
});
await host.upstream.hammer([{ from: "45.33.32.156", to: "203.0.113.10", port: 8080 }], 50);
process.stdout.write(`up ${host.pid}\n`);
setInterval(() => {}, 60_000);
