// Copyright 2026 the ioq authors. MIT license.

/** Tests on a mounted file system: see `mount.ts`. They are left out where none can be mounted. */

import { type Bench, forEachBackend, type Row } from "../backends.ts";
import { mountFuse } from "./mount.ts";

export * from "./mount.ts";

/** Why nothing can be mounted here, if so. */
export const noFuse: string | undefined = await (async () => {
  if (Deno.build.os !== "linux") {
    return "not Linux";
  }
  if (Deno.uid() !== 0) {
    return "not root";
  }
  try {
    await (await mountFuse())[Symbol.asyncDispose]();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
})();

/** A test that mounts, left out with the reason where nothing can be mounted. */
export function testOnFuse(name: string, fn: (t: Deno.TestContext) => void | Promise<void>): void {
  Deno.test({
    name: noFuse === undefined ? name : `${name} (cannot: ${noFuse})`,
    ignore: noFuse !== undefined,
    fn,
  });
}

/** A test that mounts, for each backend: see {@linkcode forEachBackend}. */
export function forEachBackendOnFuse(
  name: string,
  test: (bench: Bench) => void | Promise<void>,
  which?: (row: Row) => boolean,
): void {
  if (noFuse === undefined) {
    forEachBackend(name, test, which);
  } else {
    testOnFuse(name, () => {});
  }
}
