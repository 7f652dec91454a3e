// Copyright 2026 the ioq authors. MIT license.

/**
 * One row an operation: what it is to the core, to error messages, to permissions, to the
 * lanes and to whoever reads its result. Each row stands in the file of its family, right
 * above the function of `op` that makes its requests; everything else follows from it.
 *
 *     attributes, names, open, raw_sqe, storage, transfers, waiting, whole, xattrs
 *
 * What an operation resolves to, and what its function takes, is public and stands in
 * `builders.ts`.
 *
 * @module
 */

import type { Access } from "../permissions.ts";
import type { OpName, OpValues } from "./values.ts";
import type { Decoder } from "./decode.ts";
import type { Plain } from "./plain_call.ts";

/**
 * Where an operation runs when there is a ring, by measurement:
 *
 *     queue     the queue itself completes it
 *     ring      done within the turn, or waiting for a device or for time
 *     overflow  a lane, and the ring at a backlog: io_uring hands it to threads of the
 *               kernel's, which costs more than a lane
 *     lane      io_uring has no such operation, or it is several calls in one
 *
 * An opcode that the kernel lacks goes to a lane, too.
 *
 * Those of `overflow`, best of seven interleaved runs on two processors, in microseconds
 * per operation, ring and lane, with one in flight and with 128 (paths on ext4, the rest
 * on what is cached):
 *
 *     stat 9.8, 4.3; 2.2, 1.3        rename 20.7, 16.4; 15.3, 15.8
 *     unlink 13.8, 6.8; 4.0, 4.0     link 14.8, 11.0; 5.7, 7.3
 *     allocate 10.0, 3.7; 1.9, 1.3   syncRange 7.5, 2.2; 1.1, 0.65
 *     advise: willNeed 7.2, 2.2; 1.0, 0.8, random 1.6, 2.3; 0.55, 0.8
 *
 * mkdir and symlink on tmpfs, in processor time with one in flight: 12.9, 10.9 and
 * 13.7, 11.1. Where all processors are busy it is the ring that takes less of it (mkdir
 * 13, 20; with 128 in flight 5, 7). On ext4 its journal decides: 50 µs and more by either.
 *
 * Not among them, although the kernel's threads run these as well: `sync` and
 * `syncData`, where the device decides (40 and 40 on ext4) and a lane would be held up
 * for that long; and writes, of which some file systems take those of cached files
 * without a thread, and all take direct ones so. `truncate` of descriptors has an opcode
 * since 6.9, by threads of the kernel's (4.3 µs, on a lane 4.4).
 */
export type Lane = "queue" | "ring" | "overflow" | "lane";

/** What of a request messages tell. */
export interface About {
  readonly fd: number;
  readonly path: string | Uint8Array | undefined;
  readonly path2: string | Uint8Array | undefined;
  /** Its path as it was given, if that is another. */
  readonly given: string | Uint8Array | undefined;
}

/** An operation's row. */
export interface Operation<V = unknown> {
  /** The core's code. */
  readonly code: number;
  /** What error messages call it: what Deno calls it, where Deno has it. */
  readonly verb: string;
  /** Flags that every request has. */
  readonly flags?: number;
  /** What it does to its path; nothing if it has none. */
  readonly access?: Access;
  /** What it does to its second path. */
  readonly access2?: Access;
  /** What it does to the file of its descriptor, if that is what it is about. */
  readonly onDescriptor?: Access;
  /** Whether it changes what a descriptor need not have been opened for. */
  readonly changesInode?: boolean;
  /** Whether it tells of its file more than what is in it. */
  readonly tellsInode?: boolean;
  /** Whether it opens the contents of files, whose paths may lead elsewhere. */
  readonly opens?: boolean;
  /** Where it runs. */
  readonly lane: Lane;
  /** Whether it closes a descriptor: it is never cancelled then. */
  readonly closes?: boolean;
  /** What messages say it is about, if not its paths or its descriptor. */
  readonly about?: ((request: About) => string) | undefined;
  /** How to read what it produced. */
  readonly decode: Decoder<V>;
  /**
   * How it is run without the library, for the first row of its code, or why it is not.
   * Nothing is done by halves.
   */
  readonly plain?: Plain | undefined;
}

/** What a row does not say. */
const NOTHING = {
  flags: 0,
  access: 0,
  access2: 0,
  onDescriptor: 0,
  changesInode: false,
  tellsInode: false,
  opens: false,
  closes: false,
  about: undefined,
  plain: undefined,
};

/** What a row may have none of, and says so. */
type Optional = "about" | "plain";

/** A row that says all. */
export type Row<V = unknown> =
  & Required<Omit<Operation<V>, Optional>>
  & { readonly [K in Optional]: Operation<V>[K] };

/** All rows by their names, once `op.ts` is loaded. */
const OPERATIONS: { [K in OpName]?: Row } = Object.create(null);

/** Enter a row. */
export function define<K extends OpName>(name: K, row: Operation<OpValues[K]>): void {
  OPERATIONS[name] = { ...NOTHING, ...row };
}

/** A row. */
export function operationOf(name: OpName): Row {
  return OPERATIONS[name]!;
}

/** The names of all operations. */
export function operationNames(): OpName[] {
  return Object.keys(OPERATIONS) as OpName[];
}

/** By code: how operations are run without the library, or why not. */
export function plainRuns(): (Plain | undefined)[] {
  const runs: (Plain | undefined)[] = [];
  for (const { code, plain } of operationNames().map(operationOf)) {
    runs[code] ??= plain;
  }
  return runs;
}

/** The codes of all that run there. */
export function codesOf(lane: Lane): number[] {
  return operationNames().map(operationOf).filter((row) => row.lane === lane)
    .map((row) => row.code);
}

/** What error messages call an operation. */
export function verbOf(name: OpName): string {
  return operationOf(name).verb;
}
