// From one DNS packet to its answer, by a zone. Nothing that arrives may throw: what can't be read is answered FORMERR, or not
// at all if it is no question.

import packet, { type DecodedPacket, type Packet } from 'dns-packet';
import { answerTtlS, type Zone, type ZoneAnswer } from './zone';

export interface MessageOptions {
  /** Datagrams hold 512 bytes unless the client says otherwise (RFC 1035, RFC 6891); streams hold anything. */
  readonly via: 'datagram' | 'stream';
  readonly turn: number;
}

const headerBytes = 12;
const plainDatagramBytes = 512;
/** What fits an Ethernet frame in one piece on any path. */
const largestDatagramBytes = 1_232;
const largestStreamBytes = 65_535;
export const largestQuestionBytes = 4_096;

const codes = {
  noError: 0,
  formatError: 1,
  nameUnknown: 3,
  notImplemented: 4,
  refused: 5,
} as const;

/** Null: nothing to say. */
export function answerMessage(message: Buffer, zone: Zone, options: MessageOptions): Buffer | null {
  if (message.length < headerBytes || message.length > largestQuestionBytes) return null;
  const flags = message.readUInt16BE(2);
  const isResponse = (flags & 0x8000) !== 0;
  if (isResponse) return null;
  const id = message.readUInt16BE(0);
  const question = decoded(message);
  if (question === null) return encoded({ id, flags, code: codes.formatError, questions: [] });
  const asked = question.questions?.[0];
  if ((flags & 0x7800) !== 0) {
    return encoded({ id, flags, code: codes.notImplemented, questions: [] });
  }
  if (asked === undefined || question.questions?.length !== 1) {
    return encoded({ id, flags, code: codes.formatError, questions: [] });
  }
  const hasExtension = question.additionals?.some(({ type }) => type === 'OPT') ?? false;
  const head = { id, flags, questions: [asked], hasExtension };
  if (asked.class !== undefined && asked.class !== 'IN' && asked.class !== 'ANY') {
    return encoded({ ...head, code: codes.refused });
  }
  const answer = zone.answer({ name: asked.name, type: asked.type }, options.turn);
  const records = answer.code === 'found' ? answer.records : [];
  const answers = records.map(({ type, data }) => ({
    type,
    data,
    name: asked.name,
    ttl: answerTtlS,
    class: 'IN' as const,
  }));
  const whole = encoded({ ...head, code: codeOf(answer), answers });
  if (whole.length <= roomFor(question, options.via)) return whole;
  return encoded({ ...head, code: codeOf(answer), isTruncated: true });
}

function decoded(message: Buffer): DecodedPacket | null {
  try {
    return packet.decode(message);
  } catch {
    return null;
  }
}

function codeOf(answer: ZoneAnswer): number {
  switch (answer.code) {
    case 'found':
      return codes.noError;
    case 'nameUnknown':
      return codes.nameUnknown;
    case 'refused':
      return codes.refused;
  }
}

function roomFor(question: DecodedPacket, via: MessageOptions['via']): number {
  if (via === 'stream') return largestStreamBytes;
  const extension = question.additionals?.find(({ type }) => type === 'OPT');
  const offered = (extension as { udpPayloadSize?: number } | undefined)?.udpPayloadSize ?? 0;
  return Math.min(largestDatagramBytes, Math.max(plainDatagramBytes, offered));
}

interface Reply {
  readonly id: number;
  /** Of the question: opcode and "recursion desired" are given back. */
  readonly flags: number;
  readonly code: number;
  readonly questions: Packet['questions'];
  readonly answers?: Packet['answers'];
  readonly hasExtension?: boolean;
  readonly isTruncated?: boolean;
}

function encoded(reply: Reply): Buffer {
  const truncated = reply.isTruncated === true ? packet.TRUNCATED_RESPONSE : 0;
  const given = reply.flags & (0x7800 | packet.RECURSION_DESIRED);
  const message = packet.encode({
    type: 'response',
    id: reply.id,
    flags: given | packet.AUTHORITATIVE_ANSWER | truncated | reply.code,
    ...(reply.questions === undefined ? {} : { questions: reply.questions }),
    ...(reply.answers === undefined ? {} : { answers: reply.answers }),
    ...(reply.hasExtension === true ? { additionals: [extensionRecord] } : {}),
  });
  return message;
}

const extensionRecord = {
  type: 'OPT' as const,
  name: '.' as const,
  udpPayloadSize: largestDatagramBytes,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};
