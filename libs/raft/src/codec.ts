// The wire format of messages between replicas: a version byte, a kind byte, the sender, the term,
// the kind's fields. Version 2 adds fields at the end and is used only where one of them is set, so
// that replicas of both versions understand each other in everything that both know. Entries of an
// append carry no index: it follows from prevIndex. Malformed input is an answer, never a throw.
import { ByteReader, ByteWriter } from './bytes';
import type { AppendRequest, InstallSnapshot, RaftMessage } from './messages';
import type { Configuration, EntryKind, LogEntry } from './types';

const PLAIN = 1;
const EXTENDED = 2;

export type CodecFault = 'version' | 'kind' | 'truncated' | 'value' | 'trailing';
export type DecodeResult = { readonly message: RaftMessage } | { readonly error: CodecFault };

/** The position is the number on the wire: append only. */
const messageKinds: readonly RaftMessage['kind'][] = [
  'preVote',
  'vote',
  'preVoteResponse',
  'voteResponse',
  'append',
  'appendResponse',
  'heartbeat',
  'heartbeatResponse',
  'readIndex',
  'readIndexResponse',
  'timeoutNow',
  'installSnapshot',
  'installSnapshotResponse',
];
const entryKinds: readonly EntryKind[] = ['noop', 'command', 'configuration'];

const HEAD_BYTES = 320;
const ENTRY_HEAD_BYTES = 13;

export function encodeRaftMessage(message: RaftMessage): Uint8Array {
  const writer = new ByteWriter(sizeHint(message));
  const isExtended = hasExtension(message);
  writer.byte(isExtended ? EXTENDED : PLAIN);
  writer.byte(messageKinds.indexOf(message.kind));
  writer.name(message.from);
  writer.integer(message.term);
  writeBody(writer, message);
  if (isExtended) writeExtension(writer, message);
  return writer.finish();
}

function hasExtension(message: RaftMessage): boolean {
  switch (message.kind) {
    case 'heartbeat':
      return message.endsRecovery !== undefined;
    case 'appendResponse':
    case 'heartbeatResponse':
    case 'installSnapshotResponse':
      return message.recovery !== undefined;
    case 'installSnapshot':
      return true;
    default:
      return false;
  }
}

function writeExtension(writer: ByteWriter, message: RaftMessage): void {
  switch (message.kind) {
    case 'heartbeat':
      return writer.integer(message.endsRecovery ?? 0);
    case 'appendResponse':
    case 'heartbeatResponse':
    case 'installSnapshotResponse':
      writer.integer(message.recovery ?? 0);
      return writer.flag(message.isVoteLost === true);
    default:
  }
}

function sizeHint(message: RaftMessage): number {
  if (message.kind === 'installSnapshot') return HEAD_BYTES * 2 + message.data.length;
  if (message.kind !== 'append') return 64;
  let bytes = 64;
  for (const entry of message.entries) bytes += ENTRY_HEAD_BYTES + entry.data.length;
  return bytes;
}

function writeBody(writer: ByteWriter, message: RaftMessage): void {
  switch (message.kind) {
    case 'preVote':
    case 'vote':
      writer.integer(message.lastIndex);
      writer.integer(message.lastTerm);
      return writer.flag(message.transfer);
    case 'preVoteResponse':
    case 'voteResponse':
      return writer.flag(message.granted);
    case 'append':
      return writeAppend(writer, message);
    case 'appendResponse':
      writer.flag(message.accepted);
      writer.integer(message.index);
      writer.integer(message.hintIndex);
      return writer.integer(message.hintTerm);
    case 'heartbeat':
      writer.integer(message.commit);
      return writer.integer(message.round);
    case 'heartbeatResponse':
      return writer.integer(message.round);
    case 'readIndex':
      return writer.integer(message.batch);
    case 'readIndexResponse':
      writer.integer(message.batch);
      writer.integer(message.index);
      return writer.flag(message.confirmed);
    case 'timeoutNow':
      return;
    case 'installSnapshot':
      return writeSnapshot(writer, message);
    case 'installSnapshotResponse':
      writer.integer(message.index);
      writer.integer(message.offset);
      return writer.flag(message.accepted);
  }
}

function writeAppend(writer: ByteWriter, message: AppendRequest): void {
  writer.integer(message.prevIndex);
  writer.integer(message.prevTerm);
  writer.integer(message.commit);
  writer.uint32(message.entries.length);
  for (const entry of message.entries) {
    writer.integer(entry.term);
    writer.byte(entryKinds.indexOf(entry.kind));
    writer.blob(entry.data);
  }
}

function writeSnapshot(writer: ByteWriter, message: InstallSnapshot): void {
  const { index, term, configuration, configurationIndex } = message.snapshot;
  writer.integer(index);
  writer.integer(term);
  writeConfiguration(writer, configuration);
  writeTransition(writer, configuration);
  writer.integer(configurationIndex ?? index);
  writer.integer(message.offset);
  writer.integer(message.size);
  writer.blob(message.data);
  writer.uint32(message.crc);
}

function writeConfiguration(writer: ByteWriter, configuration: Configuration): void {
  writer.names(configuration.incoming);
  writer.names(configuration.outgoing);
  writer.names(configuration.learners);
}

function writeTransition(writer: ByteWriter, configuration: Configuration): void {
  writer.names(configuration.learnersNext ?? []);
  writer.flag(configuration.autoLeave === true);
}

