// Copyright 2026 the ioq authors. MIT license.

/**
 * Several globs against a tree, a name at a time.
 *
 *     src/**\/*.ts, *.md      at the root     {src, *.md}
 *                            in src          {**\/*.ts, *.ts}
 *                            in src/a        {**\/*.ts, *.ts}
 *                            in docs         {}                  nothing there is wanted
 *
 * A directory has a state: how far each pattern has come. So what is found tells what is to
 * be read: nothing below a state that is empty, and where each pattern asks for a name to the
 * letter, those names instead of the directory.
 *
 * @module
 */

import { allRules, HIDDEN, ignoredGlobRules, type LaneRules } from "./lane_rules.ts";
import { Automaton } from "./automaton.ts";
import {
  type GlobSyntax,
  nameExpression,
  parseGlob,
  type Row,
  type Segment,
} from "./glob_syntax.ts";

/** Whether names are those of a segment. */
type NameTest = (name: string) => boolean;

/** How a segment is compared: with an automaton, unless it is simpler than that. */
function nameTest(segment: Segment, syntax: GlobSyntax): NameTest {
  const { dot } = syntax;
  if (segment.kind === "globstar") {
    return dot ? () => true : (name) => name.charCodeAt(0) !== DOT;
  }
  if (segment.kind === "name") {
    const wanted = segment.name;
    return (name) => name === wanted;
  }
  const simple = syntax.caseInsensitive ? null : /^\*([^\\*?[\]{}()!+@|]*)$/.exec(segment.source);
  if (simple !== null) {
    const suffix = simple[1]!;
    return dot
      ? (name) => name.endsWith(suffix)
      : (name) => name.endsWith(suffix) && name.charCodeAt(0) !== DOT;
  }
  const automaton = new Automaton([{ label: 0, expression: nameExpression(segment, syntax) }]);
  return (name) => automaton.match(name) !== 0;
}

const DOT = 0x2e;

/** Where a pattern goes on. */
interface Position {
  /** In all of them. */
  readonly number: number;
  readonly segment: Segment;
  readonly matches: NameTest;
  /** Where it goes on below a name that matches; `undefined` if it ends with it. */
  next: Position | undefined;
  /** Whether what it ends with must be a directory. */
  readonly directories: boolean;
}

/** What is known of a name. */
export interface Verdict {
  /** Whether it is wanted, if it is a directory and if it is none. */
  readonly directory: boolean;
  readonly other: boolean;
  /** What is wanted below, if anything is. */
  readonly below: GlobState | undefined;
}

/** How far each pattern has come in a directory. */
export class GlobState {
  readonly #patterns: GlobPatterns;
  readonly #wanted: readonly Position[];
  readonly #ignored: readonly Position[];
  /** Whether directories of any name are gone into, but for those of {@linkcode laneRules}. */
  readonly goesOn: boolean;
  #names: ReadonlySet<string> | null | undefined;

  /** @param patterns What it is a state of. */
  constructor(
    patterns: GlobPatterns,
    wanted: readonly Position[],
    ignored: readonly Position[],
  ) {
    this.#patterns = patterns;
    this.#wanted = wanted;
    this.#ignored = ignored;
    this.goesOn = wanted.some((it) => it.segment.kind === "globstar");
  }

  /** All names that there is a use for, if they are known to the letter. */
  get names(): ReadonlySet<string> | undefined {
    if (this.#names === undefined) {
      const segments = this.#wanted.map((it) => it.segment);
      const exact = segments.filter((it) => it.kind === "name");
      this.#names = exact.length === segments.length ? new Set(exact.map((it) => it.name)) : null;
    }
    return this.#names ?? undefined;
  }

  /** Whether something is wanted by its name that is neither a directory nor a link. */
  wantsFile(name: string): boolean {
    const isEnd = (it: Position) => it.next === undefined && !it.directories && it.matches(name);
    return this.#wanted.some(isEnd) && !this.#ignored.some(isEnd);
  }

