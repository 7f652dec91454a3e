// Copyright 2026 the ioq authors. MIT license.

/**
 * `../dirty.ts` with Deno's own calls alone.
 *
 *     deno run --allow-read --allow-write examples/plain/dirty.ts FOLDER STATE
 *
 * @module
 */

interface Known {
  stamp: string;
  sha256: string;
}

async function load(state: string): Promise<Record<string, Known>> {
  try {
    return JSON.parse(await Deno.readTextFile(state));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return {};
    }
    throw error;
  }
}

/** The regular files below a folder. */
async function* filesIn(folder: string): AsyncGenerator<string> {
  for await (const { name, isFile, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) {
      yield* filesIn(path);
    } else if (isFile) {
      yield path;
    }
  }
}

/** Replace a file as a whole. */
async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}`;
  try {
    await Deno.writeTextFile(temporary, text, { createNew: true });
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

export async function findDirty(folder: string, state: string): Promise<string[]> {
  const before = new Map(Object.entries(await load(state)));
  const after = new Map<string, Known>();
  const suspects: string[] = [];
  for await (const path of filesIn(folder)) {
    const info = await Deno.lstat(path);
    const stamp = `${info.size} ${info.mtime?.getTime()} ${info.ctime?.getTime()} ${info.ino}`;
    const known = before.get(path);
    after.set(path, { stamp, sha256: known?.sha256 ?? "" });
    if (known?.stamp !== stamp) {
      suspects.push(path);
    }
  }

  const lines = [...before.keys()].filter((path) => !after.has(path)).map((it) => `gone ${it}`);
  for (const path of suspects) {
    const known = after.get(path)!;
    const bytes = await Deno.readFile(path);
    const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    if (known.sha256 !== sha256) {
      lines.push(`${before.has(path) ? "changed" : "new"} ${path}`);
      known.sha256 = sha256;
    }
  }
  await replace(state, JSON.stringify(Object.fromEntries(after)));
  return lines.sort();
}

if (import.meta.main) {
  const [folder, state] = Deno.args;
  if (folder === undefined || state === undefined) {
    console.error("Usage: dirty.ts FOLDER STATE");
    Deno.exit(2);
  }
  for (const line of await findDirty(folder, state)) {
    console.log(line);
  }
}
