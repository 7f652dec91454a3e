// Copyright 2026 the ioq authors. MIT license.

/**
 * A Worker that has files open, one of them locked, and makes compound calls over and over
 * until it is terminated.
 */

import { Ioq, type IoqOptions, op } from "../../mod.ts";
import { LANE } from "../../src/backends/open_backend.ts";
import { COMPOUND_CALLS, type Folder } from "./compound_calls.ts";

/** What it is to do. */
export interface Deeds {
  /** How to open its queue. */
  readonly options: IoqOptions;
  /** Whether the queue starts no Workers. */
  readonly onThisThread: boolean;
  /** Whether files can be locked. */
  readonly locks: boolean;
  /** Its folder, which has a folder for each call, and files `locked` and `raw`. */
  readonly path: string;
  /** The calls, by number. */
  readonly calls: readonly number[];
}

/** A folder that is there. */
class KnownFolder implements Folder {
  constructor(readonly path: string) {}

  at(name: string): string {
    return `${this.path}/${name}`;
  }

  file(name: string, text = ""): string {
    Deno.writeTextFileSync(this.at(name), text);
    return this.at(name);
  }
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<Deeds>) => void;
  postMessage(message: string): void;
};

scope.onmessage = async ({ data: { options, onThisThread, locks, path, calls } }) => {
  const ioq = await Ioq.open(onThisThread ? { ...options, [LANE]: null } as IoqOptions : options);
  const locked = await ioq.openFile(`${path}/locked`, { read: true, write: true });
  if (locks) {
    await locked.lock(true);
  }
  await ioq.run(op.open(`${path}/raw`));
  for (const number of calls) {
    (async () => {
      const call = COMPOUND_CALLS[number]!;
      const { signal } = new AbortController();
      while (true) {
        await call.run(ioq, new KnownFolder(`${path}/${number}`), signal);
      }
    })();
  }
  scope.postMessage("busy");
};
