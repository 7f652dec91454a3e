// Copyright 2026 the ioq authors. MIT license.

/**
 * A map on disk, with a write-ahead log:
 *
 *     deno run --allow-ffi --allow-read --allow-write examples/wal_store.ts FOLDER KEY=VALUE…
 *
 * A change is safe once its record is in the log, `append_log.ts`, where changes that come together
 * share an fsync. A checkpoint writes the whole map to a snapshot, which replaces the old one when
 * it is on the device, and empties the log. After a crash between the two the log holds changes
 * that the snapshot has as well; making them again, in their order, changes nothing.
 *
 * @module
 */

import { Ioq } from "@ioq/ioq";
import { AppendLog } from "./append_log.ts";

/** A store. One at a time may have its folder open. */
export class WalStore implements AsyncDisposable {
  readonly #ioq: Ioq;
  readonly #folder: string;
  readonly #map: Map<string, string>;
  #log: AppendLog;
  /** The checkpoint that changes have to wait for, if there is one. */
  #checkpoint: Promise<void> | undefined;

  private constructor(ioq: Ioq, folder: string, map: Map<string, string>, log: AppendLog) {
    this.#ioq = ioq;
    this.#folder = folder;
    this.#map = map;
    this.#log = log;
  }

  /** Open a store, or begin one. */
  static async open(ioq: Ioq, folder: string): Promise<WalStore> {
    await ioq.ensureDir(folder);
    const snapshot = `${folder}/snapshot`;
    const map = new Map<string, string>(
      await ioq.exists(snapshot) ? JSON.parse(await ioq.readTextFile(snapshot)) : [],
    );
    const log = await AppendLog.open(ioq, `${folder}/log`);
    for await (const record of log.records()) {
      const [key, value] = JSON.parse(new TextDecoder().decode(record));
      map.set(key, value);
    }
    return new WalStore(ioq, folder, map, log);
  }

  /** What is in the store, also what is not safe yet. */
  get entries(): ReadonlyMap<string, string> {
    return this.#map;
  }

  /** Set a value. Resolves when it is safe on the device. */
  async set(key: string, value: string): Promise<void> {
    while (this.#checkpoint !== undefined) {
      await this.#checkpoint;
    }
    // Both at once: the order in the map is that in the log
    this.#map.set(key, value);
    await this.#log.append(new TextEncoder().encode(JSON.stringify([key, value])));
  }

  /** Write a snapshot, and begin a new log. */
  checkpoint(): Promise<void> {
    return this.#checkpoint ??= this.#writeSnapshot().finally(() => this.#checkpoint = undefined);
  }

  async #writeSnapshot(): Promise<void> {
    await this.#log[Symbol.asyncDispose]();
    const snapshot = JSON.stringify([...this.#map]);
    const options = { atomic: true, durable: true };
    await this.#ioq.writeTextFile(`${this.#folder}/snapshot`, snapshot, options);
    await this.#ioq.writeTextFile(`${this.#folder}/log`, "", { durable: true });
    this.#log = await AppendLog.open(this.#ioq, `${this.#folder}/log`);
  }

  /** Wait for changes, and close the log. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#checkpoint;
    await this.#log[Symbol.asyncDispose]();
  }
}

if (import.meta.main) {
  const [folder, ...changes] = Deno.args;
  if (folder === undefined) {
    console.error("Usage: wal_store.ts FOLDER KEY=VALUE…");
    Deno.exit(2);
  }
  await using ioq = await Ioq.open();
  await using store = await WalStore.open(ioq, folder);
  await Promise.all(changes.map((change) => {
    const [key, ...value] = change.split("=");
    return store.set(key!, value.join("="));
  }));
  for (const [key, value] of store.entries) {
    console.log(`${key}=${value}`);
  }
}
