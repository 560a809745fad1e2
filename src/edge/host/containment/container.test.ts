import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ContainerFacts } from "../../../core/containment/facts.ts";
import { describeContainer, type Inspected } from "./container.ts";

/** What `docker inspect` of Docker 20.10 says of `docker run --network agents NAME`, as far as it is read. */
const PLAIN: Inspected = {
  Name: "/openclaw",
  HostConfig: {
    NetworkMode: "agents",
    PidMode: "",
    IpcMode: "private",
    UTSMode: "",
    UsernsMode: "",
    Privileged: false,
    CapAdd: null,
    Devices: [],
  },
  Mounts: [],
  NetworkSettings: { Networks: { agents: {} } },
};

const FACTS: ContainerFacts = {
  name: "openclaw",
  privileged: false,
  shared: [],
  capabilities: [],
  mounts: [],
  otherNetworks: [],
  hostResolvers: [],
};

const host = (more: Partial<Inspected["HostConfig"]>): Inspected => ({
  ...PLAIN,
  HostConfig: { ...PLAIN.HostConfig, ...more },
});
const bind = (source: string, writes: boolean): Inspected => ({
  ...PLAIN,
  Mounts: [{ Type: "bind", Source: source, RW: writes }],
});

describe("a container", () => {
  for (const [what, inspected, facts] of [
    ["as docker run makes it", PLAIN, {}],
    ["with --privileged", host({ Privileged: true }), { privileged: true }],
    ["with --pid=host", host({ PidMode: "host" }), { shared: ["pid"] }],
    ["with --ipc=host --uts=host", host({ IpcMode: "host", UTSMode: "host" }), { shared: ["ipc", "uts"] }],
    ["with --cap-add", host({ CapAdd: ["CAP_SYS_ADMIN", "ALL"] }), { capabilities: ["sys_admin", "all"] }],
    ["with --device", host({ Devices: [{ PathOnHost: "/dev/sda" }] }), { mounts: ["/dev/sda"] }],
    ["with a folder", bind("/srv/x", true), { mounts: ["/srv/x"] }],
    ["with a read-only folder", bind("/etc", false), {}],
    [
      "with a read-only docker.sock, which still connects",
      bind("/run/docker.sock", false),
      { mounts: ["/run/docker.sock"] },
    ],
    [
      "with a read-only libvirt-sock, which still connects",
      bind("/run/libvirt/libvirt-sock", false),
      { mounts: ["/run/libvirt/libvirt-sock"] },
    ],
    [
      "with a volume",
      { ...PLAIN, Mounts: [{ Type: "volume", Source: "/var/lib/docker/volumes/x", RW: true }] },
      {},
    ],
    [
      "in a second network",
      { ...PLAIN, NetworkSettings: { Networks: { agents: {}, bridge: {} } } },
      { otherNetworks: ["bridge"] },
    ],
    ["with --dns", host({ Dns: ["192.0.2.1"] }), {}],
  ] as const) {
    it(what, () => assert.deepEqual(describeContainer(inspected, "agents", []), { ...FACTS, ...facts }));
  }
  for (const [what, inspected, network, found] of [
    ["asks it through dockerd", PLAIN, "agents", ["127.0.0.53"]],
    ["does not with --dns", host({ Dns: ["192.0.2.1"] }), "agents", []],
    ["does not in the default network", PLAIN, "bridge", []],
  ] as const) {
    it(`where the host's resolver is on its loopback, ${what}`, () =>
      assert.deepEqual(describeContainer(inspected, network, ["127.0.0.53"]).hostResolvers, found));
  }
});
