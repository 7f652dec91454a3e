// Copyright 2026 the ioq authors. MIT license.

/**
 * What `ioq find` asks of an entry's attributes: its size, and when it was written to. Numbers are
 * as find(1) has them: `+N` is more than that, `-N` less, and what is counted in units is rounded
 * up for sizes, down for days.
 *
 * @module
 */

import { decodeBigIntFileInfo, decodeFileInfo, type FileInfo } from "../linux/stat.ts";
import { UsageError } from "./command.ts";

/** Attributes with the exact time of the last writing. */
export interface TimedInfo extends FileInfo {
  /** Nanoseconds since 1970. */
  mtimeNs: bigint;
}

/** Whether an entry is printed, by its attributes. */
export type InfoTest = (info: TimedInfo) => boolean;

/** Read a stat record. */
export function decodeTimed(words: Int32Array, at: number): TimedInfo {
  return { ...decodeFileInfo(words, at), mtimeNs: decodeBigIntFileInfo(words, at).mtimeNs };
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  c: 1,
  k: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

const DAY_NS = 86_400_000_000_000n;

/** How a number is to compare with a value. */
function comparison(sign: string, limit: number): (value: number) => boolean {
  return sign === "+"
    ? (value) => value > limit
    : sign === "-"
    ? (value) => value < limit
    : (value) => value === limit;
}

/**
 * Read a size: bytes, or units of 1024 bytes and their multiples.
 *
 * @throws {UsageError} If it is none.
 */
export function sizeTest(text: string): InfoTest {
  const parts = /^([+-]?)(\d{1,15})([ckMGT]?)$/.exec(text);
  if (parts === null) {
    throw new UsageError(`Invalid size '${text}' for --size`);
  }
  const unit = UNITS[parts[3]!]!;
  const compares = comparison(parts[1]!, Number(parts[2]));
  return ({ size }) => compares(Math.ceil(size / unit));
}

/**
 * Read an age in days.
 *
 * @param nowNs From when on it counts back.
 * @throws {UsageError} If it is none.
 */
export function ageTest(text: string, nowNs: bigint): InfoTest {
  const parts = /^([+-]?)(\d{1,9})$/.exec(text);
  if (parts === null) {
    throw new UsageError(`Invalid number of days '${text}' for --mtime`);
  }
  const compares = comparison(parts[1]!, Number(parts[2]));
  return ({ mtimeNs }) => {
    const age = nowNs - mtimeNs;
    // Down, also if it is in the future
    const days = age / DAY_NS - (age < 0n && age % DAY_NS !== 0n ? 1n : 0n);
    return compares(Number(days));
  };
}

/** Those that were written to after a moment. */
export function newerTest(thanNs: bigint): InfoTest {
  return ({ mtimeNs }) => mtimeNs > thanNs;
}
