// Copyright 2026 the ioq authors. MIT license.

/**
 * Several directories in one request, and what comes back: see `native/calls/tree.c`.
 *
 * @module
 */

import * as layout from "../../../ffi/layout.ts";
import { AT_FDCWD } from "../../linux/fcntl.ts";
import { CoreRequest, type Request } from "../../operations/request.ts";
import type { Decoder } from "../../operations/decode.ts";
import { findRawNames } from "../../linux/directory.ts";
import { pathText } from "../../path.ts";

/** Words of a directory's record. */
export const RECORD_WORDS: number = layout.TREE_DIRECTORY_SIZE / 4;
/** Words of a stat. */
export const STAT_WORDS: number = layout.STAT_SIZE / 4;

/** What was read by one request. */
export interface TreeBlock {
  /** The directories' records, {@linkcode RECORD_WORDS} words each. */
  readonly records: Int32Array;
  /** The type of each entry. */
  readonly types: Uint8Array;
  /** The name of each entry. */
  readonly names: readonly string[];
  /** The names' bytes, by entry, of those that are not UTF-8, if there are any. */
  readonly rawNames: ReadonlyMap<number, Uint8Array> | undefined;
  /** Whether a directory takes so long that many are to be read at once. */
  readonly isSlow: boolean;
  /** Whether the entries of each directory are sorted by name. */
  readonly isSorted: boolean;
  /** A stat of each entry, {@linkcode STAT_WORDS} words each; empty if not asked for. */
  readonly stats: Int32Array;
}

const NO_NAMES: readonly string[] = [];

/** A block whose names are read when they are first asked for: that is most of the work. */
class DecodedTree implements TreeBlock {
  readonly records: Int32Array;
  readonly types: Uint8Array;
  readonly stats: Int32Array;
  readonly isSlow: boolean;
  readonly isSorted: boolean;
  readonly #isRaw: boolean;
  readonly #bytes: Uint8Array;
  #names: readonly string[] | undefined;
  #rawNames: ReadonlyMap<number, Uint8Array> | undefined;

  /** @param bytes The payload, which is kept. */
  constructor(bytes: Uint8Array) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    const directories = words[layout.TREE_DIRECTORY_COUNT]!;
    const count = words[layout.TREE_ENTRY_COUNT]!;
    const flags = words[layout.TREE_FLAGS]!;
    const recordsAt = layout.TREE_HEAD_SIZE / 4;
    const statsAt = recordsAt + directories * RECORD_WORDS;
    const namesAt = bytes.length - words[layout.TREE_NAMES_LENGTH]!;
    const typesAt = namesAt - count;
    this.records = words.subarray(recordsAt, statsAt);
    this.types = bytes.subarray(typesAt, namesAt);
    this.stats = words.subarray(statsAt, typesAt >> 2);
    this.isSlow = (flags & layout.TREE_SLOW) !== 0;
    this.isSorted = (flags & layout.TREE_SORTED) !== 0;
    this.#isRaw = (flags & layout.DIRECTORY_RAW) !== 0;
    this.#bytes = bytes.subarray(namesAt);
    this.#names = count === 0 ? NO_NAMES : undefined;
  }

  get names(): readonly string[] {
    // One call for all names is several times cheaper than one each
    return this.#names ??= pathText(this.#bytes).split("\0");
  }

  get rawNames(): ReadonlyMap<number, Uint8Array> | undefined {
    return this.#isRaw ? this.#rawNames ??= findRawNames(this.#bytes, this.names) : undefined;
  }
}

/** Read the payload of a request. Everything is copied. */
const decodeTree: Decoder<TreeBlock> = (_, payload) => new DecodedTree(payload.bytes().slice());

/** What to read. */
export interface TreeArguments {
  /** The directory that the paths begin at, if it is not the current one. */
  readonly fd?: number | undefined;
  /** Paths, apart by NULs; at most 4095 bytes. */
  readonly paths: string | Uint8Array;
  /** Flags for opening those, beside what takes a directory. */
  readonly flags: number;
  /** Of `TREE_*`: what to tell, and what not to read. */
  readonly mode: number;
  /** The only device to read on, if the mode says so. */
  readonly device: number;
  /** What to leave there: see `lane_rules.ts`. */
  readonly rules?: string;
  /** Levels to go on below. */
  readonly levels: number;
  /** For how long to begin another directory. */
  readonly budgetUs: number;
  /** Of a copy: where to. */
  readonly copy?: {
    /** The directory that the same paths begin at. */
    readonly fd: number;
    /** Of `COPY_*`. */
    readonly how: number;
    /** The directory that all goes to. */
    readonly root: number;
  };
}

/**
 * Make a request. Whether the paths may be read is for its maker to check.
 *
 * @returns What resolves to a {@linkcode TreeBlock}.
 */
export function treeRequest(args: TreeArguments): Request<"readDir", TreeBlock> {
  const { copy } = args;
  return new CoreRequest("readDir", {
    decode: decodeTree,
    trusted: true,
    fd: args.fd ?? AT_FDCWD,
    path: args.paths,
    ...(args.rules === undefined ? {} : { path2: args.rules }),
    flags: args.flags,
    mode: layout.TREE | args.mode,
    offset: args.device,
    arg0: args.levels,
    arg1: args.budgetUs,
    ...(copy === undefined ? {} : { fd2: copy.fd, arg2: copy.how, arg3: copy.root }),
  });
}
