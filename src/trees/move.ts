// Copyright 2026 the ioq authors. MIT license.

/**
 * Moving files and directories, also to another file system.
 *
 * A rename replaces a file, or an empty directory, at once, so that there is always the old
 * one or the new one. What no rename replaces is put aside by one, and removed when the new one
 * has its place; if that fails, it comes back. To another file system there is no rename:
 * all is copied there, with all that copies can have, to a name of its own beside the target.
 *
 *     source ──copy──▶ beside the target ──rename──▶ target
 *     target ──rename──▶ aside ──remove──▶ gone
 *        ▲────────────────┘ if the other rename fails
 *
 * So nothing is missing of what is replaced until all of the new one is there, and nothing
 * of what is moved until that has its place.
 *
 * @module
 */

import { isEnd } from "../end.ts";
import { basename } from "../posix_path.ts";
import { hasCode, inContext } from "../linux/errors.ts";
import type { BigIntFileInfo, FileInfo } from "../linux/stat.ts";
import { op } from "../operations/op.ts";
import { type CoreRequest, type IoqRequest, toCoreRequest } from "../operations/request.ts";
import type { OpName } from "../operations/values.ts";
import { ownOptions } from "../own_option.ts";
import { absolutePath, joinPath, type Path, pathText, toPath } from "../path.ts";
import { normalizePath } from "../permissions.ts";
import { CallEnd } from "../queue/call_end.ts";
import type { PromiseForms } from "../forms.ts";
import { coreOf, type OperationOptions, runOn } from "../queue/runner.ts";
import { copyTree } from "./copy_tree.ts";
import { isWithin, parentOf, withoutSlashes } from "./root_path.ts";
import { removeTreeOn } from "./remover.ts";

/**
 * Options of {@linkcode move}: those of `@std/fs`.
 *
 * @category Files
 */
export interface MoveOptions extends OperationOptions {
  /**
   * Whether to replace what is there, a directory with all that is in it.
   *
   * @default {false}
   */
  overwrite?: boolean | undefined;
}

/** A path to compare. */
function comparable(path: string | Uint8Array): string {
  return normalizePath(pathText(absolutePath(path)));
}

/** See {@linkcode PromiseForms.move}. */
export async function move(
  ioq: PromiseForms,
  from: Path,
  to: Path,
  given: MoveOptions | undefined,
): Promise<void> {
  const options = ownOptions(given);
  const source = toPath(from, "rename");
  const target = toPath(to, "rename");
  const context = `rename '${pathText(source)}' -> '${pathText(target)}'`;
  using end = new CallEnd(ioq, options, context).bePatient();
  const { scopes } = coreOf(ioq);
  scopes.enter(end);
  try {
    // Before anything is waited for: what relative paths mean now, they mean then
    const mover = new Mover(ioq, absolutePath(source), absolutePath(target), end);
    const [path, targetPath] = [comparable(source), comparable(target)];
    const { isDirectory } = await runOn(ioq, op.stat(source), end.limits);
    if (isDirectory && isWithin(targetPath, path)) {
      throw new Deno.errors.NotSupported(
        `Cannot move '${pathText(source)}' to a subdirectory of itself, '${pathText(target)}'.`,
      );
    }
    if (!options.overwrite) {
      await mover.moveNew();
    } else if (path !== targetPath) {
      await mover.moveOver();
    }
  } finally {
    scopes.leave(end);
  }
}

/** Moves something. */
class Mover {
  readonly #ioq: PromiseForms;
  readonly #source: string | Uint8Array;
  readonly #target: string | Uint8Array;
  readonly #end: CallEnd;

  constructor(
    ioq: PromiseForms,
    source: string | Uint8Array,
    target: string | Uint8Array,
    end: CallEnd,
  ) {
    this.#ioq = ioq;
    this.#source = source;
    this.#target = target;
    this.#end = end;
  }

  /** Move to where nothing is. */
  async moveNew(): Promise<void> {
    const exists = () => new Deno.errors.AlreadyExists("dest already exists.");
    try {
      await this.#run(op.rename(this.#source, this.#target, { noReplace: true }));
      return;
    } catch (error) {
      if (hasCode(error, "EEXIST")) {
        throw exists();
      }
      // Not every file system, nor Deno, renames without replacing
      if (!hasCode(error, "EXDEV", "EINVAL", "ENOTSUP", "ENOSYS")) {
        throw error;
      }
    }
    try {
      await this.#run(op.lstat(this.#target));
    } catch {
      try {
        await this.#run(op.rename(this.#source, this.#target));
      } catch (error) {
        this.#checkCopies(error);
        await this.#copyTo(this.#target);
        await this.#remove(this.#source);
      }
      return;
    }
    throw exists();
  }

