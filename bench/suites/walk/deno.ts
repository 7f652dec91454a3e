// Copyright 2026 the ioq authors. MIT license.

/**
 * Walks by Deno's own calls.
 *
 * @module
 */

/** As `walk()` of `@std/fs` goes: one directory at a time, a stat for each. */
async function* denoWalk(path: string): AsyncGenerator<{ path: string; name: string }> {
  const { isDirectory } = await Deno.stat(path);
  yield { path, name: path.slice(path.lastIndexOf("/") + 1) };
  if (!isDirectory) {
    return;
  }
  for await (const entry of Deno.readDir(path)) {
    const below = `${path}/${entry.name}`;
    if (entry.isDirectory) {
      yield* denoWalk(below);
    } else {
      yield { path: below, ...entry };
    }
  }
}

/** Asynchronously. */
export async function denoAsync(root: string, count: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for await (const _ of denoWalk(root)) {
      sum++;
    }
  }
  return sum;
}

function denoSyncBelow(path: string): number {
  let sum = 1;
  for (const entry of Deno.readDirSync(path)) {
    sum += entry.isDirectory ? denoSyncBelow(`${path}/${entry.name}`) : 1;
  }
  return sum;
}

/** Synchronously. */
export function denoSync(root: string, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += denoSyncBelow(root);
  }
  return sum;
}
