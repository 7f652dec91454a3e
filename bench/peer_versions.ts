// Copyright 2026 the ioq authors. MIT license.

/**
 * Which versions of other programs the benchmarks compare with.
 *
 * @module
 */

/** Versions by program; `null`: it is not here. */
export type PeerVersions = Readonly<Record<string, string | null>>;

/** Programs that some suite may compare with, and how they tell their version. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  bfs: ["bfs", "--version"],
  cc: ["cc", "--version"],
  fd: ["fd", "--version"],
  fdfind: ["fdfind", "--version"],
  find: ["find", "--version"],
  fio: ["fio", "--version"],
  node: ["node", "--version"],
};

/** The number in what a program says of itself. */
export function versionIn(output: string): string | null {
  return /\d+(?:\.\d+)+(?:[-+~][\w.+~-]+)?/.exec(output)?.[0] ?? null;
}

/** Ask all programs for their versions. */
export async function findPeerVersions(): Promise<PeerVersions> {
  const found = await Promise.all(
    Object.entries(PROGRAMS).map(async ([name, [command, ...args]]) => {
      try {
        const { stdout } = await new Deno.Command(command!, { args, stderr: "null" }).output();
        return [name, versionIn(new TextDecoder().decode(stdout))] as const;
      } catch {
        return [name, null] as const;
      }
    }),
  );
  return Object.fromEntries(found);
}
