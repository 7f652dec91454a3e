// Copyright 2026 the ioq authors. MIT license.

/**
 * A program that is watched is loaded anew in the same process with each change. What it
 * has open then and does not close must not stay: descriptors and threads are counted.
 */

import { assert, assertEquals } from "@std/assert";
import { MOD, TempDir } from "./fixtures.ts";

/** How often it is loaded anew. */
const RELOADS = 6;
/** How often it is changed, in milliseconds. */
const CHANGE_MS = 1000;
/** How long all reloads may take, in milliseconds: only a hang reaches it. */
const TIMEOUT_MS = 60_000;
/** Open connections to Deno's own caches come and go: that many more are no leak. */
const SLACK = 4;

for (const backend of ["auto", "threads", "worker"]) {
  Deno.test(`reloads of a watched program leave nothing behind [${backend}]`, async () => {
    using dir = new TempDir();
    const program = (version: number) => `
      // ${version}
      import { Ioq, op } from "${MOD}";
      const ioq = await Ioq.open({ backend: "${backend}" });
      const file = await ioq.openFile("/etc/hosts");
      await ioq.stat("/etc/hosts");
      void ioq.run(op.sleep(1e6)).catch(() => {});
      const names = (what) => [...Deno.readDirSync("/proc/self/" + what)].map((it) => it.name);
      // The runtime's own pool grows and shrinks as it likes
      const threads = names("task").filter((id) => {
        try {
          return !Deno.readTextFileSync("/proc/self/task/" + id + "/comm").startsWith("tokio");
        } catch {
          return false;
        }
      });
      console.log("counts", names("fd").length, threads.length, "of ${version}");
    `;
    const path = dir.file("main.ts", program(0));
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", "--watch", path],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
    // A change may come before the file is watched: it is made until it is seen
    const change = setInterval(
      () => Deno.writeTextFileSync(path, program(counts.length)),
      CHANGE_MS,
    );
    const counts: [descriptors: number, threads: number][] = [];
    try {
      const lines = child.stdout.pipeThrough(new TextDecoderStream());
      let text = "";
      for await (const part of lines) {
        text += part;
        const found = [...text.matchAll(/^counts (\d+) (\d+) of/gm)];
        if (found.length > counts.length) {
          counts.push([Number(found.at(-1)![1]), Number(found.at(-1)![2])]);
          if (counts.length > RELOADS) {
            break;
          }
        }
      }
    } finally {
      clearInterval(change);
      clearTimeout(timer);
      child.kill("SIGKILL");
      await child.status;
    }
    assertEquals(counts.length, RELOADS + 1, "it was loaded as often as it was changed");
    // The first start has not made all that the runtime keeps
    const [first, last] = [counts[1]!, counts.at(-1)!];
    assert(last[0] <= first[0] + SLACK, `descriptors: ${JSON.stringify(counts)}`);
    assert(last[1] <= first[1] + SLACK, `threads: ${JSON.stringify(counts)}`);
  });
}
