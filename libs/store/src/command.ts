// The form of a command in the log: one version byte, then UTF-8 JSON. The version is what lets a later release read the
// entries of an earlier one. Checks the version, not the content: a command is valid by the time it is proposed.

import { type StoreCommand } from './types';

export const commandVersion = 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function encodeCommand(command: StoreCommand): Uint8Array {
  return encodeText(JSON.stringify(command));
}

/** As `encodeCommand`, from requests that are JSON already: who gathers a batch has measured each as text. */
export function encodeCommandOf(at: number, requests: readonly string[]): Uint8Array {
  return encodeText(`{"at":${at},"requests":[${requests.join(',')}]}`);
}

/** Throws on an unknown version: skipping an entry would make this replica's state differ from the others'. */
export function decodeCommand(bytes: Uint8Array): StoreCommand {
  if (bytes[0] !== commandVersion) {
    throw new Error(`store: version ${bytes[0]} where this release reads ${commandVersion}`);
  }
  return JSON.parse(decoder.decode(bytes.subarray(1))) as StoreCommand;
}

function encodeText(text: string): Uint8Array {
  const json = encoder.encode(text);
  const bytes = new Uint8Array(json.length + 1);
  bytes[0] = commandVersion;
  bytes.set(json, 1);
  return bytes;
}
