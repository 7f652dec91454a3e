// Copyright 2026 the ioq authors. MIT license.

/**
 * Copying a tree as one would with Deno alone: as many in flight as there are.
 *
 * @module
 */

/** Copy a directory. */
export async function copyByDeno(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  const entries = await Array.fromAsync(Deno.readDir(from));
  await Promise.all(entries.map(({ name, isDirectory }) => {
    const [below, copy] = [`${from}/${name}`, `${to}/${name}`];
    return isDirectory ? copyByDeno(below, copy) : Deno.copyFile(below, copy);
  }));
}
