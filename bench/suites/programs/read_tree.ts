// Copyright 2026 the ioq authors. MIT license.

import { readdir, readFile, stat } from "node:fs/promises";

async function sizeOf(path: string): Promise<number> {
  const info = await stat(path);
  if (!info.isDirectory()) {
    return (await readFile(path)).length;
  }
  const names = (await readdir(path)).filter((name) => name !== ".git");
  const sizes = await Promise.all(names.map((name) => sizeOf(`${path}/${name}`)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

console.log(await sizeOf(Deno.args[0]!));
