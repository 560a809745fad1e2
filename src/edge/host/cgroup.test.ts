import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { containerOfCgroup, isInContainer, unitOfCgroup } from "./cgroup.ts";

const ID = "0123456789abcdef".repeat(4);

describe("a process belongs", () => {
  for (const [what, text, unit, container] of [
    [
      "to a unit of the system",
      "0::/system.slice/openclaw-gateway.service\n",
      "system openclaw-gateway.service",
      null,
    ],
    [
      "to a unit of a user",
      "0::/user.slice/user-1000.slice/user@1000.service/app.slice/openclaw-gateway.service\n",
      "user openclaw-gateway.service",
      null,
    ],
    [
      "to a user's manager alone, which is no unit",
      "0::/user.slice/user-1000.slice/user@1000.service/init.scope\n",
      null,
      null,
    ],
    ["to a login", "0::/user.slice/user-1000.slice/session-3.scope\n", null, null],
    ["to nobody", "", null, null],
    ["to Docker under systemd", `0::/system.slice/docker-${ID}.scope\n`, null, `docker ${ID}`],
    ["to Docker with its own groups", `0::/docker/${ID}\n`, null, `docker ${ID}`],
    ["to Docker with the old hierarchy", `12:pids:/docker/${ID}\n0::/\n`, null, `docker ${ID}`],
    [
      "to Podman",
      `0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container\n`,
      null,
      `podman ${ID}`,
    ],
    [
      "to Kubernetes",
      `0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${ID}.scope\n`,
      null,
      `other ${ID}`,
    ],
    ["to no container by a longer number", `0::/system.slice/x-${ID}0.scope\n`, null, null],
    ["to no unit of a name with a line break's escape", "0::/system.slice/a b.service\n", null, null],
  ] as const) {
    test(what, () => {
      const foundUnit = unitOfCgroup(text);
      const foundContainer = containerOfCgroup(text);
      assert.equal(foundUnit === null ? null : `${foundUnit.kind} ${foundUnit.name}`, unit);
      assert.equal(
        foundContainer === null ? null : `${foundContainer.runtime} ${foundContainer.id}`,
        container,
      );
    });
  }
});

describe("a process is in a container", () => {
  const HOST = "0::/init.scope\n";
  const WHOLE = `0::/docker/${ID}\n`;
  for (const [what, text, first, expected] of [
    ["of Docker under systemd", `0::/system.slice/docker-${ID}.scope\n`, HOST, true],
    ["of Docker with its own groups, below", `0::/docker/${ID}/system.slice/ssh.service\n`, HOST, true],
    ["of the old hierarchy alone", `12:pids:/docker/${ID}\n0::/\n`, HOST, true],
    ["of LXC", "0::/lxc.payload.web/system.slice/ssh.service\n", HOST, true],
    ["of systemd-nspawn", "0::/machine.slice/systemd-nspawn@web.service/payload\n", HOST, true],
    ["of Podman", `0::/machine.slice/libpod-${ID}.scope/container\n`, HOST, true],
    [
      "of Kubernetes",
      `0::/kubepods.slice/kubepods-besteffort.slice/cri-containerd-${ID}.scope\n`,
      HOST,
      true,
    ],
    ["by no unit of the host", "0::/system.slice/ssh.service\n", HOST, false],
    ["by no login", "0::/user.slice/user-1000.slice/session-3.scope\n", HOST, false],
    ["by dockerd's own unit: no", "0::/system.slice/docker.service\n", HOST, false],
    ["by what the whole machine is in: no", `0::/docker/${ID}/ssh\n`, WHOLE, false],
    ["inside a machine that is one", `0::/docker/${ID}/docker/${ID.replaceAll("0", "1")}\n`, WHOLE, true],
    ["by no group at all: no", "", HOST, false],
  ] as const) {
    test(what, () => assert.equal(isInContainer(text, first), expected));
  }
});
