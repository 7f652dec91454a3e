// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { TempDir, text } from "../fixtures.ts";
import { times } from "./full.ts";

/** Whether this process may mount. */
function mayMount(): boolean {
  try {
    return new Deno.Command("unshare", { args: ["-m", "true"], stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

const can = mayMount();

Deno.test({
  name: `files on a full disk have what was acknowledged, whenever they are closed${
    can ? "" : " (cannot: not root)"
  }`,
  ignore: !can,
  async fn() {
    using dir = new TempDir();
    const script = `mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" run -A "$3" "$1" "$4"`;
    const { success, stdout, stderr } = await new Deno.Command("unshare", {
      args: [
        ...["-m", "sh", "-c", script, "sh", dir.path, Deno.execPath()],
        ...[fileURLToPath(new URL("file_soak.ts", import.meta.url)), `${times(12, 1000)}`],
      ],
      env: { NO_COLOR: "1" },
    }).output();
    const said = text(stderr) + text(stdout);
    assert(success, said);
    for (const line of text(stdout).trim().split("\n")) {
      const { calls, bytes } = JSON.parse(line);
      assertEquals([calls > 0, bytes > 0], [true, true], said);
    }
  },
});
