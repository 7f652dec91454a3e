// Copyright 2026 the ioq authors. MIT license.

/**
 * Where the rules about what is ignored are found.
 *
 *     /a/.git/info/exclude     the repository's own
 *     /a/.gitignore            above the root, as far as the repository reaches
 *     /a/b                     ◀── the root of the walk
 *     /a/b/c/.gitignore        below it, as directories are read
 *     ~/.config/git/ignore     the user's own
 *
 * What is above the root, and the user's own, is nothing that a caller has named. So nobody is
 * asked for it: what may not be read without asking does not count.
 *
 * @module
 */

import { DT_DIR, DT_REG } from "../../linux/directory.ts";
import { hasCode } from "../../linux/errors.ts";
import { op } from "../../operations/op.ts";
import { joinPath } from "../../path.ts";
import { accessBelow, checkAccess, READ } from "../../permissions.ts";
import { comparedName, IgnoreFile, IgnoreRules } from "../patterns/ignore_rules.ts";
import { stopRules } from "../patterns/lane_rules.ts";
import type { WalkContext } from "./context.ts";
import type { DirectoryNode } from "./directory_node.ts";
import { makeEntry } from "./entry.ts";
import type { IgnorePlan } from "./walk_options.ts";

/** Bytes of a file of rules, at the most. */
const LENGTH_MAX = 1 << 24;
/** Directories above the root that are looked into, at the most. */
const LEVELS_MAX = 512;

const decoder = new TextDecoder();

/** What is known of an entry of a directory by its name: its type from `<dirent.h>`. */
export type TypeOf = (name: string) => number | undefined;

/** Finds the rules for a walk. */
export class IgnoreSources {
  readonly #walk: WalkContext;
  readonly #plan: IgnorePlan;
  /** Names of files of rules, the strongest kind first. */
  readonly #names: readonly string[];
  /** Their kinds: those files, then `.gitignore`, `info/exclude`, the user's own. */
  readonly #gitignore: number;
  readonly #exclude: number;
  readonly #own: number;

  constructor(walk: WalkContext, plan: IgnorePlan) {
    this.#walk = walk;
    this.#plan = plan;
    const files = plan.files.toReversed();
    this.#names = plan.gitignore ? [...files, ".gitignore"] : files;
    this.#gitignore = files.length;
    this.#exclude = files.length + 1;
    this.#own = files.length + 2;
  }

