// Copyright 2026 the ioq authors. MIT license.

/**
 * The rules of a `.gitignore`, as git reads them (`gitignore(5)`, and `wildmatch.c` where that
 * leaves questions open). They match bytes: `?` is one byte, and so is what brackets match.
 *
 * @module
 */

import { CLASSES } from "./brackets.ts";
import {
  ANY_BYTE,
  anyNumber,
  byte,
  bytesWhere,
  either,
  EMPTY,
  type Expression,
  NAME_BYTE,
  NEVER,
  sequence,
  SLASH,
} from "./expression.ts";

/** A rule, a line of a file. */
export interface GitignoreRule {
  /** What matches is not ignored. */
  readonly negated: boolean;
  /** Only directories match. */
  readonly directoriesOnly: boolean;
  /** It is about names anywhere below; otherwise about paths from the file's directory on. */
  readonly anywhere: boolean;
  /** What it says, without what the others tell of its beginning and its end. */
  readonly source: string;
  /** What it begins with, to the letter: all of it if nothing else follows. */
  readonly prefix: string;
  /** What follows; `undefined` if nothing does. */
  readonly rest: Expression | undefined;
  /** If it is a star and a text, that text. */
  readonly suffix: string | undefined;
}

const STAR = 0x2a;
const QUESTION = 0x3f;
const BRACKET = 0x5b;
const BRACKET_END = 0x5d;
const BACKSLASH = 0x5c;
const BANG = 0x21;
const CARET = 0x5e;
const HYPHEN = 0x2d;
const COLON = 0x3a;

/** Bytes as characters of the same number. Rules, names and paths are compared in this form. */
export function binaryText(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) {
    text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  }
  return text;
}

const SPECIAL = /[*?[\\]/;

/** Read brackets, from the byte after the first one on. `undefined`: nothing matches them. */
function parseBracket(source: string, from: number): { set: Uint8Array; next: number } | undefined {
  const at = (i: number) => i < source.length ? source.charCodeAt(i) : 0;
  let i = from;
  const negated = at(i) === BANG || at(i) === CARET;
  if (negated) {
    i++;
  }
  const found = new Uint8Array(256);
  let before = 0;
  do {
    let current = at(i);
    if (current === 0) {
      return undefined;
    }
    if (current === BACKSLASH) {
      current = at(++i);
      if (current === 0) {
        return undefined;
      }
      found[current] = 1;
    } else if (
      current === HYPHEN && before !== 0 && at(i + 1) !== 0 && at(i + 1) !== BRACKET_END
    ) {
      current = at(++i);
      if (current === BACKSLASH) {
        current = at(++i);
        if (current === 0) {
          return undefined;
        }
      }
      if (current >= before) {
        found.fill(1, before, current + 1);
      }
      current = 0;
    } else if (current === BRACKET && at(i + 1) === COLON) {
      const begin = i + 2;
      const end = source.indexOf("]", begin);
      if (end < 0) {
        return undefined;
      }
      if (end - 1 < begin || at(end - 1) !== COLON) {
        found[BRACKET] = 1;
      } else {
        const name = source.slice(begin, end - 1);
        // The names that git knows
        if (!Object.hasOwn(CLASSES, name) || name === "ascii" || name === "word") {
          return undefined;
        }
        for (const [low, high] of CLASSES[name]!) {
          found.fill(1, low, high + 1);
        }
        i = end;
        current = 0;
      }
    } else {
      found[current] = 1;
    }
    before = current;
    i++;
  } while (at(i) !== BRACKET_END);
  const set = bytesWhere((it) => it !== SLASH && (found[it] === 1) !== negated);
  return { set, next: i + 1 };
}

/** Read a pattern that is matched as a whole. */
function parseWild(source: string): Expression {
  const items: Expression[] = [];
  for (let i = 0; i < source.length;) {
    const code = source.charCodeAt(i);
    if (code === BACKSLASH) {
      if (i + 1 === source.length) {
        items.push(NEVER);
        break;
      }
      items.push(byte(source.charCodeAt(i + 1)));
      i += 2;
    } else if (code === QUESTION) {
      items.push(NAME_BYTE);
      i++;
    } else if (code === BRACKET) {
      const bracket = parseBracket(source, i + 1);
      if (bracket === undefined) {
        items.push(NEVER);
        break;
      }
      items.push({ kind: "byte", set: bracket.set });
      i = bracket.next;
    } else if (code === STAR) {
      const begin = i;
      while (source.charCodeAt(i) === STAR) {
        i++;
      }
      const isWhole = i - begin > 1 && (begin === 0 || source.charCodeAt(begin - 1) === SLASH) &&
        (i === source.length || source[i] === "/" || source.startsWith("\\/", i));
      if (!isWhole) {
        items.push(anyNumber(NAME_BYTE));
      } else if (source[i] === "/") {
        // Nothing at all, or as many directories as there are
        items.push(either([EMPTY, sequence(anyNumber(ANY_BYTE), byte(SLASH))]));
        i++;
      } else {
        items.push(anyNumber(ANY_BYTE));
      }
    } else {
      items.push(byte(code));
      i++;
    }
  }
  return sequence(...items);
}

/** A line without the spaces at its end, unless they are escaped. */
function withoutSpaces(line: string): string {
  let last = -1;
  for (let i = 0; i < line.length; i++) {
    if (line[i] === " ") {
      last = last < 0 ? i : last;
    } else {
      last = -1;
      if (line[i] === "\\" && ++i === line.length) {
        return line;
      }
    }
  }
  return last < 0 ? line : line.slice(0, last);
}

function parseRule(line: string): GitignoreRule | undefined {
  let source = line;
  const negated = source.startsWith("!");
  if (negated) {
    source = source.slice(1);
  }
  const directoriesOnly = source.endsWith("/");
  if (directoriesOnly) {
    source = source.slice(0, -1);
  }
  if (source === "") {
    return undefined;
  }
  const anywhere = !source.includes("/");
  if (source.startsWith("/")) {
    source = source.slice(1);
  }
  const special = source.search(SPECIAL);
  const isSuffix = anywhere && source.startsWith("*") && !SPECIAL.test(source.slice(1));
  // What begins to the letter is compared first, and two stars after it are at a beginning
  const prefix = special < 0 ? source : anywhere ? "" : source.slice(0, special);
  return {
    negated,
    directoriesOnly,
    anywhere,
    source,
    prefix,
    rest: special < 0 ? undefined : parseWild(source.slice(prefix.length)),
    suffix: isSuffix ? source.slice(1) : undefined,
  };
}

/** Read a file of rules, in their order. */
export function parseGitignore(bytes: Uint8Array): GitignoreRule[] {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const rules: GitignoreRule[] = [];
  for (const whole of binaryText(bytes.subarray(start)).split("\n")) {
    if (whole === "" || whole.startsWith("#")) {
      continue;
    }
    const line = whole.endsWith("\r") ? whole.slice(0, -1) : whole;
    const nul = line.indexOf("\0");
    const rule = parseRule(withoutSpaces(nul < 0 ? line : line.slice(0, nul)));
    if (rule !== undefined) {
      rules.push(rule);
    }
  }
  return rules;
}
