// Copyright 2026 the ioq authors. MIT license.

/**
 * Moving files and directories, also to another file system.
 *
 * A rename replaces a file at once, so that there is always the old one or the new one.
 * What a rename cannot replace is removed first. To another file system there is no
 * rename: all is copied, with all that copies can have, and then removed. Until the
 * copy is complete nothing is missing from what is moved.
 *
 * @module
 */

import { hasCode } from "../linux/errors.ts";
import type { FileInfo } from "../linux/stat.ts";
import { op } from "../operations/op.ts";
import { ownOptions } from "../own_option.ts";
import { absolutePath, type Path, pathText, toPath } from "../path.ts";
import { normalizePath } from "../permissions.ts";
import { CallEnd } from "../queue/call_end.ts";
import type { PromiseForms } from "../forms.ts";
import { coreOf, type OperationOptions, runOn } from "../queue/runner.ts";
import { copyTree } from "./copy_tree.ts";
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

/** Whether a path is below another one. */
function isBelow(path: string, above: string): boolean {
  return path.startsWith(above === "/" ? above : `${above}/`) && path !== above;
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
  using end = new CallEnd(ioq, options, context);
  const { limits } = end;
  // Before anything is waited for: what relative paths mean now, they mean then
  const mover = new Mover(ioq, absolutePath(source), absolutePath(target), limits);
  const [path, targetPath] = [comparable(source), comparable(target)];
  const info = await runOn(ioq, op.stat(source), limits);
  if (info.isDirectory && (path === targetPath || isBelow(targetPath, path))) {
    throw new Deno.errors.NotSupported(
      `Cannot move '${pathText(source)}' to a subdirectory of itself, '${pathText(target)}'.`,
    );
  }
  if (!options.overwrite) {
    await mover.moveNew();
  } else if (path !== targetPath) {
    await mover.moveOver(info);
  }
}

/** Moves something. */
class Mover {
  readonly #ioq: PromiseForms;
  readonly #source: string | Uint8Array;
  readonly #target: string | Uint8Array;
  readonly #limits: OperationOptions;

  constructor(
    ioq: PromiseForms,
    source: string | Uint8Array,
    target: string | Uint8Array,
    limits: OperationOptions,
  ) {
    this.#ioq = ioq;
    this.#source = source;
    this.#target = target;
    this.#limits = limits;
  }

  /** Move to where nothing is. */
  async moveNew(): Promise<void> {
    const exists = () => new Deno.errors.AlreadyExists("dest already exists.");
    const rename = op.rename(this.#source, this.#target, { noReplace: true });
    try {
      await runOn(this.#ioq, rename, this.#limits);
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
      await runOn(this.#ioq, op.lstat(this.#target), this.#limits);
    } catch {
      await this.#rename();
      return;
    }
    throw exists();
  }

  /** Move to where something may be. */
  async moveOver(source: FileInfo): Promise<void> {
    const there = await runOn(this.#ioq, op.stat(this.#target), this.#limits)
      .catch(() => undefined);
    if (there !== undefined && there.dev === source.dev && there.ino === source.ino) {
      // Two names of one file, which a rename would leave both
      await this.#remove(this.#target);
    }
    try {
      await runOn(this.#ioq, op.rename(this.#source, this.#target), this.#limits);
    } catch (error) {
      if (!hasCode(error, "EXDEV", "EISDIR", "ENOTDIR", "ENOTEMPTY", "EEXIST")) {
        throw error;
      }
      await this.#remove(this.#target).catch((cause) => {
        if (!hasCode(cause, "ENOENT")) {
          throw cause;
        }
      });
      await this.#rename();
    }
  }

  async #rename(): Promise<void> {
    try {
      await runOn(this.#ioq, op.rename(this.#source, this.#target), this.#limits);
    } catch (error) {
      if (!hasCode(error, "EXDEV") || !coreOf(this.#ioq).backend.hasLibrary) {
        throw error;
      }
      await this.#copy();
    }
  }

  /** Move to another file system. */
  async #copy(): Promise<void> {
    const ioq = this.#ioq;
    let began = false;
    try {
      const onProgress = () => {
        began = true;
      };
      const how = { ...this.#limits, ioq, preserve: true, onProgress };
      await copyTree(this.#source, this.#target, how);
    } catch (error) {
      // What somebody else has put there meanwhile is not ours
      if (began || !hasCode(error, "EEXIST")) {
        await removeTreeOn(() => ioq, this.#target, {}).catch(() => {});
      }
      throw error;
    }
    await this.#remove(this.#source);
  }

  async #remove(path: string | Uint8Array): Promise<void> {
    await removeTreeOn(() => this.#ioq, path, this.#limits);
  }
}
