// Copyright 2026 the ioq authors. MIT license.

async function sizeOf(directory: string): Promise<number> {
  const sizes: Promise<number>[] = [];
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    sizes.push(isDirectory ? sizeOf(path) : Deno.readFile(path).then(({ length }) => length));
  }
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

console.log(await sizeOf(Deno.args[0]!));
