// Copyright 2026 the ioq authors. MIT license.

/**
 * What globs mean:
 *
 *     *  ?  [a-z]  [!a-z]  [[:digit:]]     within a name
 *     **                                   as a whole name: any number of directories
 *     {a,b}  {1..9}  {01..10..3}           one of several
 *     @(a|b)  ?(a)  *(a)  +(a)  !(a)       once, at most once, often, at least once, not
 *     \                                    the next character to the letter
 *
 * A pattern becomes one or several rows of names. Only braces with a slash or two stars in them
 * make several; the others stay within a name, so that twenty of them side by side are no million
 * of patterns.
 *
 *     src/{a,b/c}/*.{js,ts}   ──▶   src / a / *.{js,ts}
 *                                   src / b / c / *.{js,ts}
 *
 * @module
 */

import { EXACT, FOLDED, type Folding, parseBrackets } from "./brackets.ts";
import {
  anyNumber,
  bytes,
  character,
  either,
  EMPTY,
  type Expression,
  NAME_BYTE,
  NAME_CHARACTER,
  sequence,
} from "./expression.ts";

/** How a pattern is read. */
export interface GlobSyntax {
  /** Whether wildcards match names that begin with a dot. */
  readonly dot: boolean;
  /** Whether upper and lower case are the same. */
  readonly caseInsensitive: boolean;
  /** Whether there are {@linkcode https://www.gnu.org/software/bash | extended} globs. */
  readonly extended: boolean;
  /** Whether `**` stands for any number of directories. */
  readonly globstar: boolean;
  /** Whether patterns that begin with `!` say what not to find. */
  readonly negation: boolean;
}

/** A part of a pattern, between two slashes. */
export type Segment =
  /** Any number of directories. */
  | { readonly kind: "globstar" }
  /** One name to the letter. */
  | { readonly kind: "name"; readonly name: string }
  /** Names that an expression matches. */
  | {
    readonly kind: "names";
    readonly expression: Expression;
    readonly source: string;
    readonly folded: boolean;
  };

/** Patterns that braces stand for, at the most. */
const ROWS_MAX = 1024;
/** Patterns that braces without slashes are made into, at the most. */
const FEW = 64;
/** Numbers or letters that one pair of braces stands for, at the most. */
const RANGE_MAX = 4096;
/** How deep braces and parentheses may be in one another. */
const NESTED_MAX = 64;
/** Characters of a pattern: no path is longer. */
const LENGTH_MAX = 65536;

/** Where a group ends, or -1 if it has no end. */
function endOf(points: readonly string[], from: number, open: string, close: string): number {
  let depth = 0;
  for (let i = from; i < points.length; i++) {
    if (points[i] === "\\") {
      i++;
    } else if (points[i] === open && ++depth > NESTED_MAX) {
      throw new RangeError("The pattern is too complex");
    } else if (points[i] === close && --depth === 0) {
      return i;
    }
  }
  return -1;
}

/** The parts of a group, which a separator is between. */
function split(points: readonly string[], separator: string): string[][] {
  const parts: string[][] = [[]];
  let depth = 0;
  for (let i = 0; i < points.length; i++) {
    const point = points[i]!;
    if (point === "\\" && i + 1 < points.length) {
      parts.at(-1)!.push(point, points[++i]!);
      continue;
    }
    depth += point === "{" || point === "(" ? 1 : point === "}" || point === ")" ? -1 : 0;
    if (point === separator && depth === 0) {
      parts.push([]);
    } else {
      parts.at(-1)!.push(point);
    }
  }
  return parts;
}

/** What `{1..9}` or `{a..e..2}` stands for. */
function parseRange(inner: string): string[] | undefined {
  const numbers = /^(-?\d{1,9})\.\.(-?\d{1,9})(?:\.\.(-?\d{1,9}))?$/.exec(inner);
  const letters = /^([A-Za-z])\.\.([A-Za-z])(?:\.\.(-?\d{1,9}))?$/.exec(inner);
  const found = numbers ?? letters;
  if (found === null) {
    return undefined;
  }
  const ends = [found[1]!, found[2]!];
  const [from, to] = ends.map((it) => numbers === null ? it.charCodeAt(0) : Number(it));
  const step = Math.max(1, Math.abs(Number(found[3] ?? 1)));
  if (Math.abs(to! - from!) / step > RANGE_MAX) {
    throw new RangeError(`The pattern is too complex: {${inner}}`);
  }
  const padded = numbers !== null && ends.some((it) => /^-?0\d/.test(it));
  const width = padded ? Math.max(...ends.map((it) => it.length)) : 0;
  const all: string[] = [];
  for (let i = 0; i <= Math.abs(to! - from!); i += step) {
    const value = from! + (to! >= from! ? i : -i);
    if (numbers === null) {
      all.push(String.fromCharCode(value));
    } else {
      const digits = String(Math.abs(value)).padStart(width - (value < 0 ? 1 : 0), "0");
      all.push(value < 0 ? `-${digits}` : digits);
    }
  }
  return all;
}

