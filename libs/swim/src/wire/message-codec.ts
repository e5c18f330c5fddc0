// One message to bytes and back. Never throws for what a peer sent: a fault is a returned refusal.

import { memberLimits, type Member, type MemberMeta, type MemberState } from '../member';
import type { SwimMessage } from '../message';
import { ByteCounter, ByteReader, ByteWriter, type ByteSink, type ReadFault } from './bytes';

const kinds = ['ping', 'pingReq', 'ack', 'nack', 'alive', 'suspect', 'dead', 'pushPull'] as const;
const states: readonly MemberState[] = ['alive', 'suspect', 'dead', 'left'];

/** Most members that one push-pull may carry. */
export const maxPushPullMembers = 10_000;

export type SwimMessageDecoded =
  | { readonly ok: true; readonly message: SwimMessage }
  | { readonly ok: false; readonly code: ReadFault; readonly offset: number };

export function encodeSwimMessage(message: SwimMessage): Uint8Array {
  const writer = new ByteWriter();
  writeMessage(writer, message);
  return writer.finish();
}

/** The length of its encoding. */
export function swimMessageBytes(message: SwimMessage): number {
  const counter = new ByteCounter();
  writeMessage(counter, message);
  return counter.length;
}

function writeMessage(writer: ByteSink, message: SwimMessage): void {
  writer.u8(kinds.indexOf(message.kind) + 1);
  switch (message.kind) {
    case 'ping':
      writer.varint(message.seq);
      writer.text(message.source);
      writer.text(message.target);
      break;
    case 'pingReq':
      writer.varint(message.seq);
      writer.text(message.source);
      writer.text(message.target);
      writer.text(message.targetAddress);
      break;
    case 'ack':
    case 'nack':
      writer.varint(message.seq);
      break;
    case 'alive':
      writeIdentity(writer, message);
      break;
    case 'suspect':
    case 'dead':
      writer.text(message.name);
      writer.varint(message.incarnation);
      writer.text(message.accuser);
      break;
    case 'pushPull':
      writer.u8(message.phase === 'request' ? 0 : 1);
      writer.text(message.source);
      writer.varint(message.members.length);
      for (const member of message.members) {
        writer.u8(states.indexOf(member.state));
        writeIdentity(writer, member);
      }
      break;
  }
}

export function decodeSwimMessage(bytes: Uint8Array): SwimMessageDecoded {
  const reader = new ByteReader(bytes);
  const message = readMessage(reader);
  reader.end();
  if (message === null || reader.fault !== null) {
    return { ok: false, code: reader.fault ?? 'unknownKind', offset: reader.offset };
  }
  return { ok: true, message };
}

/** Bytes that address and meta take; more than `memberLimits.metaBytes` cannot be sent. */
export function metaBytes(address: string, meta: MemberMeta): number {
  const counter = new ByteCounter();
  writeAddressAndMeta(counter, address, meta);
  return counter.length;
}

function readMessage(reader: ByteReader): SwimMessage | null {
  const kind = kinds[reader.u8() - 1];
  switch (kind) {
    case 'ping':
      return { kind, seq: reader.varint(), source: readName(reader), target: readName(reader) };
    case 'pingReq':
      return {
        kind,
        seq: reader.varint(),
        source: readName(reader),
        target: readName(reader),
        targetAddress: reader.text(memberLimits.addressBytes),
      };
    case 'ack':
    case 'nack':
      return { kind, seq: reader.varint() };
    case 'alive':
      return { kind, ...readIdentity(reader) };
    case 'suspect':
    case 'dead':
      return {
        kind,
        name: readName(reader),
        incarnation: reader.varint(),
        accuser: readName(reader),
      };
    case 'pushPull':
      return readPushPull(reader);
    default:
      return null;
  }
}

function readPushPull(reader: ByteReader): SwimMessage {
  const phase = reader.u8();
  if (phase > 1) reader.fail('unknownKind');
  const source = readName(reader);
  const count = reader.varint();
  if (count > maxPushPullMembers) reader.fail('fieldTooLong');
  const members: Member[] = [];
  while (members.length < count && reader.fault === null) {
    const state = states[reader.u8()];
    if (state === undefined) reader.fail('unknownKind');
    members.push({ state: state ?? 'alive', ...readIdentity(reader) });
  }
  return { kind: 'pushPull', phase: phase === 0 ? 'request' : 'reply', source, members };
}

interface Identity {
  readonly name: string;
  readonly address: string;
  readonly incarnation: number;
  readonly meta: MemberMeta;
}

function writeIdentity(writer: ByteSink, identity: Identity): void {
  writer.text(identity.name);
  writer.varint(identity.incarnation);
  writeAddressAndMeta(writer, identity.address, identity.meta);
}

function writeAddressAndMeta(writer: ByteSink, address: string, meta: MemberMeta): void {
  const tags = Object.entries(meta.tags);
  writer.text(address);
  writer.text(meta.bootId);
  writer.varint(tags.length);
  for (const [tag, value] of tags) {
    writer.text(tag);
    writer.text(value);
  }
}

function readIdentity(reader: ByteReader): Identity {
  const name = readName(reader);
  const incarnation = reader.varint();
  const start = reader.offset;
  const address = reader.text(memberLimits.addressBytes);
  const bootId = reader.text(memberLimits.metaBytes);
  const count = reader.varint();
  if (count > memberLimits.tags) reader.fail('fieldTooLong');
  const tags: [string, string][] = [];
  while (tags.length < count && reader.fault === null) {
    tags.push([reader.text(memberLimits.metaBytes), reader.text(memberLimits.metaBytes)]);
  }
  if (reader.offset - start > memberLimits.metaBytes) reader.fail('fieldTooLong');
  return { name, address, incarnation, meta: { bootId, tags: Object.fromEntries(tags) } };
}

function readName(reader: ByteReader): string {
  const name = reader.text(memberLimits.nameBytes);
  if (name === '') reader.fail('truncated');
  return name;
}
