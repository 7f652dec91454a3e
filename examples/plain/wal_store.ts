// Copyright 2026 the ioq authors. MIT license.

/**
 * `../wal_store.ts` with Deno's own calls alone. Its log is lines of JSON; changes that come
 * together share an fsync as well.
 *
 *     deno run --allow-read --allow-write examples/plain/wal_store.ts FOLDER KEY=VALUE…
 *
 * @module
 */

/** The contents of a file; nothing if there is none. */
async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return "";
    }
    throw error;
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await file.write(bytes.subarray(done));
  }
}

async function syncFolder(folder: string): Promise<void> {
  using file = await Deno.open(folder);
  await file.sync();
}

export class WalStore implements AsyncDisposable {
  readonly #folder: string;
  readonly #map: Map<string, string>;
  readonly #log: Deno.FsFile;
  #waiting: string[] = [];
  /** The write of all that waits, or the checkpoint, that is last in line. */
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  private constructor(folder: string, map: Map<string, string>, log: Deno.FsFile) {
    this.#folder = folder;
    this.#map = map;
    this.#log = log;
  }

  static async open(folder: string): Promise<WalStore> {
    await Deno.mkdir(folder, { recursive: true });
    const map = new Map<string, string>(
      JSON.parse(await readIfThere(`${folder}/snapshot`) || "[]"),
    );
    const text = await readIfThere(`${folder}/log`);
    let whole = 0;
    for (let end; (end = text.indexOf("\n", whole)) >= 0; whole = end + 1) {
      try {
        const [key, value] = JSON.parse(text.slice(whole, end));
        map.set(key, value);
      } catch {
        break; // a crash left it half-written
      }
    }
    const log = await Deno.open(`${folder}/log`, { write: true, create: true });
    const end = new TextEncoder().encode(text.slice(0, whole)).length;
    await log.truncate(end);
    await log.seek(end, Deno.SeekMode.Start);
    await syncFolder(folder);
    return new WalStore(folder, map, log);
  }

  get entries(): ReadonlyMap<string, string> {
    return this.#map;
  }

  set(key: string, value: string): Promise<void> {
    this.#map.set(key, value);
    this.#waiting.push(`${JSON.stringify([key, value])}\n`);
    if (this.#next === undefined) {
      const next = this.#last.then(async () => {
        this.#next = undefined;
        await writeAll(this.#log, new TextEncoder().encode(this.#waiting.splice(0).join("")));
        await this.#log.syncData();
      });
      this.#next = this.#last = next;
    }
    return this.#next;
  }

  checkpoint(): Promise<void> {
    this.#next = undefined; // what comes later goes into the new log
    return this.#last = this.#last.then(async () => {
      const path = `${this.#folder}/snapshot`;
      const temporary = `${path}.new`;
      {
        using file = await Deno.open(temporary, { write: true, create: true, truncate: true });
        await writeAll(file, new TextEncoder().encode(JSON.stringify([...this.#map])));
        await file.sync();
      }
      await Deno.rename(temporary, path);
      await syncFolder(this.#folder);
      await this.#log.truncate(0);
      await this.#log.seek(0, Deno.SeekMode.Start);
      await this.#log.sync();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last.finally(() => this.#log.close());
  }
}

if (import.meta.main) {
  const [folder, ...changes] = Deno.args;
  if (folder === undefined) {
    console.error("Usage: wal_store.ts FOLDER KEY=VALUE…");
    Deno.exit(2);
  }
  await using store = await WalStore.open(folder);
  await Promise.all(changes.map((change) => {
    const [key, ...value] = change.split("=");
    return store.set(key!, value.join("="));
  }));
  for (const [key, value] of store.entries) {
    console.log(`${key}=${value}`);
  }
}
