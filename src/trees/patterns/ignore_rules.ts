// Copyright 2026 the ioq authors. MIT license.

/**
 * What is ignored in a directory, by the rules of files there and above.
 *
 *     /a/.gitignore        *.o, !keep.o, /out
 *     /a/b/.gitignore      !*.o
 *     in /a/b:             the nearest file that has a rule for a name decides, and in it
 *                          the last such rule
 *
 * Nobody asks for what is in a directory that is ignored. So nothing in it can be wanted again.
 *
 * @module
 */

import { Automaton } from "./automaton.ts";
import { allRules, gitignoreRules, type LaneRules } from "./lane_rules.ts";
import { binaryText, type GitignoreRule, parseGitignore } from "./gitignore_syntax.ts";

/** A rule with what decides it. */
interface CompiledRule extends GitignoreRule {
  /** Its place in the file: later ones win. */
  readonly number: number;
  readonly automaton: Automaton | undefined;
}

/** The last rules for a name: for whatever it is, and for directories alone. */
interface NameRules {
  any: CompiledRule | undefined;
  directory: CompiledRule | undefined;
}

/** The rules of one file. */
export class IgnoreFile {
  /** Rules that are a name and nothing else. */
  readonly #names = new Map<string, NameRules>();
  /** The others, the last first. */
  readonly #others: CompiledRule[] = [];

  /** What keeps lanes from what it may say is ignored. */
  readonly laneRules: LaneRules;

  /** Read a file. */
  constructor(bytes: Uint8Array) {
    const rules = parseGitignore(bytes);
    this.laneRules = gitignoreRules(rules);
    rules.forEach((rule, number) => {
      const { rest, suffix } = rule;
      const expression = suffix === undefined ? rest : undefined;
      let automaton;
      if (expression !== undefined) {
        automaton = new Automaton([{ label: 0, expression }]);
      }
      const compiled = { ...rule, number, automaton };
      if (rule.anywhere && rest === undefined) {
        let rules = this.#names.get(rule.prefix);
        if (rules === undefined) {
          this.#names.set(rule.prefix, rules = { any: undefined, directory: undefined });
        }
        rules[rule.directoriesOnly ? "directory" : "any"] = compiled;
      } else {
        this.#others.unshift(compiled);
      }
    });
  }

  /** Whether there is no rule in it. */
  get isEmpty(): boolean {
    return this.#names.size === 0 && this.#others.length === 0;
  }

  /**
   * Whether something is ignored; `undefined` if no rule says anything about it.
   *
   * @param name Its name, a character a byte.
   * @param below What its path begins with, from the file's directory on.
   */
  judge(name: string, below: string, isDirectory: boolean): boolean | undefined {
    const rules = this.#names.get(name);
    let last = rules?.any;
    if (isDirectory && rules?.directory !== undefined) {
      last = last !== undefined && last.number > rules.directory.number ? last : rules.directory;
    }
    let path: string | undefined;
    for (const rule of this.#others) {
      if (last !== undefined && rule.number < last.number) {
        break;
      }
      if (rule.directoriesOnly && !isDirectory) {
        continue;
      }
      const text = rule.anywhere ? name : path ??= below + name;
      if (matches(rule, text)) {
        last = rule;
        break;
      }
    }
    return last === undefined ? undefined : !last.negated;
  }
}

function matches({ prefix, suffix, automaton }: CompiledRule, text: string): boolean {
  if (suffix !== undefined) {
    return text.endsWith(suffix);
  }
  if (automaton === undefined) {
    return text === prefix;
  }
  if (!text.startsWith(prefix)) {
    return false;
  }
  let set = automaton.start;
  for (let i = prefix.length; i < text.length; i++) {
    set = automaton.step(set, text.charCodeAt(i));
  }
  return set.accepts !== 0;
}

/** A file, and how its directory leads to another one. */
interface Level {
  readonly file: IgnoreFile;
  /** The path from the one to the other, with a slash at its end unless it is empty. */
  readonly below: string;
}

const encoder = new TextEncoder();
// deno-lint-ignore no-control-regex
const ASCII = /^[\x00-\x7f]*$/;

/** A name in the form in which it is compared. */
export function comparedName(name: string, rawName: Uint8Array | undefined): string {
  return rawName !== undefined
    ? binaryText(rawName)
    : ASCII.test(name)
    ? name
    : binaryText(encoder.encode(name));
}

/** What is ignored in a directory. */
export class IgnoreRules {
  /** Those that decide before others: by kind, and of one kind the nearest first. */
  readonly #kinds: readonly (readonly Level[])[];
  /** What keeps lanes from what may be ignored: the same below, as long as no file comes in. */
  readonly shared: { readonly laneRules: LaneRules };

  /**
   * @param kinds How many kinds of files there are; earlier ones decide first.
   * @param shared If they are those of a directory above.
   */
  constructor(
    kinds: number | readonly (readonly Level[])[],
    shared?: { readonly laneRules: LaneRules },
  ) {
    const levels = typeof kinds === "number" ? Array.from({ length: kinds }, () => []) : kinds;
    this.#kinds = levels;
    this.shared = shared ?? { laneRules: allRules(levels.flat().map((it) => it.file.laneRules)) };
  }

  /** These and those of a file in this directory. */
  with(kind: number, file: IgnoreFile): IgnoreRules {
    return file.isEmpty ? this : new IgnoreRules(
      this.#kinds.map((levels, i) => i === kind ? [{ file, below: "" }, ...levels] : levels),
    );
  }

  /** These without those of a kind. */
  without(kind: number): IgnoreRules {
    return new IgnoreRules(this.#kinds.map((levels, i) => i === kind ? [] : levels));
  }

  /** The same, in a directory that is in this one. */
  below(name: string): IgnoreRules {
    return new IgnoreRules(
      this.#kinds.map((levels) =>
        levels.map(({ file, below }) => ({ file, below: `${below}${name}/` }))
      ),
      this.shared,
    );
  }

  /** Whether something in this directory is ignored, by its name as {@linkcode comparedName}. */
  ignores(name: string, isDirectory: boolean): boolean {
    for (const levels of this.#kinds) {
      for (const { file, below } of levels) {
        const verdict = file.judge(name, below, isDirectory);
        if (verdict !== undefined) {
          return verdict;
        }
      }
    }
    return false;
  }
}