/** What a pair of braces stands for, or `undefined` if it is no such pair. */
function alternatives(inner: readonly string[]): string[][] | undefined {
  const parts = split(inner, ",");
  return parts.length > 1 ? parts : parseRange(inner.join(""))?.map((it) => [...it]);
}

/** Whether braces must be taken apart before names are: they tell where names end. */
function spansNames(inner: readonly string[]): boolean {
  return inner.some((it, i) => it === "/" || (it === "*" && inner[i + 1] === "*"));
}

/** Whether characters are a name to the letter, or several. */
function isPlain(points: readonly string[]): boolean {
  return points.every((it) => !"*?[]()!+@{}\\".includes(it));
}

/**
 * Take braces apart that have slashes in them; and, as far as that makes few patterns, those
 * that stand for whole names: so that it is known which.
 *
 * @param from Where to begin: what is before is done.
 * @param few How many more patterns names may be made into.
 */
function expand(points: readonly string[], from: number, few: number, rows: string[][]): void {
  let parentheses = 0;
  for (let i = from; i < points.length; i++) {
    const point = points[i];
    if (point === "\\") {
      i++;
      continue;
    }
    // In what is negated, one of several is not several
    parentheses += point === "(" ? 1 : point === ")" && parentheses > 0 ? -1 : 0;
    const end = point === "{" && parentheses === 0 ? endOf(points, i, "{", "}") : -1;
    if (end < 0) {
      continue;
    }
    const inner = points.slice(i + 1, end);
    const isName = (i === 0 || points[i - 1] === "/") &&
      (end + 1 === points.length || points[end + 1] === "/");
    const spans = spansNames(inner);
    const parts = spans || (isName && isPlain(inner)) ? alternatives(inner) : undefined;
    if (parts !== undefined && (spans || parts.length <= few)) {
      const rest = spans ? few : Math.floor(few / parts.length);
      for (const part of parts) {
        expand([...points.slice(0, i), ...part, ...points.slice(end + 1)], i, rest, rows);
      }
      return;
    }
  }
  if (rows.push([...points]) > ROWS_MAX) {
    throw new RangeError("The pattern is too complex: its braces stand for too many patterns");
  }
}

/** Reads what is between two slashes. */
class SegmentParser {
  readonly #syntax: GlobSyntax;
  readonly #folding: Folding;
  /** Whether it is more than a name. */
  magic = false;

  constructor(syntax: GlobSyntax) {
    this.#syntax = syntax;
    this.#folding = syntax.caseInsensitive ? FOLDED : EXACT;
  }

