// Copyright 2026 the ioq authors. MIT license.

/**
 * Arguments as Deno's calls take them. A form that has Deno's name takes what Deno takes,
 * so that code that was written for Deno goes on as it did: a length of -5 or `NaN` is 0,
 * 3.7 is 3, a mode keeps the bits that modes have. What has a name of ours alone, as the
 * functions of `op`, refuses such numbers.
 *
 * Each function passes on what Deno refuses as well, for the one that is strict to throw.
 *
 * @module
 */

import { exactTime, type FileTime } from "./file_time.ts";
import { ownOption, ownOptions } from "./own_option.ts";

const TWO_63 = 2 ** 63;

/** A number of bytes: nothing is 0, as is what is below it; a fraction is left out. */
export function lenientLength(length: unknown): number {
  if (length === undefined || length === null) {
    return 0;
  }
  const number = typeof length === "bigint" ? Number(BigInt.asIntN(64, length)) : length;
  return typeof number === "number" ? Math.max(0, Math.trunc(number) || 0) : number as number;
}

/** A number of 32 bits, of which the lower ones of a larger number are left. */
function lenientBits(value: unknown): unknown {
  if (typeof value === "bigint") {
    return Number(BigInt.asUintN(32, value));
  }
  if (typeof value !== "number") {
    return value;
  }
  return value >= TWO_63 ? 0xffff_ffff : value <= -TWO_63 ? 0 : value >>> 0;
}

/**
 * A mode.
 *
 * @param mode What was given.
 * @param mask The bits that the call has use for.
 */
export function lenientMode(mode: unknown, mask = 0o7777): number {
  const bits = lenientBits(mode);
  return typeof bits === "number" ? (bits & mask) >>> 0 : bits as number;
}

/** The mode of a file that is opened, which Deno reads in another way. */
export function lenientOpenMode(mode: unknown): number {
  return typeof mode === "number"
    ? Math.min(Math.max(Math.trunc(mode) || 0, 0), 0xffff_ffff) & 0o777
    : mode as number;
}

/** A user's or a group's number; nothing and all bits set are `null`: it stays. */
export function lenientId(id: unknown): number | null {
  const bits = lenientBits(id ?? null);
  return bits === 0xffff_ffff ? null : bits as number | null;
}

/** A point in time; what is none is the beginning of 1970. Exact ones are ours alone. */
export function lenientTime(time: unknown): FileTime {
  const exact = exactTime(time);
  if (exact !== undefined) {
    return exact;
  }
  if (time instanceof Date) {
    return Number.isNaN(time.getTime()) ? 0 : time;
  }
  // A symbol is refused here, as by Deno
  const seconds = +(time as number);
  return Number.isNaN(seconds) ? 0 : seconds;
}

/** Options whose mode, if they have one, is what Deno takes it for. */
export function withLenientMode<O extends { mode?: number | undefined }>(
  options: O | null | undefined,
  mask?: number,
): O | undefined {
  const mode: unknown = ownOption(options, "mode");
  if (mode === undefined) {
    return options ?? undefined;
  }
  const { mode: _, ...rest } = ownOptions(options);
  return (mode === null ? rest : { ...rest, mode: lenientMode(mode, mask) }) as O;
}
