// Copyright 2026 the ioq authors. MIT license.

/**
 * Which versions of other programs the benchmarks compare with.
 *
 * @module
 */

/** Versions by program; `null`: it is not here. */
export type PeerVersions = Readonly<Record<string, string | null>>;

/** Programs that some suite may compare with, and what they may be called. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  bfs: ["bfs"],
  cat: ["cat"],
  cc: ["cc"],
  fd: ["fdfind", "fd"],
  find: ["find"],
  fio: ["fio"],
  node: ["node"],
};

/** The number in what a program says of itself. */
export function versionIn(output: string): string | null {
  return /\d+(?:\.\d+)+(?:[-+~][\w.+~-]+)?/.exec(output)?.[0] ?? null;
}

async function versionOf(names: readonly string[]): Promise<string | null> {
  for (const name of names) {
    try {
      const command = new Deno.Command(name, { args: ["--version"], stderr: "null" });
      const { stdout } = await command.output();
      return versionIn(new TextDecoder().decode(stdout));
    } catch {
      // Not by this name
    }
  }
  return null;
}

/** Ask all programs for their versions. */
export async function findPeerVersions(): Promise<Record<string, string | null>> {
  const found = Object.entries(PROGRAMS).map(async ([name, names]) =>
    [name, await versionOf(names)] as const
  );
  return Object.fromEntries(await Promise.all(found));
}
