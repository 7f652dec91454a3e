// Copyright 2026 the ioq authors. MIT license.

/**
 * What keeps a lane from going into directories by itself: rules about names, which a lane can
 * decide (see `native/calls/tree.c`).
 *
 * They need not be exact. What a lane leaves, the walk asks for if it is wanted after all. So
 * there is a rule for each name that *may* have to be passed over, wherever it is met; only what
 * there are no such rules for takes a request for each directory.
 *
 *     skip: [/node_modules/, /\\.git$/]        ~node_modules, $.git
 *     !**\/build/**, names with a dot          =build, ^.
 *     .gitignore: /out, *.d, docs/_site/       =out, $.d, =_site; and stop where one is: !.gitignore
 *
 * @module
 */

import type { GitignoreRule } from "./gitignore_syntax.ts";
import type { Row } from "./glob_syntax.ts";

const IS = "=";
const BEGINS = "^";
const ENDS = "$";
const HAS = "~";
const STOPS = "!";

/** Characters of all rules, so that they have at most 4095 bytes. */
const LENGTH_MAX = 1300;

/** Rules, or `undefined` where there can be none. */
export type LaneRules = readonly string[] | undefined;

/** Rules as a request has them; `undefined` if they are too long. */
export function joinRules(rules: readonly string[]): string | undefined {
  const text = [...new Set(rules)].map((it) => `${it}\0`).join("");
  return text.length > LENGTH_MAX ? undefined : text;
}

/** All of several; there are none if there can be none for one. */
export function allRules(several: readonly LaneRules[]): LaneRules {
  return several.some((it) => it === undefined) ? undefined : several.flatMap((it) => it ?? []);
}

/** A text in a regular expression that stands for nothing but itself; `undefined` if it is more. */
function literal(source: string): string | undefined {
  let text = "";
  for (let i = 0; i < source.length; i++) {
    let character = source[i]!;
    if (character === "\\") {
      character = source[++i] ?? "";
      if (!/^[^A-Za-z0-9]$/.test(character)) {
        return undefined;
      }
    } else if ("^$.*+?()[]{}|".includes(character)) {
      return undefined;
    }
    text += character;
  }
  return text === "" || /[/\0\ufffd]/.test(text) ? undefined : text;
}

/**
 * Rules for paths that a regular expression is found in, provided that nothing above them is.
 * It must be a name or a part of one: `/node_modules/`, `/\\.git$/`, `/(^|\\/)dist$/`.
 */
export function skipRules(expression: RegExp): LaneRules {
  if (expression.flags.replace(/[gsduy]/g, "") !== "" || expression.flags.includes("y")) {
    return undefined;
  }
  const { source } = expression;
  const parts =
    /^(\(\?:\^\|\\\/\)|\(\^\|\\\/\)|\\\/)?(.*?)(\$|\(\?:\\\/\|\$\)|\(\\\/\|\$\)|\(\?:\$\|\\\/\)|\(\$\|\\\/\))?$/s
      .exec(source);
  const begins = parts?.[1] !== undefined;
  const ends = parts?.[3] !== undefined;
  const text = literal(parts?.[2] ?? "");
  return text === undefined
    ? undefined
    : [(begins ? ends ? IS : BEGINS : ends ? ENDS : HAS) + text];
}

/**
 * Whether a name is passed over by expressions, if they can be decided by names and exactly: a
 * path that one is found in has it in its last name, unless what is above was passed over.
 */
export function nameFilter(
  expressions: readonly RegExp[],
): ((name: string) => boolean) | undefined {
  const rules: string[] = [];
  for (const expression of expressions) {
    const [rule] = skipRules(expression) ?? [];
    if (rule === undefined || expression.source.startsWith("\\/")) {
      // With a slash before it, it is not found in a path that begins with it
      return undefined;
    }
    rules.push(rule);
  }
  const is = new Set(rules.filter((it) => it.startsWith(IS)).map((it) => it.slice(1)));
  let filter: (name: string) => boolean = is.size === 0 ? () => false : (name) => is.has(name);
  for (const rule of rules.filter((it) => !it.startsWith(IS))) {
    const before = filter;
    const own = ruleFilter(rule);
    filter = is.size === 0 && rule === rules[0] ? own : (name) => before(name) || own(name);
  }
  return filter;
}

/** Whether a name is as a rule has it: what is cheap to see comes first, for nearly none is. */
function ruleFilter(rule: string): (name: string) => boolean {
  const text = rule.slice(1);
  const { length } = text;
  if (rule.startsWith(BEGINS)) {
    const first = text.charCodeAt(0);
    return (name) => name.charCodeAt(0) === first && name.startsWith(text);
  }
  if (rule.startsWith(ENDS)) {
    const last = text.charCodeAt(length - 1);
    return (name) => name.charCodeAt(name.length - 1) === last && name.endsWith(text);
  }
  return (name) => name.length >= length && name.includes(text);
}

/** A rule for names that a simple glob matches; `undefined` if it is no such glob. */
function wildcardRule(source: string): string | undefined {
  const parts = /^(\*?)([^*?[\]{}()!+@|\\]+)(\*?)$/.exec(source);
  if (parts === null) {
    return undefined;
  }
  const [, before, text, after] = parts;
  return (before === "" ? after === "" ? IS : BEGINS : after === "" ? ENDS : HAS) + text;
}

/** Rules for what globs say is to be passed over. */
export function ignoredGlobRules(rows: readonly Row[]): LaneRules {
  return allRules(rows.map(({ segments }) => {
    // What it is about is the last name
    const last = segments.findLast((it) => it.kind !== "globstar");
    const rule = last?.kind === "name"
      ? IS + last.name
      : last?.kind === "names" && !last.folded
      ? wildcardRule(last.source)
      : undefined;
    // Of a name that is no text this is what stands for it
    return rule === undefined || rule.includes("\ufffd") ? undefined : [rule];
  }));
}

/** Names with a dot, which wildcards do not match. */
export const HIDDEN: readonly string[] = [`${BEGINS}.`];

/** Rules for directories that say themselves what is ignored in them, by entries of these names. */
export function stopRules(names: readonly string[]): string[] {
  return names.map((it) => STOPS + it);
}

/** Bytes that are no text in UTF-8 are in no rule. */
// deno-lint-ignore no-control-regex
const ASCII = /^[\x01-\x7f]+$/;

/** Rules for what lines of a `.gitignore` say. */
export function gitignoreRules(rules: readonly GitignoreRule[]): LaneRules {
  return allRules(rules.map(({ negated, source }) => {
    if (negated) {
      // It has nothing ignored
      return [];
    }
    const name = source.slice(source.lastIndexOf("/") + 1);
    const rule = ASCII.test(name) ? wildcardRule(name) : undefined;
    return rule === undefined ? undefined : [rule];
  }));
}
