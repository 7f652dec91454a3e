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
 *     exts: ["ts"]; match: [/\\.[jt]s$/]      +$.ts; +$.js, +$.ts: files without that are left out
 *     .gitignore: /out, *.d, docs/_site/       =out, $.d, =_site; and stop where one is: !.gitignore
 *
 * @module
 */

import type { GitignoreRule } from "./gitignore_syntax.ts";
import type { Row } from "./glob_syntax.ts";

/** The name is the text. */
export const IS = "=";
/** It begins with it. */
export const BEGINS = "^";
/** It ends in it. */
export const ENDS = "$";
/** It has it. */
export const HAS = "~";
const STOPS = "!";
/** Before another sign: files of such a name are told of, and others are not. */
export const WANTED = "+";

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
