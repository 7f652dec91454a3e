// Copyright 2026 the ioq authors. MIT license.

/**
 * fdir, the fastest walker of npm's, which is installed for as long as the suite runs.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Run } from "../../harness.ts";
import { isHere, LineProgram, type Missing } from "../../peers.ts";

/** The version that is compared with. */
export const FDIR_VERSION = "6.5.0";
const FDIR = `fdir@${FDIR_VERSION}`;

/** What is used of it. */
interface Fdir {
  fdir: new () => {
    withFullPaths(): {
      withDirs(): { crawl(root: string): { withPromise(): Promise<string[]> } };
    };
  };
}

/** Have npm install fdir into a directory; its module. */
export async function installFdir(directory: string): Promise<string | Missing> {
  try {
    const { success, stderr } = await new Deno.Command("npm", {
      args: ["install", "--silent", "--no-audit", "--no-fund", "--prefix", directory, FDIR],
      signal: AbortSignal.timeout(20_000),
    }).output();
    const reason = new TextDecoder().decode(stderr).trim().split("\n")[0];
    return success
      ? `${directory}/node_modules/fdir/dist/index.mjs`
      : { missing: `npm cannot install ${FDIR}: ${reason}` };
  } catch (error) {
    return { missing: `npm cannot install ${FDIR}: ${(error as Error).message}` };
  }
}

/** Have it crawl in this process. */
export async function fdirOnDeno(module: string): Promise<(root: string) => Run> {
  const { fdir } = await import(`file://${module}`) as Fdir;
  return (root) => async (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const found = await new fdir().withFullPaths().withDirs().crawl(root).withPromise();
      sum += found.length;
    }
    return sum;
  };
}

/** Have it crawl in Node. */
export async function fdirOnNode(module: string): Promise<LineProgram | Missing> {
  const program = fileURLToPath(new URL("../../peers/walk.mjs", import.meta.url));
  return await isHere("node")
    ? new LineProgram("node", [program, module])
    : { missing: "there is no node here" };
}