  /**
   * What becomes of a name.
   *
   * @param toTheLetter Go on only by patterns that name it to the letter: it is a link.
   */
  judge(name: string, toTheLetter = false): Verdict {
    let directory = false;
    let other = false;
    const below: Position[] = [];
    for (const position of this.#wanted) {
      if (!position.matches(name)) {
        continue;
      }
      const { segment, next } = position;
      if (segment.kind === "globstar") {
        // Any number of directories: also this one, and nothing after it need follow
        if (next === undefined) {
          directory = true;
          other ||= !position.directories;
        }
        if (!toTheLetter) {
          add(below, position);
        }
      } else if (next === undefined) {
        directory = true;
        other ||= !position.directories;
      } else {
        if (next.segment.kind === "globstar" && next.next === undefined) {
          // a/** is a, too
          directory = true;
        }
        if (segment.kind === "name" || !toTheLetter) {
          add(below, next);
        }
      }
    }
    if (!directory && !other && below.length === 0) {
      return NOTHING;
    }
    const ignored: Position[] = [];
    for (const position of this.#ignored) {
      if (!position.matches(name)) {
        continue;
      }
      const { segment, next } = position;
      if (segment.kind === "globstar") {
        if (next === undefined) {
          return NOTHING;
        }
        add(ignored, position);
      } else if (next === undefined) {
        if (!position.directories) {
          return NOTHING;
        }
        directory = false;
        below.length = 0;
      } else if (next.segment.kind === "globstar" && next.next === undefined) {
        directory = false;
        below.length = 0;
      } else {
        add(ignored, next);
      }
    }
    return {
      directory,
      other,
      below: below.length === 0
        ? undefined
        // Nearly always below two stars
        : isSame(below, this.#wanted) && isSame(ignored, this.#ignored)
        ? this
        : this.#patterns.stateOf(below, ignored),
    };
  }
}

function isSame(one: readonly Position[], other: readonly Position[]): boolean {
  return one.length === other.length && one.every((it, i) => it === other[i]);
}

const NOTHING: Verdict = { directory: false, other: false, below: undefined };

/** Add where a pattern goes on; with stars also what comes after none of them. */
function add(positions: Position[], position: Position): void {
  if (!positions.includes(position)) {
    positions.push(position);
    if (position.segment.kind === "globstar" && position.next !== undefined) {
      add(positions, position.next);
    }
  }
}

/** Rows of names that are looked for from one directory on. */
export class GlobPatterns {
  /** In the directory itself. */
  readonly start: GlobState;
  /** What keeps lanes from directories that may have to be passed over. */
  readonly laneRules: LaneRules;
  /** Whether the directory itself is wanted. */
  readonly wantsRoot: boolean;
  readonly #states = new Map<string, GlobState>();
  #positions = 0;

