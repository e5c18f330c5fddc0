// DNS messages (RFC 1035, RFC 6891): a question read from any bytes, and the reply to it. Nothing that arrives may throw: what
// can't be read is answered FORMERR, or not at all if it is no question. Who knows the answer is not known here.

import packet, { type Answer, type DecodedPacket, type Packet } from 'dns-packet';
import type { ZoneRecord } from './zone';

export interface Question {
  readonly id: number;
  /** As they came: opcode and "recursion desired" are given back. */
  readonly flags: number;
  readonly name: string;
  readonly type: string;
  /** Bytes that a reply may have. */
  readonly room: number;
  readonly hasExtension: boolean;
  readonly asked: NonNullable<Packet['questions']>;
}

export type ReadMessage =
  | { readonly kind: 'question'; readonly question: Question }
  | { readonly kind: 'refusal'; readonly reply: Buffer }
  | { readonly kind: 'nothing' };

export interface Reply {
  readonly code: keyof typeof codes;
  readonly records?: readonly ZoneRecord[];
  /** Whether names of elsewhere are asked for on the client's behalf. */
  readonly forwards: boolean;
}

/** Seconds for which a client may keep an answer. */
export const answerTtlS = 5;

const headerBytes = 12;
const plainDatagramBytes = 512;
/** What fits an Ethernet frame in one piece on any path. */
const largestDatagramBytes = 1_232;
const largestStreamBytes = 65_535;
export const largestQuestionBytes = 4_096;
/** Options, a signature, and room for what is not known yet. */
const maxAdditionals = 4;

const codes = {
  noError: 0,
  formatError: 1,
  serverFailed: 2,
  nameUnknown: 3,
  notImplemented: 4,
  refused: 5,
} as const;

const opcodeMask = 0x7800;
const classes = { internet: 1, any: 255 };
/** Transfers and what else is about the conversation and not about names (RFC 6895 §3.1). */
const firstMetaType = 249;
const lastMetaType = 254;

/** Datagrams hold 512 bytes unless the client says otherwise; streams hold anything. */
export function readMessage(message: Buffer, via: 'datagram' | 'stream'): ReadMessage {
  if (message.length < headerBytes || message.length > largestQuestionBytes) return nothing;
  const flags = message.readUInt16BE(2);
  const isResponse = (flags & 0x8000) !== 0;
  if (isResponse) return nothing;
  const head = { id: message.readUInt16BE(0), flags };
  if ((flags & opcodeMask) !== 0) return refusal(head, 'notImplemented');
  // Before anything is decoded: counts are the cheapest lie.
  const [questions = 0, answers = 0, authorities = 0, additionals = 0] = [4, 6, 8, 10].map((at) =>
    message.readUInt16BE(at),
  );
  if (questions !== 1 || answers + authorities > 0 || additionals > maxAdditionals) {
    return refusal(head, 'formatError');
  }
  const decoded = decode(message);
  const asked = decoded?.questions ?? [];
  const [first] = asked;
  if (decoded === null || first === undefined) return refusal(head, 'formatError');
  const section = sectionOf(asked);
  // A name that does not survive being read and written would be given back as another one.
  if (section?.equals(message.subarray(headerBytes, headerBytes + section.length)) !== true) {
    return refusal(head, 'formatError');
  }
  const extensions = (decoded.additionals ?? []).filter(({ type }) => type === 'OPT');
  const [extension] = extensions as { udpPayloadSize?: number; ednsVersion?: number }[];
  if (extensions.length > 1) return refusal(head, 'formatError');
  const type = section.readUInt16BE(section.length - 4);
  const asksClass = section.readUInt16BE(section.length - 2);
  const question: Question = {
    ...head,
    name: first.name,
    type: first.type,
    room: roomFor(via, extension?.udpPayloadSize ?? 0),
    hasExtension: extension !== undefined,
    asked,
  };
  if ((extension?.ednsVersion ?? 0) > 0) {
    return { kind: 'refusal', reply: encoded(question, { code: 'noError', isBadVersion: true }) };
  }
  const isMeta = type >= firstMetaType && type <= lastMetaType;
  if (isMeta || (asksClass !== classes.internet && asksClass !== classes.any)) {
    return { kind: 'refusal', reply: replyTo(question, { code: 'refused', forwards: false }) };
  }
  return { kind: 'question', question };
}

/** As much of it as there is room for, marked as cut if that is not all: some clients never ask again by stream. */
export function replyTo(question: Question, { code, records = [], forwards }: Reply): Buffer {
  const answers = records.map(({ type, data }): Answer => ({
    ...{ type, data, name: question.name },
    ...{ ttl: answerTtlS, class: 'IN' as const },
  }));
  const whole = encoded(question, { code, answers, forwards });
  if (whole.length <= question.room) return whole;
  const bare = encoded(question, { code, forwards, isTruncated: true });
  const each = (whole.length - bare.length) / answers.length;
  const count = Math.floor((question.room - bare.length) / each);
  const some = answers.slice(0, Math.max(0, count));
  const cut = encoded(question, { code, answers: some, forwards, isTruncated: true });
  // Records of both families have different sizes: then the estimate may be too large.
  return cut.length <= question.room ? cut : bare;
}

const nothing: ReadMessage = { kind: 'nothing' };

function refusal(head: Pick<Question, 'id' | 'flags'>, code: Reply['code']): ReadMessage {
  return { kind: 'refusal', reply: encoded({ ...head, asked: [], hasExtension: false }, { code }) };
}

function decode(message: Buffer): DecodedPacket | null {
  try {
    return packet.decode(message);
  } catch {
    return null;
  }
}

function sectionOf(questions: Question['asked']): Buffer | null {
  try {
    return packet.encode({ type: 'query', questions }).subarray(headerBytes);
  } catch {
    return null;
  }
}

function roomFor(via: 'datagram' | 'stream', offered: number): number {
  if (via === 'stream') return largestStreamBytes;
  return Math.min(largestDatagramBytes, Math.max(plainDatagramBytes, offered));
}

interface Encoding {
  readonly code: Reply['code'];
  readonly answers?: Answer[];
  readonly forwards?: boolean;
  readonly isTruncated?: boolean;
  readonly isBadVersion?: boolean;
}

function encoded(
  { id, flags, asked, hasExtension }: Pick<Question, 'id' | 'flags' | 'asked' | 'hasExtension'>,
  { code, answers = [], forwards, isTruncated, isBadVersion }: Encoding,
): Buffer {
  const given = flags & (opcodeMask | packet.RECURSION_DESIRED);
  const recursion = forwards === true ? packet.RECURSION_AVAILABLE : 0;
  const truncated = isTruncated === true ? packet.TRUNCATED_RESPONSE : 0;
  return packet.encode({
    type: 'response',
    id,
    flags: given | packet.AUTHORITATIVE_ANSWER | recursion | truncated | codes[code],
    questions: asked,
    answers,
    ...(hasExtension ? { additionals: [extensionRecord(isBadVersion === true ? 1 : 0)] } : {}),
  });
}

/** `extendedRcode` 1 with code 0 is BADVERS. */
function extensionRecord(extendedRcode: number) {
  return {
    type: 'OPT' as const,
    name: '.' as const,
    udpPayloadSize: largestDatagramBytes,
    extendedRcode,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}
