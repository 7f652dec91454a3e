// Copyright 2026 the ioq authors. MIT license.

/**
 * Reading what operations produced.
 *
 * @module
 */

import { byteLengthOf } from "../byte_length.ts";
import { decodeDirectory, type DirEntry, isUtf8 } from "../linux/directory.ts";
import { rawPathError } from "../linux/errors.ts";
import {
  type BigIntFileInfo,
  decodeBigIntFileInfo,
  decodeFileInfo,
  type FileInfo,
} from "../linux/stat.ts";
import { pathText } from "../path.ts";
import type { Payload } from "./payload.ts";
import { type PollEvents, toPollEvents } from "../linux/poll.ts";

/** Where a request has what is read put. */
export interface Destination {
  /** Bytes, at most. */
  readonly length: number;
  /** The buffer. */
  readonly target: Uint8Array<ArrayBuffer> | undefined;
  /** Several of them, one after the other. */
  readonly targets: readonly Uint8Array<ArrayBuffer>[] | undefined;
}

/** Reads what an operation produced. */
export type Decoder<V = unknown> = (result: number, payload: Payload, request: Destination) => V;

export const decodeNothing: Decoder<undefined> = () => undefined;
export const decodeResult: Decoder<number> = (result) => result;
export const decodeEntries: Decoder<DirEntry[]> = (_, payload) => decodeDirectory(payload.bytes());
export const decodeBytes: Decoder<Uint8Array<ArrayBuffer>> = (result, payload) => {
  const bytes = new Uint8Array(result);
  if (result > 0) {
    payload.take(bytes);
  }
  return bytes;
};
export const decodeInto: Decoder<number> = (result, payload, request) => {
  const target = request.target!;
  if (byteLengthOf(target) !== request.length) {
    throw new TypeError("Cannot read into bytes whose buffer was detached or resized");
  }
  if (result > 0) {
    payload.take(target);
  }
  return result;
};
export const decodeIntoParts: Decoder<number> = (result, payload, request) => {
  const targets = request.targets!;
  let length = 0;
  for (const target of targets) {
    length += byteLengthOf(target);
  }
  if (length !== request.length) {
    throw new TypeError("Cannot read into bytes whose buffer was detached or resized");
  }
  for (let i = 0, at = 0; at < result; at += byteLengthOf(targets[i++]!)) {
    payload.takePart(at, targets[i]!);
  }
  return result;
};
/** {@linkcode decodeInto} for files, whose end is `null`. */
export const decodeIntoOrEnd: Decoder<number | null> = (result, payload, request) => {
  const count = decodeInto(result, payload, request);
  return count === 0 && request.length > 0 ? null : count;
};
/** Two words as one number. */
export const decodeNumber: Decoder<number> = (_, payload) => {
  const { buffer, byteOffset } = payload.bytes();
  const [low, high] = new Int32Array(buffer, byteOffset, 2);
  return high! * 0x1_0000_0000 + (low! >>> 0);
};
export const decodeCopy: Decoder<Uint8Array<ArrayBuffer>> = (result, payload) =>
  result > 0 ? payload.bytes().slice() : new Uint8Array();
export const decodeNames: Decoder<string[]> = (result, payload) =>
  // A NUL after each
  result > 0 ? pathText(payload.bytes()).split("\0").slice(0, -1) : [];
/** A path as text, with U+FFFD for what of it is not UTF-8. */
export const decodeText: Decoder<string> = (_, payload) => pathText(payload.bytes());
/** A path byte by byte. */
export const decodeRawPath: Decoder<Uint8Array<ArrayBuffer>> = (_, payload) =>
  payload.bytes().slice();
/** A path as text that leads where it does. */
export const decodePath: Decoder<string> = (_, payload) => {
  const bytes = payload.bytes();
  const text = pathText(bytes);
  if (text.includes("\ufffd") && !isUtf8(bytes)) {
    throw rawPathError(bytes);
  }
  return text;
};
export const decodeStat: Decoder<FileInfo> = (_, payload) =>
  decodeFileInfo(payload.words, payload.at >> 2);
export const decodeBigIntStat: Decoder<BigIntFileInfo> = (_, payload) =>
  decodeBigIntFileInfo(payload.words, payload.at >> 2);

export const decodePoll: Decoder<PollEvents> = (result) => toPollEvents(result);
