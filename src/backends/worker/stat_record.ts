// Copyright 2026 the ioq authors. MIT license.

/**
 * The record of a stat, as `native/ioq.h` has it, from what the runtime tells.
 *
 * @module
 */

import * as layout from "../../../ffi/layout.ts";
import type { PlainStat } from "../../operations/plain_call.ts";

/** Masks from `<linux/stat.h>`. */
const STATX_BASIC_STATS = 0x7ff;
const STATX_BTIME = 0x800;

/** Write a number into two words, the low one first. */
export function splitInto(words: Int32Array, at: number, value: number): void {
  words[at] = value;
  words[at + 1] = Math.floor(value / 0x1_0000_0000);
}

/** Seconds and the milliseconds that are left, of a time. */
function splitTime(time: Date | null): [seconds: number, nanoseconds: number] {
  const ms = time === null ? 0 : time.getTime();
  const seconds = Math.floor(ms / 1000);
  return [seconds, (ms - seconds * 1000) * 1e6];
}

/** The record of a stat as the native core writes it, filled from JavaScript. */
export class StatRecord {
  /** Its words. */
  readonly words: Int32Array<ArrayBuffer> = new Int32Array(layout.STAT_SIZE / 4);
  /** Its bytes. */
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(this.words.buffer);

  /** Fill it in. */
  pack(info: PlainStat): void {
    const words = this.words;
    words[layout.STAT_MASK] = STATX_BASIC_STATS | (info.birthtime === null ? 0 : STATX_BTIME);
    words[layout.STAT_MODE] = info.mode ?? 0;
    words[layout.STAT_NLINK] = info.nlink ?? 0;
    words[layout.STAT_UID] = info.uid ?? 0;
    words[layout.STAT_GID] = info.gid ?? 0;
    words[layout.STAT_BLKSIZE] = info.blksize ?? 0;
    this.#pack64(layout.STAT_SIZE_LOW, info.size);
    this.#pack64(layout.STAT_BLOCKS_LOW, info.blocks ?? 0);
    this.#pack64(layout.STAT_INO_LOW, info.ino ?? 0);
    this.#pack64(layout.STAT_DEV_LOW, info.dev);
    this.#pack64(layout.STAT_RDEV_LOW, info.rdev ?? 0);
    this.#packTime(layout.STAT_ATIME_LOW, layout.STAT_ATIME_NSEC, info.atime);
    this.#packTime(layout.STAT_MTIME_LOW, layout.STAT_MTIME_NSEC, info.mtime);
    this.#packTime(layout.STAT_CTIME_LOW, layout.STAT_CTIME_NSEC, info.ctime);
    this.#packTime(layout.STAT_BTIME_LOW, layout.STAT_BTIME_NSEC, info.birthtime);
  }

  #pack64(at: number, value: number): void {
    splitInto(this.words, at, value);
  }

  #packTime(at: number, nsecAt: number, time: Date | null): void {
    const [seconds, nanoseconds] = splitTime(time);
    this.#pack64(at, seconds);
    this.words[nsecAt] = nanoseconds;
  }
}
