// Copyright 2026 the ioq authors. MIT license.

/**
 * The same as `walk()` of `@std/fs` does it.
 *
 * @module
 */

interface Entry {
  readonly path: string;
  readonly isDirectory: boolean;
}

async function* walk(path: string): AsyncGenerator<Entry> {
  yield { path, isDirectory: true };
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (isDirectory) {
      yield* walk(`${path}/${name}`);
    } else {
      yield { path: `${path}/${name}`, isDirectory };
    }
  }
}

let count = 0;
for await (const _ of walk(Deno.args[0]!)) {
  count++;
}
console.log(count);