  /** One character to the letter. */
  #literal(point: string): Expression {
    const forms = this.#folding(point.codePointAt(0)!);
    if (forms.length > 1) {
      this.magic = true;
    }
    return character(forms.map((it) => [it, it]));
  }

  /** A wildcard: at the beginning of a name it may not stand for a dot. */
  #wild(expression: Expression, atStart: boolean): Expression {
    this.magic = true;
    return atStart && !this.#syntax.dot ? sequence({ kind: "noDot" }, expression) : expression;
  }

  /** @param atStart Whether this may be the beginning of a name. */
  parse(points: readonly string[], atStart: boolean, depth = 0): Expression {
    if (depth > NESTED_MAX) {
      throw new RangeError("The pattern is too complex");
    }
    const items: Expression[] = [];
    let isStart = atStart;
    for (let i = 0; i < points.length;) {
      const point = points[i]!;
      const starts = isStart;
      isStart = false;
      if (point === "\\" && i + 1 < points.length) {
        items.push(this.#literal(points[i + 1]!));
        i += 2;
        continue;
      }
      if (this.#syntax.extended && points[i + 1] === "(" && "@?*+!".includes(point)) {
        const end = endOf(points, i + 1, "(", ")");
        if (end > 0) {
          const inner = split(points.slice(i + 2, end), "|");
          items.push(this.#group(point, inner, starts, depth));
          // What may be empty leaves the beginning to what follows
          isStart = starts && point !== "+" && point !== "!";
          i = end + 1;
          continue;
        }
      }
      if (point === "*") {
        while (points[i] === "*" && !(points[i + 1] === "(" && this.#syntax.extended)) {
          i++;
        }
        items.push(this.#wild(anyNumber(NAME_BYTE), starts));
        continue;
      }
      if (point === "?") {
        items.push(this.#wild(NAME_CHARACTER, starts));
        i++;
        continue;
      }
      if (point === "[") {
        const brackets = parseBrackets(points, i + 1, this.#folding);
        if (brackets !== undefined) {
          items.push(this.#wild(brackets.expression, starts));
          i = brackets.next;
          continue;
        }
      }
      if (point === "{") {
        const end = endOf(points, i, "{", "}");
        const parts = end > 0 ? alternatives(points.slice(i + 1, end)) : undefined;
        if (parts !== undefined) {
          this.magic = true;
          items.push(either(parts.map((part) => this.parse(part, starts, depth + 1))));
          isStart = starts && parts.some((part) => part.length === 0);
          i = end + 1;
          continue;
        }
      }
      items.push(this.#literal(point));
      i++;
    }
    return sequence(...items);
  }

  #group(sign: string, inner: readonly string[][], starts: boolean, depth: number): Expression {
    this.magic = true;
    if (sign === "!") {
      const item = either(inner.map((part) => this.parse(part, false, depth + 1)));
      return this.#wild({ kind: "not", item }, starts);
    }
    const item = either(inner.map((part) => this.parse(part, starts, depth + 1)));
    if (sign === "@") {
      return item;
    }
    if (sign === "?") {
      return either([item, EMPTY]);
    }
    const again = either(inner.map((part) => this.parse(part, false, depth + 1)));
    const more = anyNumber(again);
    return sign === "+" ? sequence(item, more) : either([sequence(item, more), EMPTY]);
  }
}

/** A name to the letter, if that is what this is. */
function plainName(points: readonly string[]): string {
  let name = "";
  for (let i = 0; i < points.length; i++) {
    name += points[i] === "\\" && i + 1 < points.length ? points[++i] : points[i];
  }
  return name;
}

function parseSegment(points: readonly string[], syntax: GlobSyntax): Segment {
  if (syntax.globstar && points.length >= 2 && points.every((it) => it === "*")) {
    return { kind: "globstar" };
  }
  const parser = new SegmentParser(syntax);
  const expression = parser.parse(points, true);
  return parser.magic
    ? { kind: "names", expression, source: points.join(""), folded: syntax.caseInsensitive }
    : { kind: "name", name: plainName(points) };
}

/** What matches the names of a segment; of directories in any number, those that are allowed. */
export function nameExpression(segment: Segment, syntax: GlobSyntax): Expression {
  if (segment.kind === "name") {
    return bytes(new TextEncoder().encode(segment.name));
  }
  if (segment.kind === "names") {
    return segment.expression;
  }
  const name = sequence(NAME_BYTE, anyNumber(NAME_BYTE));
  return syntax.dot ? name : sequence({ kind: "noDot" }, name);
}

/** A row of names. */
export interface Row {
  /** Whether it begins at the root of all directories. */
  readonly absolute: boolean;
  /** Whether a slash at its end asks for directories. */
  readonly directories: boolean;
  readonly segments: readonly Segment[];
}

/**
 * Read a pattern.
 *
 * @returns What it stands for: rows of names.
 * @throws {RangeError} If it is too complex.
 */
export function parseGlob(pattern: string, syntax: GlobSyntax): Row[] {
  if (pattern.length > LENGTH_MAX) {
    throw new RangeError("The pattern is too long");
  }
  const rows: string[][] = [];
  expand([...pattern], 0, FEW, rows);
  return rows.map((points) => {
    const parts = splitNames(points);
    const segments: Segment[] = [];
    for (const part of parts.names) {
      if (part.length === 1 && part[0] === ".") {
        continue;
      }
      const segment = parseSegment(part, syntax);
      // Any number of directories twice is no more than once
      if (segment.kind !== "globstar" || segments.at(-1)?.kind !== "globstar") {
        segments.push(segment);
      }
    }
    return { absolute: parts.absolute, directories: parts.directories, segments };
  });
}

/** Split at slashes, wherever they stand. */
function splitNames(points: readonly string[]) {
  const names: string[][] = [[]];
  for (let i = 0; i < points.length; i++) {
    if (points[i] === "/" || (points[i] === "\\" && points[i + 1] === "/")) {
      i += points[i] === "/" ? 0 : 1;
      names.push([]);
    } else if (points[i] === "\\" && i + 1 < points.length) {
      names.at(-1)!.push("\\", points[++i]!);
    } else {
      names.at(-1)!.push(points[i]!);
    }
  }
  return {
    absolute: names.length > 1 && names[0]!.length === 0,
    directories: names.length > 1 && names.at(-1)!.length === 0,
    names: names.filter((it) => it.length > 0),
  };
}
