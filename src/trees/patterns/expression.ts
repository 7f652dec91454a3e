// Copyright 2026 the ioq authors. MIT license.

/**
 * What patterns of any kind are made of: expressions over bytes, since names are bytes.
 * Globs, the rules of `.gitignore` and simple regular expressions all come to these, and
 * an {@linkcode Automaton} decides them.
 *
 * @module
 */

/** Which bytes: 256 flags. */
export type ByteSet = Uint8Array;

/** An expression. */
export type Expression =
  /** One byte of a set. */
  | { readonly kind: "byte"; readonly set: ByteSet }
  /** One after the other; with none, nothing at all. */
  | { readonly kind: "sequence"; readonly items: readonly Expression[] }
  /** One of them; with none, what never matches. */
  | { readonly kind: "either"; readonly items: readonly Expression[] }
  /** Any number of times, or at most once. */
  | {
    readonly kind: "repeat";
    readonly item: Expression;
    readonly least: 0 | 1;
    readonly most: 1 | typeof Infinity;
  }
  /** Nothing, where no dot comes next. */
  | { readonly kind: "noDot" }
  /** Whatever is within a name and is not, as a whole, what the item matches. */
  | { readonly kind: "not"; readonly item: Expression };

/** The byte between names. */
export const SLASH = 0x2f;
/** The byte that hidden names begin with. */
export const DOT = 0x2e;

/** Bytes that a function accepts. */
export function bytesWhere(is: (byte: number) => boolean): ByteSet {
  return Uint8Array.from({ length: 256 }, (_, byte) => is(byte) ? 1 : 0);
}

/** One byte that a function accepts. */
export function byteWhere(is: (byte: number) => boolean): Expression {
  return { kind: "byte", set: bytesWhere(is) };
}

/** Any byte. */
export const ANY_BYTE: Expression = byteWhere(() => true);
/** Any byte but a slash. */
export const NAME_BYTE: Expression = byteWhere((byte) => byte !== SLASH);
/** What nothing matches. */
export const NEVER: Expression = { kind: "either", items: [] };
/** What only the end matches. */
export const EMPTY: Expression = { kind: "sequence", items: [] };

/** One after the other. */
export function sequence(...items: readonly Expression[]): Expression {
  return items.length === 1 ? items[0]! : { kind: "sequence", items };
}

/** One of them. */
export function either(items: readonly Expression[]): Expression {
  return items.length === 1 ? items[0]! : { kind: "either", items };
}

/** Any number of them, or none. */
export function anyNumber(item: Expression): Expression {
  return { kind: "repeat", item, least: 0, most: Infinity };
}

const SINGLE: readonly Expression[] = Array.from(
  { length: 256 },
  (_, byte) => byteWhere((it) => it === byte),
);

/** One byte. */
export function byte(value: number): Expression {
  return SINGLE[value]!;
}

const encoder = new TextEncoder();

/** Bytes, one after the other. */
export function bytes(values: Iterable<number>): Expression {
  return sequence(...Array.from(values, byte));
}

/** A text to the letter. */
export function text(value: string): Expression {
  return bytes(encoder.encode(value));
}

/** Bytes from one to another. */
function byteRange(from: number, to: number): Expression {
  return byteWhere((it) => it >= from && it <= to);
}

/** The largest character of one, two, three and four bytes. */
const LENGTH_MAX = [0x7f, 0x7ff, 0xffff, 0x10ffff];

/** Characters of as many bytes each, from one to another. */
function encodedRange(from: readonly number[], to: readonly number[]): Expression[] {
  const [first, ...rest] = from;
  const [last, ...restLast] = to;
  if (rest.length === 0) {
    return [byteRange(first!, last!)];
  }
  const lowest = rest.map(() => 0x80);
  const highest = rest.map(() => 0xbf);
  if (first === last) {
    return [sequence(byte(first!), either(encodedRange(rest, restLast)))];
  }
  const parts: Expression[] = [];
  parts.push(sequence(byte(first!), either(encodedRange(rest, highest))));
  if (first! + 1 < last!) {
    const between = byteRange(first! + 1, last! - 1);
    parts.push(sequence(between, ...rest.map(() => byteRange(0x80, 0xbf))));
  }
  parts.push(sequence(byte(last!), either(encodedRange(lowest, restLast))));
  return parts;
}

function encoded(point: number): number[] {
  if (point < 0x80) {
    return [point];
  }
  const tail: number[] = [];
  let rest = point;
  const lead = point < 0x800 ? 0xc0 : point < 0x10000 ? 0xe0 : 0xf0;
  for (let i = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3; i > 0; i--) {
    tail.unshift(0x80 | rest & 0x3f);
    rest >>= 6;
  }
  return [lead | rest, ...tail];
}

/** Characters from one to another, as code points. */
export type Range = readonly [from: number, to: number];

/** One character of any range. */
export function character(ranges: readonly Range[]): Expression {
  const ascii = new Uint8Array(256);
  const parts: Expression[] = [{ kind: "byte", set: ascii }];
  for (const [from, to] of ranges) {
    ascii.fill(1, Math.min(from, 0x80), Math.max(Math.min(to + 1, 0x80), Math.min(from, 0x80)));
    for (let i = 1; i < LENGTH_MAX.length; i++) {
      const low = Math.max(from, LENGTH_MAX[i - 1]! + 1);
      const high = Math.min(to, LENGTH_MAX[i]!);
      if (low <= high) {
        parts.push(...encodedRange(encoded(low), encoded(high)));
      }
    }
  }
  return either(parts);
}

/** The characters that are in no range, but for slashes. */
export function otherThan(ranges: readonly Range[]): Range[] {
  const sorted = [...ranges, [SLASH, SLASH] as const].sort(([a], [b]) => a - b);
  const rest: Range[] = [];
  let next = 0;
  for (const [from, to] of sorted) {
    if (from > next) {
      rest.push([next, from - 1]);
    }
    next = Math.max(next, to + 1);
  }
  if (next <= 0x10ffff) {
    rest.push([next, 0x10ffff]);
  }
  return rest;
}

/** Any character of a name. */
export const NAME_CHARACTER: Expression = character(otherThan([]));
