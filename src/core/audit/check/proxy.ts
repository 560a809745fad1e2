/** Layer 7: the reverse proxy, by its answers and by the configuration it would load. */
import { type Check, type Outcome, fail, given, notApplicable, passUnless, unknown } from "../check.ts";
import type { Facts } from "../fact/facts.ts";
import { about, byEvidence } from "../failure.ts";
import type { ProxyAnswer, ProxyFacts, ProxySite } from "../fact/proxy.ts";
import { isLoopbackAddress } from "../fact/listener.ts";

const DAY_MS = 86_400_000;
const CERTIFICATE_LEFT_MIN_MS = 14 * DAY_MS;
const YEAR_SECONDS = 31_536_000;

function onSites(facts: Facts, judge: (sites: readonly ProxySite[], proxy: ProxyFacts) => Outcome): Outcome {
  return given(facts.proxy, (proxy) =>
    proxy.sites.length === 0
      ? notApplicable(`${proxy.kind} serves no site that leads to OpenClaw`)
      : judge(proxy.sites, proxy),
  );
}

/** Judges a header on every answer, and on the errors the proxy makes itself. */
function onEveryAnswer(facts: Facts, header: string, isGood: (value: string) => boolean): Outcome {
  return onSites(facts, (sites) => {
    const answers = sites.flatMap((site) => site.answers.map((answer) => ({ site, answer })));
    if (answers.length === 0)
      return unknown("the proxy did not answer over TLS", "curl -vk https://NAME/ on this server");
    const wrong = answers
      .filter(({ answer }) => !isGood(answer.headers[header] ?? ""))
      .map(
        ({ site, answer }) =>
          `${site.name} ${answerText(answer)}: ${header} ${answer.headers[header] ?? "missing"}`,
      );
    const onErrors = sites.flatMap((site) =>
      site.onErrors.kind === "read" && !site.onErrors.value.includes(header)
        ? [`${site.name}: ${header} is missing on errors of the proxy itself (502)`]
        : [],
    );
    return passUnless(
      [...wrong, ...onErrors],
      `${header} on ${[...new Set(answers.map(({ answer }) => answer.status))].join(", ")} and on errors`,
    );
  });
}

const answerText = ({ request, status }: ProxyAnswer): string => `${request} ${status}`;

