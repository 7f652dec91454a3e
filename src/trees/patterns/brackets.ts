// Copyright 2026 the ioq authors. MIT license.

/**
 * What stands between brackets in a glob: characters, ranges, and classes by name.
 *
 * @module
 */

import { character, type Expression, otherThan, type Range } from "./expression.ts";

/** The classes of POSIX, of ASCII characters. */
export const CLASSES: Readonly<Record<string, readonly Range[]>> = {
  alnum: [[0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a]],
  alpha: [[0x41, 0x5a], [0x61, 0x7a]],
  ascii: [[0x00, 0x7f]],
  blank: [[0x09, 0x09], [0x20, 0x20]],
  cntrl: [[0x00, 0x1f], [0x7f, 0x7f]],
  digit: [[0x30, 0x39]],
  graph: [[0x21, 0x7e]],
  lower: [[0x61, 0x7a]],
  print: [[0x20, 0x7e]],
  punct: [[0x21, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0x7e]],
  space: [[0x09, 0x0d], [0x20, 0x20]],
  upper: [[0x41, 0x5a]],
  word: [[0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]],
  xdigit: [[0x30, 0x39], [0x41, 0x46], [0x61, 0x66]],
};

/** A character in all the forms of it that count as the same. */
export type Folding = (point: number) => readonly number[];

/** Each character counts as itself. */
export const EXACT: Folding = (point) => [point];

/** Characters count as the same that differ by case. */
export const FOLDED: Folding = (point) => {
  const text = String.fromCodePoint(point);
  const forms = [text, text.toLowerCase(), text.toUpperCase()];
  return [...new Set(forms.filter((it) => [...it].length === 1).map((it) => it.codePointAt(0)!))];
};

/** The most characters of a range whose other cases are looked for. */
const FOLD_MAX = 0x3000;

function foldedRange([from, to]: Range, folding: Folding): Range[] {
  const ranges: Range[] = [[from, to]];
  if (folding !== EXACT) {
    for (let point = from; point <= Math.min(to, from + FOLD_MAX); point++) {
      ranges.push(...folding(point).map((it): Range => [it, it]));
    }
  }
  return ranges;
}

/**
 * Read what is between brackets.
 *
 * @param points The characters of a part of a pattern between slashes.
 * @param from Where the one after the first bracket is.
 * @returns `undefined` if there is no end to it: then it is a bracket and nothing more.
 */
export function parseBrackets(
  points: readonly string[],
  from: number,
  folding: Folding,
): { expression: Expression; next: number } | undefined {
  let i = from;
  const negated = points[i] === "!" || points[i] === "^";
  if (negated) {
    i++;
  }
  const first = i;
  const ranges: Range[] = [];
  const take = (): number => {
    if (points[i] === "\\" && i + 1 < points.length) {
      i++;
    }
    return points[i++]!.codePointAt(0)!;
  };
  while (i < points.length && (points[i] !== "]" || i === first)) {
    const named = points[i] === "[" && points[i + 1] === ":" ? points.indexOf(":", i + 2) : -1;
    const name = named >= 0 && points[named + 1] === "]" ? points.slice(i + 2, named).join("") : "";
    if (Object.hasOwn(CLASSES, name)) {
      ranges.push(...CLASSES[name]!.flatMap((range) => foldedRange(range, folding)));
      i = named + 2;
      continue;
    }
    const low = take();
    let high = low;
    if (points[i] === "-" && i + 1 < points.length && points[i + 1] !== "]") {
      i++;
      high = take();
    }
    // From a later to an earlier character there is none
    if (low <= high) {
      ranges.push(...foldedRange([low, high], folding));
    }
  }
  if (i >= points.length) {
    return undefined;
  }
  const without = otherThan(ranges);
  return { expression: character(negated ? without : otherThan(without)), next: i + 1 };
}