  /** Move to where something may be. */
  async moveOver(): Promise<void> {
    const [from, to] = await Promise.all([this.#lookAt(this.#source), this.#lookAt(this.#target)]);
    if (from !== undefined && to !== undefined && from.dev === to.dev && from.ino === to.ino) {
      if (from.isDirectory) {
        throw this.#refusal("they are the same directory");
      }
      // Two names of one file, which a rename would leave both, or twice the same one
      if (!await this.#isSameName()) {
        await this.#run(op.unlink(this.#source));
      }
      return;
    }
    if (to?.isDirectory && await this.#isInTarget()) {
      throw this.#refusal("it is in there");
    }
    try {
      await this.#replaceBy(this.#source);
    } catch (error) {
      this.#checkCopies(error);
      const copy = this.#beside();
      await this.#copyTo(copy);
      try {
        await this.#replaceBy(copy);
      } catch (error) {
        await this.#forget(copy);
        throw error;
      }
      await this.#remove(this.#source);
    }
  }

  /** Give something of the same file system the target's name, and remove what had it. */
  async #replaceBy(path: string | Uint8Array): Promise<void> {
    const rename = op.rename(path, this.#target);
    try {
      await this.#run(rename);
      return;
    } catch (error) {
      if (!hasCode(error, "EISDIR", "ENOTDIR", "ENOTEMPTY", "EEXIST")) {
        throw error;
      }
    }
    const aside = this.#beside();
    await this.#run(op.rename(this.#target, aside));
    try {
      await this.#run(rename);
    } catch (error) {
      this.#putBack(aside, error);
      throw error;
    }
    await this.#remove(aside);
  }

  /** What was put aside comes back: at once, since the queue may accept nothing any more. */
  #putBack(aside: string | Uint8Array, error: unknown): void {
    const { backend } = coreOf(this.#ioq);
    const rename = (noReplace: boolean) => {
      if (!backend.hasLibrary) {
        Deno.renameSync(pathText(aside), pathText(this.#target));
        return;
      }
      const request = toCoreRequest(op.rename(aside, this.#target, { noReplace }));
      // It was allowed when it was put aside
      request.trusted = true;
      coreOf(this.#ioq).synchronous().run(request);
    };
    try {
      try {
        rename(true);
      } catch (cause) {
        if (!hasCode(cause, "EINVAL", "ENOSYS")) {
          throw cause;
        }
        rename(false);
      }
    } catch (cause) {
      const place = `what was at '${pathText(this.#target)}' is at '${pathText(aside)}'`;
      throw new AggregateError([error, cause], `${this.#end.context} failed, and ${place}`);
    }
  }

  /** A name beside the target that nobody has. */
  #beside(): string | Uint8Array {
    const random = crypto.getRandomValues(new BigUint64Array(1))[0]!.toString(16);
    return joinPath(parentOf(this.#target), `.ioq-move-${random}`);
  }

  /** What is at a path, without following a link, if that can be told. */
  #lookAt(path: string | Uint8Array): Promise<FileInfo | BigIntFileInfo | undefined> {
    // Deno does not tell exactly
    const { hasLibrary } = coreOf(this.#ioq).backend;
    const request: CoreRequest<OpName, FileInfo | BigIntFileInfo> = hasLibrary
      ? toCoreRequest(op.lstat(path, { bigint: true }))
      : toCoreRequest(op.lstat(path));
    // Nobody is told of it
    request.trusted = true;
    return this.#run(request).catch((error) => {
      this.#end.signal.throwIfAborted();
      if (isEnd(error)) {
        throw error;
      }
      return undefined;
    });
  }

  /** Whether both paths are one name in one directory, on file systems that ignore case as well. */
  async #isSameName(): Promise<boolean> {
    const [from, to] = await Promise.all(
      [this.#source, this.#target].map((path) => this.#lookAt(joinPath(parentOf(path), "."))),
    );
    const name = (path: string | Uint8Array) =>
      basename(pathText(withoutSlashes(path))).toLowerCase();
    return from === undefined || to === undefined ||
      from.dev === to.dev && from.ino === to.ino && name(this.#source) === name(this.#target);
  }

  /** Whether what is moved is below what is to be replaced, as far as that can be told. */
  async #isInTarget(): Promise<boolean> {
    const [above, below] = await Promise.all(
      [this.#target, joinPath(parentOf(this.#source), ".")].map((path) => {
        const request = toCoreRequest(op.realPath(path));
        // Nobody is told of it
        request.trusted = true;
        return this.#run(request).catch(() => undefined);
      }),
    );
    this.#end.signal.throwIfAborted();
    return above !== undefined && below !== undefined && isWithin(below, above);
  }

  #refusal(why: string): Error {
    const [from, to] = [pathText(this.#source), pathText(this.#target)];
    return new Deno.errors.NotSupported(`Cannot move '${from}' over '${to}': ${why}.`);
  }

  /**
   * Check that what failed is to be done by a copy.
   *
   * @throws The error, if not.
   */
  #checkCopies(error: unknown): void {
    if (!hasCode(error, "EXDEV") || !coreOf(this.#ioq).backend.hasLibrary) {
      throw inContext(error, this.#end.context, this.#end.signal);
    }
  }

  /** Copy what is to be moved to another file system, all of it or nothing. */
  async #copyTo(path: string | Uint8Array): Promise<void> {
    let began = false;
    try {
      const onProgress = () => {
        began = true;
      };
      const how = { ...this.#end.limits, ioq: this.#ioq, preserve: true, onProgress };
      await copyTree(this.#source, path, how);
    } catch (error) {
      // What somebody else has put there meanwhile is not ours
      if (began || !hasCode(error, "EEXIST")) {
        await this.#forget(path);
      }
      throw inContext(error, this.#end.context, this.#end.signal);
    }
  }

  /** Remove a copy that is in vain: on this thread, if the queue accepts nothing any more. */
  async #forget(path: string | Uint8Array): Promise<void> {
    await removeTreeOn(() => this.#ioq, path, {}).catch((error) => {
      if (isEnd(error)) {
        Deno.removeSync(pathText(path), { recursive: true });
      }
    }).catch(() => {});
  }

  async #remove(path: string | Uint8Array): Promise<void> {
    await removeTreeOn(() => this.#ioq, path, this.#end.limits);
  }

  #run<V>(request: IoqRequest<OpName, V>): Promise<V> {
    return runOn(this.#ioq, request, this.#end.limits);
  }
}