export const PROXY_CHECKS: readonly Check[] = [
  {
    id: "PRX-001",
    layer: "proxy",
    severity: "high",
    title: "TLS ends here, with a certificate that is valid for two weeks more",
    fails: about("A site", "has no valid certificate", "have no valid certificates"),
    why: "without it passwords and tokens travel in the open, or browsers learn to click warnings away",
    fix: "systemctl status caddy, and its log: it renews by itself when port 80 or 443 is reachable",
    looksAt: "a TLS connection to this server for each name",
    judge: (facts) =>
      onSites(facts, (sites) => {
        const hidden = sites.find(({ tls }) => tls.kind !== "read");
        const problems = sites.flatMap(({ name, tls }) => {
          if (tls.kind !== "read") return tls.kind === "absent" ? [`${name}: ${tls.why}`] : [];
          const left = tls.value.validUntilMs - facts.takenMs;
          return [
            ...(tls.value.trusted ? [] : [`${name}: ${tls.value.why}`]),
            ...(left < CERTIFICATE_LEFT_MIN_MS ? [`${name}: ${Math.floor(left / DAY_MS)} days left`] : []),
          ];
        });
        if (problems.length === 0 && hidden?.tls.kind === "unreadable")
          return unknown(hidden.tls.why, hidden.tls.needs);
        return passUnless(
          problems,
          sites.map(({ name }) => `${name}: valid`),
        );
      }),
  },
  {
    id: "PRX-002",
    layer: "proxy",
    severity: "medium",
    title: "Plain HTTP leads to HTTPS",
    fails: "Plain HTTP is answered",
    why: "who types the name without https would send the first request in the open",
    fix: "remove `auto_https off`; nginx: return 308 https://$host$request_uri;",
    looksAt: "GET http:// for each name",
    judge: (facts) =>
      onSites(facts, (sites) => {
        const problems = sites.flatMap(({ name, plain }) =>
          plain.kind === "read" &&
          !(
            [301, 302, 307, 308].includes(plain.value.status) &&
            (plain.value.location ?? "").startsWith("https://")
          )
            ? [`http://${name} answers ${plain.value.status}`]
            : [],
        );
        const hidden = sites.find(({ plain }) => plain.kind === "unreadable");
        if (problems.length === 0 && hidden?.plain.kind === "unreadable")
          return unknown(hidden.plain.why, hidden.plain.needs);
        return passUnless(problems, "every name leads to https, or has no plain HTTP");
      }),
  },
  {
    id: "PRX-003",
    layer: "proxy",
    severity: "high",
    title: "HSTS for a year, on every answer",
    fails: "HSTS is missing or short",
    why: "without it an attacker on the way can keep a browser on plain HTTP",
    fix: 'header Strict-Transport-Security "max-age=31536000; includeSubDomains" (not deferred), and again in handle_errors; nginx: add_header ... always',
    looksAt: "the answers 200, 401, 404 and 101 of each name, and the configuration for 502",
    judge: (facts) =>
      onEveryAnswer(
        facts,
        "strict-transport-security",
        (value) =>
          Number(/max-age="?(\d+)/i.exec(value)?.[1] ?? 0) >= YEAR_SECONDS &&
          /includesubdomains/i.test(value),
      ),
  },
  {
    id: "PRX-004",
    layer: "proxy",
    severity: "medium",
    title: "Browsers are told not to guess types (nosniff)",
    fails: "Browsers may guess types (no nosniff)",
    why: "a browser that guesses types can be made to run what was sent as text",
    fix: "header X-Content-Type-Options nosniff; neither Caddy nor nginx adds it by itself",
    looksAt: "the answers of each name, and the configuration for 502",
    judge: (facts) =>
      onEveryAnswer(facts, "x-content-type-options", (value) => value.toLowerCase() === "nosniff"),
  },
  {
    id: "PRX-005",
    layer: "proxy",
    severity: "medium",
    title: "No other site may frame it",
    fails: "Other sites may frame it",
    why: "a page that shows yours in a frame can steal clicks on it",
    fix: "header X-Frame-Options DENY and header Content-Security-Policy \"frame-ancestors 'none'\"",
    looksAt: "the answers of each name, and the configuration for 502",
    judge: (facts) => onEveryAnswer(facts, "x-frame-options", (value) => /^deny$/i.test(value)),
  },
  {
    id: "PRX-006",
    layer: "proxy",
    severity: "high",
    title: "WebSockets pass, and ask who you are",
    fails: byEvidence("WebSockets do not pass", [/opens without a login/, "WebSockets open without a login"]),
    why: "the dashboard does not work without them, and an open one is a door around the login",
    fix: "Caddy passes them by itself; nginx: proxy_http_version 1.1 and the Upgrade and Connection headers; 403 comes from the gateway until gateway.trustedProxies names the proxy",
    looksAt: "a WebSocket handshake without credentials for each name",
    judge: (facts) =>
      onSites(facts, (sites) => {
        const tried = sites.flatMap((site) =>
          site.answers
            .filter(({ request }) => request.startsWith("WebSocket"))
            .map((answer) => ({ site, answer })),
        );
        if (tried.length === 0)
          return unknown(
            "no WebSocket handshake was answered",
            "curl -vk --http1.1 -H 'Upgrade: websocket' https://NAME/",
          );
        const broken = tried.filter(
          ({ site, answer }) =>
            ![101, 401, 302, 303].includes(answer.status) && !(answer.status === 403 && wantsLogin(site)),
        );
        const open = tried.filter(
          ({ site, answer }) => answer.status === 101 && !wantsLogin(site) && !gatewayWantsToken(facts),
        );
        return passUnless(
          [
            ...broken.map(
              ({ site, answer }) => `${site.name}: the handshake is answered by ${answer.status}`,
            ),
            ...open.map(
              ({ site }) => `${site.name}: opens without a login, and the gateway asks for no token`,
            ),
          ],
          tried.map(({ site, answer }) => `${site.name}: ${answerText(answer)}`),
        );
      }),
  },
  {
    id: "PRX-007",
    layer: "proxy",
    severity: "critical",
    title: "What a client says about who it is does not get through",
    fails: "A client may say itself who it is",
    why: "a header that names a user or an address lets a stranger pose as one that is trusted",
    fix: "header_up -Forwarded, -X-Real-IP, -Tailscale-User-Login, -x-openclaw-scopes and `header_up X-Forwarded-User {...}` (set it; delete and set together delete)",
    looksAt: "the adapted configuration (caddy adapt, nginx -T) of every route to the gateway",
    judge: (facts) =>
      onSites(facts, (sites) => {
        const hidden = sites.find(({ passes }) => passes.kind !== "read");
        const problems = sites.flatMap(({ name, passes }) =>
          passes.kind === "read"
            ? passes.value.map((header) => `${name}: ${header} reaches the gateway as the client wrote it`)
            : [],
        );
        if (problems.length === 0 && hidden?.passes.kind === "unreadable")
          return unknown(hidden.passes.why, hidden.passes.needs);
        return passUnless(problems, "every header of identity is set or removed");
      }),
  },
  {
    id: "PRX-008",
    layer: "proxy",
    severity: "high",
    title: "A login is asked for before the gateway",
    fails: about("A site", "asks for no login before the gateway", "ask for no login before the gateway"),
    why: "without one every stranger's request reaches the gateway itself",
    fix: "basic_auth, forward_auth or client certificates in the site; or keep it off the internet with a tailnet",
    looksAt: "GET / without credentials for each name, and the configuration",
    judge: (facts) =>
      onSites(facts, (sites) => {
        const open = sites.filter((site) => !wantsLogin(site));
        return passUnless(
          open.map(
            (site) =>
              `${site.name}: GET / without credentials is answered by ${site.answers.find(({ request }) => request === "GET /")?.status ?? "?"}`,
          ),
          sites.map((site) => `${site.name}: ${site.authentication.join(", ") || "asks for a login"}`),
        );
      }),
  },
  {
    id: "PRX-009",
    layer: "proxy",
    severity: "medium",
    title: "Requests are limited at the edge",
    fails: about(
      "A site",
      "answers as many requests as anybody sends",
      "answer as many requests as anybody sends",
    ),
    why: "a login that can be tried without end is guessed in the end",
    fix: "nginx: limit_req; Caddy has none of its own: a rate in the policy (`rate: 60/minute`) limits connections in the kernel",
    looksAt: "the configuration, and Seawall's rules; no burst is sent",
    judge: (facts) =>
      onSites(facts, (sites) => {
        const limited = sites.filter(({ rateLimited }) => rateLimited);
        return passUnless(
          sites
            .filter(({ rateLimited }) => !rateLimited)
            .map(({ name }) => `${name}: nothing limits requests`),
          limited.map(({ name }) => `${name}: limited`),
        );
      }),
  },
  {
    id: "PRX-010",
    layer: "proxy",
    severity: "high",
    title: "The gateway behind it is on loopback",
    fails: "The gateway behind the proxy is reached without it",
    why: "a gateway on another address is reached without the proxy",
    fix: "reverse_proxy 127.0.0.1:18789, and gateway.bind: loopback",
    looksAt: "the upstreams of the adapted configuration",
    judge: (facts) =>
      onSites(facts, (sites) => {
        const upstreams = sites.flatMap(({ name, upstreams: all }) =>
          all.map((upstream) => ({ name, upstream })),
        );
        if (upstreams.length === 0)
          return unknown("no upstream could be read from the configuration", "caddy adapt, or nginx -T");
        return passUnless(
          upstreams
            .filter(({ upstream }) => !isLocal(upstream))
            .map(({ name, upstream }) => `${name} -> ${upstream}`),
          upstreams.map(({ name, upstream }) => `${name} -> ${upstream}`),
        );
      }),
  },
  {
    id: "PRX-011",
    layer: "proxy",
    severity: "high",
    title: "Caddy's admin interface is closed to the agent",
    fails: "Every program here may change Caddy",
    why: "on localhost:2019, its default, every program on this host may change the proxy",
    fix: "`admin unix//run/caddy/admin.sock` or `admin off` in the global options",
    looksAt: "the admin address of the adapted configuration, and who listens on port 2019",
    judge: (facts) =>
      given(facts.proxy, ({ kind, admin }) => {
        if (kind === "nginx") return notApplicable("nginx has no admin interface");
        return given(admin, (address) =>
          passUnless(
            address === "off" || address.startsWith("unix/")
              ? []
              : [`every program on this host reaches it at ${address}`],
            `admin ${address}`,
          ),
        );
      }),
  },
  {
    id: "PRX-012",
    layer: "proxy",
    severity: "medium",
    title: "Its configuration is valid, and is the one that runs",
    fails: byEvidence("The proxy's configuration is not valid", [
      /what runs is not/,
      "The proxy runs another configuration than its file",
    ]),
    why: "a file that was changed and not loaded, or cannot be loaded, is found out at the next restart",
    fix: "caddy validate --config /etc/caddy/Caddyfile && systemctl reload caddy; nginx -t && systemctl reload nginx",
    looksAt: "caddy adapt against the running configuration; nginx -t and the time of its last start",
    judge: (facts) =>
      given(facts.proxy, ({ configValid, loadedIsFile, kind }) =>
        given(configValid, ({ ok, said }) => {
          if (!ok) return fail(said || `${kind} refuses its configuration`);
          if (loadedIsFile.kind === "unreadable")
            return unknown(loadedIsFile.why, loadedIsFile.needs, ["the file is valid"]);
          return passUnless(
            loadedIsFile.kind === "read" && !loadedIsFile.value
              ? ["what runs is not what the file says"]
              : [],
            "valid, and what runs is the file",
          );
        }),
      ),
  },
  {
    id: "PRX-013",
    layer: "proxy",
    severity: "medium",
    title: "No location of nginx drops the inherited headers",
    fails: "A location of nginx drops the inherited headers",
    why: "one add_header of its own and a location sends none of the others",
    fix: "repeat all of them there, or include one file with all in both places",
    looksAt: "nginx -T: add_header by level",
    judge: (facts) =>
      given(facts.proxy, ({ kind, lostHeaders }) =>
        kind === "caddy"
          ? notApplicable("Caddy inherits headers")
          : passUnless(lostHeaders, "every location that adds headers repeats those above it"),
      ),
  },
  {
    id: "PRX-014",
    layer: "proxy",
    severity: "low",
    title: "No banner, no old TLS, no answer to unknown names",
    fails: "The proxy tells scanners what to try",
    why: "each tells a scanner what to try",
    fix: "server_tokens off, ssl_protocols TLSv1.2 TLSv1.3, ssl_reject_handshake on; Caddy: header -Server",
    looksAt: "the Server header, handshakes with TLS 1.0 and 1.1, and with an unknown name",
    judge: (facts) =>
      onSites(facts, (_sites, { banner, oldTls, unknownNameRefused }) => {
        const problems = [
          ...(banner ? ["the Server header names the program"] : []),
          ...oldTls.map((version) => `${version} is accepted`),
          ...(unknownNameRefused.kind === "read" && !unknownNameRefused.value
            ? ["an unknown name is answered"]
            : []),
        ];
        if (problems.length === 0 && unknownNameRefused.kind === "unreadable")
          return unknown(unknownNameRefused.why, unknownNameRefused.needs);
        return passUnless(problems, "none of them");
      }),
  },
];

function wantsLogin(site: ProxySite): boolean {
  const first = site.answers.find(({ request }) => request === "GET /");
  // The gateway itself answers 403 to a proxy that it does not trust, whoever asks: that is no login.
  if (first === undefined || first.status === 403) return site.authentication.length > 0;
  return [401, 302, 303, 307].includes(first.status);
}

function gatewayWantsToken(facts: Facts): boolean {
  return (
    facts.openclaw.kind === "read" &&
    facts.openclaw.value.instances.every(
      ({ answers }) => answers.kind === "read" && answers.value.without === 401,
    )
  );
}

function isLocal(upstream: string): boolean {
  const host = upstream
    .replace(/^https?:\/\//, "")
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "");
  return upstream.startsWith("unix") || host === "localhost" || isLoopbackAddress(host);
}
