// Copyright 2026 the ioq authors. MIT license.

/**
 * The SHA-256 of files, as `sha256sum` prints them, computed by as many Workers as
 * there are processors:
 *
 *     deno run -A examples/checksum.ts [-j WORKERS] FILE…
 *
 * @module
 */

import { parseArgs } from "node:util";
import { EventLoop } from "@ioq/ioq/loop";

/** A file, with its checksum or why there is none. */
export type Checksum =
  | { readonly path: string; readonly sha256: string }
  | { readonly path: string; readonly error: Error };

/**
 * The checksums of files, in the order of the paths. A few more than there are
 * Workers are under way: none is idle, and few wait in memory.
 */
export async function* checksums(loop: EventLoop, paths: Iterable<string>, workers: number) {
  const module = new URL("./checksum_file.ts", import.meta.url);
  const underWay: Promise<Checksum>[] = [];
  const start = (path: string): Promise<Checksum> =>
    loop.offload<string>(module, [path]).then(
      (sha256) => ({ path, sha256 }),
      (error) => ({ path, error }),
    );
  for (const path of paths) {
    underWay.push(start(path));
    if (underWay.length >= workers * 4) {
      yield await underWay.shift()!;
    }
  }
  yield* underWay;
}

/** Print the checksums; the exit code. */
async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { jobs: { type: "string", short: "j" } },
  });
  const workers = Number(values.jobs ?? navigator.hardwareConcurrency);
  if (positionals.length === 0 || !Number.isInteger(workers) || workers < 1) {
    console.error("Usage: checksum.ts [-j WORKERS] FILE…");
    return 2;
  }
  let code = 0;
  await using loop = await EventLoop.open({ workers });
  for await (const checksum of checksums(loop, positionals, workers)) {
    if ("sha256" in checksum) {
      console.log(`${checksum.sha256}  ${checksum.path}`);
    } else {
      console.error(`checksum: ${checksum.error.message}`);
      code = 1;
    }
  }
  return code;
}

if (import.meta.main) {
  Deno.exitCode = await main(Deno.args);
}
