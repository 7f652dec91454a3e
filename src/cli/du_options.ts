// Copyright 2026 the ioq authors. MIT license.

/**
 * What both ways of `ioq du` have in common: its options, and how sizes are printed.
 *
 * @module
 */

/** The options of `ioq du`. */
export const DU_OPTIONS = {
  summarize: { type: "boolean", short: "s" },
  human: { type: "boolean", short: "h" },
  "max-depth": { type: "string", short: "d" },
  "apparent-size": { type: "boolean" },
} as const;

const UNITS = ["", "K", "M", "G", "T", "P", "E"];

/** Bytes in units of 1024, rounded up; one decimal below ten. */
export function formatHuman(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  if (unit === 0) {
    return String(bytes);
  }
  if (Math.ceil(value * 10) < 100) {
    return (Math.ceil(value * 10) / 10).toFixed(1) + UNITS[unit];
  }
  const rounded = Math.ceil(value);
  return rounded === 1024 && unit < UNITS.length - 1
    ? `1.0${UNITS[unit + 1]}`
    : `${rounded}${UNITS[unit]}`;
}

/** A size as it is printed: in units of 1024 bytes, or for human readers. */
export function formatSize(bytes: number, isHuman: boolean): string {
  return isHuman ? formatHuman(bytes) : String(Math.ceil(bytes / 1024));
}

/** A path as du(1) has it: of slashes at the end one is left. */
export function withOneSlash(path: string): string {
  return path.replace(/(?<=.)\/+$/, "/");
}
