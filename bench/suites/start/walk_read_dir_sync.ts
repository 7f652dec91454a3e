// Copyright 2026 the ioq authors. MIT license.

/**
 * The same with `Deno.readDirSync()`.
 *
 * @module
 */

function count(path: string): number {
  let entries = 1;
  for (const { name, isDirectory } of Deno.readDirSync(path)) {
    entries += isDirectory ? count(`${path}/${name}`) : 1;
  }
  return entries;
}

console.log(count(Deno.args[0]!));
