// Copyright 2026 the ioq authors. MIT license.

/**
 * Temporary directories that are gone when the process is, whatever ends it: a suite
 * that is through, an error, or a second Ctrl-C while something is still running.
 *
 * @module
 */

const directories = new Set<string>();

/** A temporary directory, removed with all that is in it when it is disposed of. */
export interface Scratch extends Disposable {
  /** Its path. */
  readonly path: string;
}

function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw error;
    }
  }
  directories.delete(path);
}

/** Make a temporary directory: where they usually are, or in another one. */
export function makeScratch(dir?: string): Scratch {
  const path = Deno.makeTempDirSync({
    prefix: "ioq_bench_",
    ...(dir === undefined ? {} : { dir }),
  });
  directories.add(path);
  return { path, [Symbol.dispose]: () => remove(path) };
}

/** Remove all of them now, for a process that ends without disposing of anything. */
export function removeScratch(): void {
  for (const path of directories) {
    remove(path);
  }
}