/** The data of a `configuration` entry. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const writer = new ByteWriter(64);
  const { learnersNext, autoLeave } = configuration;
  const isExtended = autoLeave === true || (learnersNext !== undefined && learnersNext.length > 0);
  writer.byte(isExtended ? EXTENDED : PLAIN);
  writeConfiguration(writer, configuration);
  if (isExtended) writeTransition(writer, configuration);
  return writer.finish();
}

/** Null when malformed. */
export function decodeConfiguration(bytes: Uint8Array): Configuration | null {
  const reader = new ByteReader(bytes);
  const version = reader.byte();
  if (version !== PLAIN && version !== EXTENDED) return null;
  const configuration = readConfiguration(reader, version === EXTENDED);
  return reader.fault === null && reader.left === 0 ? configuration : null;
}

/** The entries' data are views on `bytes`, which therefore must not be reused. */
export function decodeRaftMessage(bytes: Uint8Array): DecodeResult {
  const reader = new ByteReader(bytes);
  if (reader.left === 0) return { error: 'truncated' };
  const version = reader.byte();
  if (version !== PLAIN && version !== EXTENDED) return { error: 'version' };
  const code = reader.byte();
  if (reader.fault !== null) return { error: reader.fault };
  const kind = messageKinds[code];
  if (kind === undefined) return { error: 'kind' };
  const message = readMessage(reader, kind, version === EXTENDED);
  if (reader.fault !== null) return { error: reader.fault };
  return reader.left === 0 ? { message } : { error: 'trailing' };
}

function readMessage(
  reader: ByteReader,
  kind: RaftMessage['kind'],
  isExtended: boolean,
): RaftMessage {
  const from = reader.name();
  const term = reader.integer();
  switch (kind) {
    case 'preVote':
    case 'vote': {
      const lastIndex = reader.integer();
      const lastTerm = reader.integer();
      return { kind, from, term, lastIndex, lastTerm, transfer: reader.flag() };
    }
    case 'preVoteResponse':
    case 'voteResponse':
      return { kind, from, term, granted: reader.flag() };
    case 'append':
      return readAppend(reader, from, term);
    case 'appendResponse': {
      const accepted = reader.flag();
      const index = reader.integer();
      const hintIndex = reader.integer();
      const hintTerm = reader.integer();
      const mark = isExtended ? readMark(reader) : null;
      return { kind, from, term, accepted, index, hintIndex, hintTerm, ...mark };
    }
    case 'heartbeat': {
      const commit = reader.integer();
      const round = reader.integer();
      if (!isExtended) return { kind, from, term, commit, round };
      return { kind, from, term, commit, round, endsRecovery: reader.integer() };
    }
    case 'heartbeatResponse': {
      const round = reader.integer();
      return { kind, from, term, round, ...(isExtended ? readMark(reader) : null) };
    }
    case 'readIndex':
      return { kind, from, term, batch: reader.integer() };
    case 'readIndexResponse': {
      const batch = reader.integer();
      const index = reader.integer();
      return { kind, from, term, batch, index, confirmed: reader.flag() };
    }
    case 'timeoutNow':
      return { kind, from, term };
    case 'installSnapshot':
      // Version 1 knew the message but never sent it.
      if (!isExtended) reader.fail('value');
      return readSnapshot(reader, from, term);
    case 'installSnapshotResponse': {
      const index = reader.integer();
      const offset = reader.integer();
      const accepted = reader.flag();
      const mark = isExtended ? readMark(reader) : null;
      return { kind, from, term, index, offset, accepted, ...mark };
    }
  }
}

function readMark(reader: ByteReader): { recovery: number; isVoteLost?: boolean } {
  const recovery = reader.integer();
  return reader.flag() ? { recovery, isVoteLost: true } : { recovery };
}

/** Terms of entries must not fall, nor pass the message's own: the log's order depends on it. */
function readAppend(reader: ByteReader, from: string, term: number): AppendRequest {
  const prevIndex = reader.integer();
  const prevTerm = reader.integer();
  const commit = reader.integer();
  const count = reader.uint32();
  const entries: LogEntry[] = [];
  let lowest = prevTerm;
  if (count * ENTRY_HEAD_BYTES > reader.left) reader.fail('truncated');
  for (let i = 1; i <= count && reader.fault === null; i += 1) {
    const entryTerm = reader.integer();
    const kind = entryKinds[reader.byte()];
    const data = reader.blob();
    if (entryTerm < lowest || entryTerm > term || kind === undefined) {
      reader.fail('value');
      break;
    }
    if (kind === 'configuration' && decodeConfiguration(data) === null) reader.fail('value');
    lowest = entryTerm;
    entries.push({ index: prevIndex + i, term: entryTerm, kind, data });
  }
  if (prevTerm > term || !Number.isSafeInteger(prevIndex + count)) reader.fail('value');
  return { kind: 'append', from, term, prevIndex, prevTerm, commit, entries };
}

function readSnapshot(reader: ByteReader, from: string, term: number): InstallSnapshot {
  const index = reader.integer();
  const snapshotTerm = reader.integer();
  const configuration = readConfiguration(reader, true);
  const configurationIndex = reader.integer();
  const offset = reader.integer();
  const size = reader.integer();
  const data = reader.blob();
  const crc = reader.uint32();
  const isPlaced = offset + data.length <= size && configurationIndex <= index;
  if (!isPlaced || snapshotTerm > term) reader.fail('value');
  const snapshot = { index, term: snapshotTerm, configuration, configurationIndex };
  return { kind: 'installSnapshot', from, term, snapshot, offset, size, data, crc };
}

function readConfiguration(reader: ByteReader, isExtended: boolean): Configuration {
  const incoming = reader.names();
  const outgoing = reader.names();
  const learners = reader.names();
  const configuration = { incoming, outgoing, learners };
  if (!isExtended) return configuration;
  const learnersNext = reader.names();
  const isLeft = reader.flag();
  return {
    ...configuration,
    ...(learnersNext.length > 0 ? { learnersNext } : null),
    ...(isLeft ? { autoLeave: true } : null),
  };
}
