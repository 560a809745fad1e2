/** What the policy file has and the kernel has not. */
import type { Status } from "../../../apply/status.ts";
import { plain } from "../../../core/base/plain.ts";
import type { FileAndForce } from "../../file-and-force.ts";

/** During a panic and a pause the file cannot be what is in force, and nobody asks. */
export function fileLines(status: Status, files: readonly FileAndForce[]): string[] {
  if (status.state === "panic" || status.pausedUntil !== null || status.state === "drifted") return [];
  return files.flatMap((file) => lineOf(status, file));
}

function lineOf({ policy, generation }: Status, file: FileAndForce): string[] {
  const name = file.isInstalled ? "" : `${plain(file.path)}: `;
  const apply = file.isInstalled ? "sudo seawall apply" : `sudo seawall apply ${plain(file.path)}`;
  switch (file.state) {
    case "same":
      // What was applied is not what the next apply without a file would read.
      return [];
    case "differs": {
      if (generation === null) return [];
      const count =
        file.changes === null ? "changes" : `${file.changes} change${file.changes === 1 ? "" : "s"}`;
      const lines = [`file           ${name}${count} not in force (${apply})`];
      return file.summary === null ? lines : [...lines, `               ${plain(file.summary)}`];
    }
    case "unusable":
      return [`file           ${name}it cannot be applied as it is (seawall policy check)`];
    case "absent":
      if (policy === null) return [];
      return [
        `file           ${plain(file.path)} is not there;`,
        `               history ${policy.id} keeps what is in force`,
      ];
    case "not-known":
      return [];
  }
}