  /**
   * @param wanted What to find.
   * @param ignored What not to find, nor to read.
   * @throws {RangeError} If a pattern is too complex.
   */
  constructor(wanted: readonly Row[], ignored: readonly Row[], syntax: GlobSyntax) {
    const begin = (rows: readonly Row[], how: GlobSyntax): Position[] => {
      const tests = new Map<string, NameTest>();
      const positions: Position[] = [];
      for (const { segments, directories } of rows) {
        let next: Position | undefined;
        for (const segment of segments.toReversed()) {
          const key = segment.kind === "name"
            ? `n${segment.name}`
            : segment.kind === "names"
            ? `e${segment.source}`
            : "g";
          let matches = tests.get(key);
          if (matches === undefined) {
            tests.set(key, matches = nameTest(segment, how));
          }
          next = { number: this.#positions++, segment, matches, next, directories };
        }
        if (next !== undefined) {
          add(positions, next);
        }
      }
      return positions;
    };
    this.start = this.stateOf(begin(wanted, syntax), begin(ignored, { ...syntax, dot: true }));
    this.laneRules = allRules([ignoredGlobRules(ignored), syntax.dot ? [] : HIDDEN]);
    this.wantsRoot = wanted.some(({ segments }) =>
      segments.length === 0 || (segments.length === 1 && segments[0]!.kind === "globstar")
    );
  }

  /** The state of patterns that have come so far. */
  stateOf(wanted: readonly Position[], ignored: readonly Position[]): GlobState {
    const key = `${wanted.map((it) => it.number)}|${ignored.map((it) => it.number)}`;
    let state = this.#states.get(key);
    if (state === undefined) {
      if (this.#states.size > STATES_MAX) {
        this.#states.clear();
      }
      state = new GlobState(this, wanted, ignored);
      this.#states.set(key, state);
    }
    return state;
  }
}

/** States that are kept, at the most. */
const STATES_MAX = 4096;

/** Patterns that begin in the same directory. */
export interface GlobBase {
  /** The directory: a path, or that of the caller if it is empty. `..` leads above it. */
  readonly path: string;
  readonly patterns: GlobPatterns;
}

/** A row without the `..` in it. */
function normalized({ absolute, directories, segments }: Row): { up: number; row: Row } {
  const names: Segment[] = [];
  let up = 0;
  for (const segment of segments) {
    if (segment.kind !== "name" || segment.name !== "..") {
      names.push(segment);
    } else if (names.length === 0) {
      up += absolute ? 0 : 1;
    } else if (names.at(-1)!.kind === "name") {
      names.pop();
    } else {
      throw new TypeError("Expected no '..' after a wildcard in a pattern");
    }
  }
  return { up, row: { absolute, directories, segments: names } };
}

/**
 * Read patterns. Those that begin with `!` say what is to be ignored, wherever they stand.
 *
 * @param ignore More of what is to be ignored.
 * @param within The names of the directory that is not absolute patterns' base, from `/` on.
 * @throws {RangeError} If a pattern is too complex.
 * @throws {TypeError} If a pattern leads up again behind a wildcard.
 */
export function parsePatterns(
  patterns: readonly string[],
  ignore: readonly string[],
  syntax: GlobSyntax,
  within: readonly string[],
): GlobBase[] {
  const isNegated = (it: string) =>
    syntax.negation && it.startsWith("!") && !(syntax.extended && it[1] === "(");
  const wanted = patterns.filter((it) => !isNegated(it));
  const unwanted = [...patterns.filter(isNegated).map((it) => it.slice(1)), ...ignore];
  const rows = wanted.flatMap((it) => parseGlob(it, syntax)).map(normalized);
  const ignored = unwanted.flatMap((it) => parseGlob(it, syntax)).map(normalized);
  const bases = new Map<string, Row[]>();
  for (const { up, row } of rows) {
    const base = row.absolute ? "/" : Array(up).fill("..").join("/");
    bases.set(base, [...bases.get(base) ?? [], row]);
  }
  return [...bases].map(([path, found]) => {
    const from = path === "/" ? [] : within.slice(0, within.length - path.split("..").length + 1);
    const above = ignored.flatMap(({ up, row }) => relocate(row, up, from, within));
    return { path, patterns: new GlobPatterns(found, above, syntax) };
  });
}

/** A row as it is from another directory on; nothing if it cannot match there. */
function relocate(row: Row, up: number, from: readonly string[], within: readonly string[]): Row[] {
  const base = row.absolute ? [] : within.slice(0, Math.max(0, within.length - up));
  const names: Segment[] = base.map((name) => ({ kind: "name", name }));
  let segments = [...names, ...row.segments];
  for (const name of from) {
    const [first, ...rest] = segments;
    if (first === undefined) {
      return [];
    }
    if (first.kind === "name" && first.name === name) {
      segments = rest;
    } else if (first.kind === "globstar") {
      break;
    } else {
      return [];
    }
  }
  return [{ ...row, segments }];
}