  /** What keeps lanes from going on where directories have rules of their own. */
  get laneRules(): string[] {
    const names = this.#plan.gitignore ? [...this.#names, ".git"] : this.#names;
    return [...stopRules(names), ...(this.#plan.gitignore ? ["=.git"] : [])];
  }

  /** A name in the form in which rules compare it. */
  comparedName(name: string, rawName: Uint8Array | undefined): string {
    return comparedName(name, rawName);
  }

  /** Whether an entry is not to be gone into, whatever rules say. */
  passesOver(name: string): boolean {
    return this.#plan.gitignore && name === ".git";
  }

  /** Whether an entry of that name has to do with rules. */
  concerns(name: string): boolean {
    return name.charCodeAt(0) === 0x2e && (this.passesOver(name) || this.#names.includes(name)) ||
      this.#plan.files.includes(name);
  }

  /**
   * The rules of a root.
   *
   * @param root Its absolute path.
   */
  async above(root: string | Uint8Array): Promise<IgnoreRules> {
    let rules = new IgnoreRules(this.#own + 1);
    if (typeof root !== "string" || !root.startsWith("/")) {
      return rules;
    }
    const here = await this.#realPath(root);
    const above: string[] = [];
    let top: string | undefined;
    for (let path = here; above.length < LEVELS_MAX; path = parentOf(path)) {
      if (!this.#isReadable(path)) {
        break;
      }
      if (await this.#exists(joinPath(path, ".git") as string)) {
        top = path;
        break;
      }
      if (path === "/") {
        break;
      }
      above.push(parentOf(path));
    }
    if (this.#plan.gitignore) {
      const own = await this.#ownFile(top);
      rules = rules.with(this.#own, own);
      if (top !== undefined && top !== here) {
        rules = rules.with(this.#exclude, await this.#excludeFile(top));
      }
    }
    if (top !== undefined && top !== here) {
      for (const path of above.toReversed()) {
        for (const [kind, name] of this.#names.entries()) {
          rules = rules.with(kind, await this.#readQuietly(joinPath(path, name) as string));
        }
        const below = path === "/" ? here.slice(1) : here.slice(path.length + 1);
        rules = rules.below(comparedName(below.split("/", 1)[0]!, undefined));
      }
    }
    return rules;
  }

  /**
   * Take a directory's own rules in.
   *
   * @param typeOf Tells what is in it, as far as that is known; a type of `undefined` stands
   *               for what there is not.
   */
  async enter(node: DirectoryNode, typeOf: TypeOf | undefined): Promise<void> {
    let rules = node.ignores!;
    const git = typeOf === undefined ? DT_DIR : typeOf(".git");
    if (this.#plan.gitignore && git !== undefined) {
      const path = this.#pathIn(node, ".git");
      if (typeOf !== undefined || (path !== undefined && await this.#exists(path))) {
        // A repository within another has nothing to do with it
        rules = rules.without(this.#gitignore).without(this.#exclude);
        const top = node.anchor === undefined && typeof node.at === "string" ? node.at : undefined;
        if (top !== undefined && this.#isReadable(top)) {
          rules = rules.with(this.#exclude, await this.#excludeFile(top));
        }
      }
    }
    for (const [kind, name] of this.#names.entries()) {
      // Links are not followed, as git does not
      if (typeOf === undefined || typeOf(name) === DT_REG) {
        rules = rules.with(kind, await this.#read(node, name));
      }
    }
    node.ignores = rules;
  }

  #pathIn(node: DirectoryNode, name: string): string | undefined {
    const path = joinPath(node.fullPath, name);
    return node.anchor === undefined && typeof path === "string" ? path : undefined;
  }

  /** Read rules in the tree. What cannot be read is told of. */
  async #read(node: DirectoryNode, name: string): Promise<IgnoreFile> {
    const walk = this.#walk;
    const path = joinPath(node.path, name);
    try {
      const anchor = node.anchorBelow;
      anchor?.hold();
      try {
        if (walk.checks) {
          checkAccess(joinPath(node.fullPath, name), READ, path);
        }
        const fd = await anchor?.open(walk.ioq);
        return await this.#parse(node.atOf(name), fd);
      } finally {
        await anchor?.release(walk.ioq);
      }
    } catch (error) {
      if (!hasCode(error, "ENOENT") && !hasCode(error, "ENOTDIR")) {
        walk.report(error, {
          ...makeEntry(path as string, name, DT_REG),
          ...rawPathOf(node, name),
        });
      }
      return NO_RULES;
    }
  }

  async #parse(path: string | Uint8Array, fd?: number): Promise<IgnoreFile> {
    const bytes = await this.#walk.run(op.readFile(path, fd === undefined ? {} : { at: fd }));
    return bytes.length > LENGTH_MAX ? NO_RULES : new IgnoreFile(bytes);
  }

  /** Read rules that nobody has named. */
  async #readQuietly(path: string): Promise<IgnoreFile> {
    if (!this.#isReadable(path)) {
      return NO_RULES;
    }
    return await this.#parse(path).catch(() => NO_RULES);
  }

  async #textOf(path: string): Promise<string> {
    if (!this.#isReadable(path)) {
      return "";
    }
    return await this.#walk.run(op.readFile(path)).then(
      (bytes) => decoder.decode(bytes.subarray(0, LENGTH_MAX)),
      () => "",
    );
  }

  /** Whether a path may be read without asking anybody. */
  #isReadable(path: string): boolean {
    return !this.#walk.checks || accessBelow(path, READ) === "all";
  }

  async #exists(path: string): Promise<boolean> {
    return await this.#walk.run(op.lstat(path)).then(() => true, () => false);
  }

  async #realPath(path: string): Promise<string> {
    if (!this.#isReadable(path)) {
      return path;
    }
    return await this.#walk.run(op.realPath(path)).catch(() => path);
  }

  /** Where a repository keeps what is its own: also of a worktree or a submodule. */
  async #gitDirectory(top: string): Promise<string> {
    const path = `${top === "/" ? "" : top}/.git`;
    const text = await this.#textOf(path);
    const named = /^gitdir: (.+)\n?$/.exec(text)?.[1];
    if (named === undefined) {
      return path;
    }
    const directory = resolve(top, named);
    const common = (await this.#textOf(`${directory}/commondir`)).trim();
    return common === "" ? directory : resolve(directory, common);
  }

  async #excludeFile(top: string): Promise<IgnoreFile> {
    return await this.#readQuietly(`${await this.#gitDirectory(top)}/info/exclude`);
  }

  /** The user's own rules, of which a configuration tells where they are. */
  async #ownFile(top: string | undefined): Promise<IgnoreFile> {
    const home = environment("HOME");
    const given = environment("XDG_CONFIG_HOME");
    const settings = given ?? (home === undefined ? undefined : `${home}/.config`);
    let path = settings === undefined ? undefined : `${settings}/git/ignore`;
    const sources = [
      ...(settings === undefined ? [] : [`${settings}/git/config`]),
      ...(home === undefined ? [] : [`${home}/.gitconfig`]),
      ...(top === undefined ? [] : [`${await this.#gitDirectory(top)}/config`]),
    ];
    for (const source of sources) {
      const found = excludesFileIn(await this.#textOf(source));
      if (found !== undefined) {
        path = found.startsWith("~/") ? `${home ?? ""}${found.slice(1)}` : found;
      }
    }
    return path === undefined || !path.startsWith("/") ? NO_RULES : await this.#readQuietly(path);
  }
}

const NO_RULES = new IgnoreFile(new Uint8Array());

function rawPathOf(node: DirectoryNode, name: string): { rawPath?: Uint8Array } {
  return node.rawPath === undefined ? {} : { rawPath: joinPath(node.rawPath, name) as Uint8Array };
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function resolve(base: string, path: string): string {
  return path.startsWith("/") ? path : `${base}/${path}`;
}

/** A variable, if it may be read without asking. */
function environment(variable: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") {
    return undefined;
  }
  return Deno.env.get(variable) || undefined;
}

/** What a configuration of git's says about `core.excludesFile`, if it does. */
export function excludesFileIn(text: string): string | undefined {
  let section = "";
  let found: string | undefined;
  for (const line of text.split("\n")) {
    const header = /^\s*\[\s*([^\]\s"]+)\s*("[^"]*")?\s*\](.*)$/.exec(line);
    if (header !== null) {
      section = header[2] === undefined ? header[1]!.toLowerCase() : "";
    }
    const setting = /^\s*([A-Za-z][\w-]*)\s*=\s*(.*?)\s*$/.exec(header?.[3] ?? line);
    if (section === "core" && setting?.[1]?.toLowerCase() === "excludesfile") {
      found = unquoted(setting[2]!);
    }
  }
  return found;
}

/** A value of a configuration without quotes, escapes and a comment. */
function unquoted(value: string): string {
  let text = "";
  let quoted = false;
  for (let i = 0; i < value.length; i++) {
    const character = value[i]!;
    if (character === "\\" && i + 1 < value.length) {
      text += value[++i];
    } else if (character === '"') {
      quoted = !quoted;
    } else if (!quoted && (character === "#" || character === ";")) {
      break;
    } else {
      text += character;
    }
  }
  return quoted ? text : text.trimEnd();
}
