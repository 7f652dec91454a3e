// Copyright 2026 the ioq authors. MIT license.

/**
 * A full disk: what a call has told is what is in the file, and the error is Deno's. In a
 * mount namespace of its own, on a file system of 1 MiB in memory.
 */

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { TempDir, text } from "../fixtures.ts";

/** What a call came to, see `full_disk.ts`. */
interface Outcome {
  readonly row: string;
  readonly call: string;
  readonly error: string;
  readonly told: number;
  readonly size: number;
  readonly intact: boolean;
}

/** Whether this process may mount. */
function mayMount(): boolean {
  try {
    return new Deno.Command("unshare", { args: ["-m", "true"], stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

const SIZE = 1024 * 1024;
const can = mayMount();

Deno.test({
  name: `a full disk is told, and no byte that is not there${can ? "" : " (cannot: not root)"}`,
  ignore: !can,
  async fn(t) {
    using dir = new TempDir();
    Deno.mkdirSync(dir.at("disk"));
    Deno.writeFileSync(
      dir.at("large"),
      Uint8Array.from({ length: 6 * SIZE }, (_, i) => i * 31 + (i >> 8) * 7 + (i >> 16)),
    );
    const script =
      `mount -t tmpfs -o size=1m tmpfs "$1" && exec timeout 120 "$2" run -A "$3" "$1" "$4"`;
    const { success, stdout, stderr } = await new Deno.Command("unshare", {
      args: [
        ...["-m", "sh", "-c", script, "sh", dir.at("disk"), Deno.execPath()],
        ...[fileURLToPath(new URL("full_disk.ts", import.meta.url)), dir.at("large")],
      ],
    }).output();
    assert(success, text(stderr) + text(stdout));
    const outcomes = text(stdout).trim().split("\n").map((line) => JSON.parse(line) as Outcome);
    const denos = new Map(
      outcomes.filter(({ row }) => row === "Deno").map((outcome) => [outcome.call, outcome]),
    );
    for (const outcome of outcomes) {
      const { row, call, error, told, size, intact } = outcome;
      await t.step(`${row}: ${call}`, () => {
        const expected = denos.get(call);
        assertEquals(intact, true);
        if (expected === undefined) {
          assertEquals(error, "Error ENOSPC");
          assertEquals(told, call === "allocate" ? 0 : SIZE);
        } else {
          assertEquals(outcome, { ...expected, row });
        }
        assertEquals(size, call === "allocate" ? size : expected?.size ?? SIZE);
      });
    }
    assert(outcomes.length > 10 * denos.size / 2);
  },
});
