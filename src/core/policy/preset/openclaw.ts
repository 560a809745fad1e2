import { below, type Preset, seen } from "./entry.ts";

/** What OpenClaw itself and the tools around it reach, whatever model and channel are used. */
export const OPENCLAW_PRESETS: readonly Preset[] = [
  {
    name: "docker-images",
    kind: "tool",
    about: "images of OpenClaw and of Docker Hub; dockerd pulls them as root, the agent seldom does",
    entries: [
      seen("OpenClaw 2026.9.6, docs/install/docker.md", "ghcr.io"),
      seen(
        "the registries' usual token and blob hosts",
        "auth.docker.io",
        "pkg-containers.githubusercontent.com",
        "production.cloudflare.docker.com",
        "registry-1.docker.io",
      ),
    ],
  },
  {
    name: "geolocation",
    kind: "openclaw",
    about: "the address data base of the bundled geolocation plugin",
    entries: [seen("OpenClaw 2026.9.6, extensions/geolocation", "db-ip.com", "download.db-ip.com")],
  },
  {
    name: "github",
    kind: "tool",
    about: "skills, plugins and helper programs from GitHub",
    entries: [
      seen("OpenClaw 2026.9.6, github extension and git installs", "api.github.com", "github.com"),
      seen(
        "GitHub's redirect targets for archives, releases and raw files",
        "codeload.github.com",
        "objects.githubusercontent.com",
        "raw.githubusercontent.com",
        "release-assets.githubusercontent.com",
      ),
    ],
  },
  {
    name: "ios-push",
    kind: "openclaw",
    about: "push messages to the OpenClaw app on an iPhone",
    entries: [
      seen(
        "OpenClaw 2026.9.6, docs/gateway/config-gateway.md (gateway.push.apns.relay)",
        "api.push.apple.com",
        "api.sandbox.push.apple.com",
        "ios-push-relay-sandbox.openclaw.ai",
        "ios-push-relay.openclaw.ai",
      ),
    ],
  },
  {
    name: "npm",
    kind: "tool",
    about: "plugins and updates from the npm registry",
    entries: [
      seen("OpenClaw 2026.9.6, update and plugins install; npm's default registry", "registry.npmjs.org"),
    ],
  },
  {
    name: "openclaw",
    kind: "openclaw",
    about: "model catalogue, update check, skill hub and documentation of OpenClaw",
    entries: [
      seen(
        "observed at gateway start and first turn of OpenClaw 2026.9.6",
        "catalog.openclaw.ai",
        "clawhub.ai",
        "telemetry.openclaw.ai",
      ),
      seen("OpenClaw 2026.9.6, installer and `openclaw docs`", "docs.openclaw.ai", "openclaw.ai"),
    ],
  },
  {
    name: "pypi",
    kind: "tool",
    about: "Python packages that skills install",
    entries: [seen("pip's default index and its file host", "files.pythonhosted.org", "pypi.org")],
  },
  {
    name: "tailscale",
    kind: "tool",
    about:
      "Tailscale inside the agent's scope (userspace networking); the host's own tailscaled needs no rule",
    entries: [
      below(
        "OpenClaw 2026.9.6, docs/gateway/tailscale.md; Tailscale's firewall documentation",
        "relays are named derpNN.tailscale.com, and Tailscale adds and removes them",
        "*.tailscale.com",
      ),
    ],
  },
];
