import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { describe, it } from "node:test";
import { temporaryDirectory } from "../../../test/support/temporary-directory.ts";
import { plain } from "./plain.ts";
import { shellWord } from "./shell-word.ts";

describe("a name of the host in a command", () => {
  for (const [name, word] of [
    ["/etc/ssh/sshd_config", "/etc/ssh/sshd_config"],
    ["user@1000.service", "user@1000.service"],
    ["a b", "'a b'"],
    ["", "''"],
    ["$(touch x)", "'$(touch x)'"],
    ["`touch x`", "'`touch x`'"],
    ["x; touch x", "'x; touch x'"],
    ["it's", "'it'\\''s'"],
    ["~root", "'~root'"],
    ["*", "'*'"],
    ["a\ntouch x", "$'a\\012touch x'"],
    ["'\\\u001b[31m", "$'\\047\\134\\033[31m'"],
    ["\u202etxt.exe", "$'\\342\\200\\256txt.exe'"],
  ] as const) {
    it(`${JSON.stringify(name)} is one word that does nothing`, (t) => {
      assert.equal(shellWord(name), word);
      assert.equal(plain(word), word, "it is shown as it is");
      const cwd = temporaryDirectory(t);
      const said = execFileSync("bash", ["-c", `printf '<%s>' ${word}`], { cwd, encoding: "utf8" });
      assert.equal(said, `<${name}>`);
      assert.deepEqual(readdirSync(cwd), []);
    });
  }
});
