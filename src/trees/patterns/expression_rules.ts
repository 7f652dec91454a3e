// Copyright 2026 the ioq authors. MIT license.

/**
 * Rules for lanes, and for names, by the regular expressions and the extensions that a walk has:
 * see `lane_rules.ts`.
 *
 * @module
 */

import { allRules, BEGINS, ENDS, HAS, IS, type LaneRules, WANTED } from "./lane_rules.ts";
import { END, START, textsOf } from "./literal_expression.ts";

/** What no part of a name has, or what stands for bytes that are no text. */
// deno-lint-ignore no-control-regex
const NO_NAME = /[/\0\x02\x03\ufffd]/;

/** What of a text can be in a name, and by which sign; `undefined` if that takes several names. */
function nameRule(text: string): string | undefined {
  const begins = text.startsWith(START) || text.startsWith("/");
  const ends = text.endsWith(END) || text.endsWith("/");
  const body = text.slice(begins ? 1 : 0, ends ? -1 : undefined);
  return body === "" || NO_NAME.test(body)
    ? undefined
    : (begins ? ends ? IS : BEGINS : ends ? ENDS : HAS) + body;
}

/**
 * Rules for paths that a regular expression is found in, provided that nothing above them is.
 * It must be a name or a part of one, or one of several: `/node_modules/`, `/\\.(git|hg)$/`,
 * `/(^|\\/)dist$/`.
 */
export function skipRules(expression: RegExp): LaneRules {
  const texts = textsOf(expression);
  // What ends in a slash is found below such a directory, and must be found there as well
  if (texts?.every((it) => !it.endsWith("/") || texts.includes(it.slice(0, -1) + END)) !== true) {
    return undefined;
  }
  const rules = allRules(texts.map((it) => {
    const rule = nameRule(it);
    return rule === undefined ? undefined : [rule];
  }));
  return rules && [...new Set(rules)];
}

/**
 * Rules for the names of files that may be found: by an ending of their paths, or by a regular
 * expression. All that they do not leave out is looked at again.
 */
export function wantedRules(
  suffixes: readonly string[] | undefined,
  match: readonly RegExp[] | undefined,
): readonly string[] {
  const endings = suffixes?.map((it) => it + END) ??
    match?.map(textsOf).reduce((all, some) => some && all?.concat(some), [] as string[]);
  const rules = allRules((endings ?? [""]).map((it) => {
    if (!it.endsWith(END)) {
      return undefined;
    }
    // Before the last name nothing is looked at
    const rule = nameRule(it.slice(Math.max(0, it.lastIndexOf("/"))));
    return rule === undefined ? undefined : [WANTED + rule];
  }));
  return rules ?? [];
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
    const texts = textsOf(expression) ?? [];
    const own = skipRules(expression);
    // What begins with a slash is not found in a path that begins with it, and the other way round
    const isExact = texts.every((it) =>
      it.startsWith("/")
        ? texts.includes(START + it.slice(1))
        : !it.startsWith(START) || texts.includes(`/${it.slice(1)}`)
    );
    if (own === undefined || !isExact) {
      return undefined;
    }
    rules.push(...own);
  }
  const is = new Set(rules.filter((it) => it.startsWith(IS)).map((it) => it.slice(1)));
  let filter: (name: string) => boolean = is.size === 0 ? () => false : (name) => is.has(name);
  for (const rule of new Set(rules.filter((it) => !it.startsWith(IS)))) {
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
