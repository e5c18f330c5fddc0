// Asks the host's own name servers on a client's behalf, from the host's namespace. Everything has an end: questions under way,
// servers tried, time. A question that comes back to its asker finds itself under way and goes no further.

import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';

export interface ForwarderOptions {
  /** In the order in which they are asked. */
  readonly servers: () => readonly string[];
  /** Default 53. */
  readonly port?: number;
  /** For each server. The default lets two have their turn before clients give up: 4 s for an engine, 5 s for the C library. */
  readonly timeoutMs?: number;
}

export type Via = 'datagram' | 'stream';

/** Different questions under way at once; what is too much is answered "failed", and asked again by its client. */
export const maxUnderWay = 256;
/** Clients that wait for one answer. */
const maxWaiting = 64;
const defaultTimeoutMs = 1_900;
const maxServers = 2;
const largestAnswerBytes = 65_535;

interface UnderWay {
  readonly answer: Promise<Buffer | null>;
  /** Ids that this host gave to the question. */
  readonly ids: Set<number>;
  waiting: number;
}

export class Forwarder {
  readonly #options: Required<ForwarderOptions>;
  /** By everything of the question but its id. */
  readonly #underWay = new Map<string, UnderWay>();

  constructor(options: ForwarderOptions) {
    this.#options = { port: 53, timeoutMs: defaultTimeoutMs, ...options };
  }

  /** The answer with the question's own id; null if none came in time, or if it may not be asked. Never rejects. */
  async ask(question: Buffer, via: Via): Promise<Buffer | null> {
    const id = question.readUInt16BE(0);
    const key = `${via} ${question.toString('latin1', 2)}`;
    let known = this.#underWay.get(key);
    if (known === undefined) {
      if (this.#underWay.size >= maxUnderWay) return null;
      const ids = new Set<number>();
      const answer = this.#askServers(question, via, ids).finally(() => this.#underWay.delete(key));
      known = { answer, ids, waiting: 0 };
      this.#underWay.set(key, known);
    } else if (known.ids.has(id) || known.waiting >= maxWaiting) {
      // Our own question, sent back to us as it was; or more of one kind than anybody needs.
      return null;
    }
    known.waiting += 1;
    const answer = await known.answer;
    return answer === null ? null : withId(answer, id);
  }

  async #askServers(question: Buffer, via: Via, ids: Set<number>): Promise<Buffer | null> {
    let refused: Buffer | null = null;
    for (const server of this.#options.servers().slice(0, maxServers)) {
      const id = randomInt(0x10000);
      ids.add(id);
      const asked = withId(question, id);
      const { port, timeoutMs } = this.#options;
      const ask = via === 'datagram' ? askByDatagram : askByStream;
      const answer = await ask(asked, { server, port, timeoutMs });
      if (answer === null) continue;
      if (!isFailure(answer)) return answer;
      refused ??= answer;
    }
    return refused;
  }
}

interface Place {
  readonly server: string;
  readonly port: number;
  readonly timeoutMs: number;
}

function askByDatagram(
  question: Buffer,
  { server, port, timeoutMs }: Place,
): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
    const end = (answer: Buffer | null): void => {
      clearTimeout(timer);
      socket.removeAllListeners('message');
      try {
        socket.close();
      } catch {
        return;
      }
      resolve(answer);
    };
    const timer = setTimeout(() => end(null), timeoutMs);
    socket.on('error', () => end(null));
    // Connected: the kernel takes datagrams of this server alone, and tells if nobody is there.
    socket.connect(port, server, () => socket.send(question, () => undefined));
    socket.on('message', (answer) => {
      if (isAnswerTo(question, answer)) end(answer);
    });
  });
}

function askByStream(question: Buffer, { server, port, timeoutMs }: Place): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const stream = connect({ host: server, port });
    let held: Buffer = Buffer.alloc(0);
    const end = (answer: Buffer | null): void => {
      clearTimeout(timer);
      stream.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end(null), timeoutMs);
    stream.on('error', () => end(null));
    stream.on('close', () => end(null));
    stream.on('connect', () => stream.write(withLength(question)));
    stream.on('data', (part: Buffer) => {
      held = Buffer.concat([held, part]);
      if (held.length < 2 || held.length < 2 + held.readUInt16BE(0)) return;
      const answer = held.subarray(2, 2 + held.readUInt16BE(0));
      end(isAnswerTo(question, answer) ? Buffer.from(answer) : null);
    });
  });
}

/** Messages are preceded by their length in two bytes (RFC 1035 §4.2.2). */
export function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

const headerBytes = 12;

/** The id, a response, and the same question but for the case of letters, which some servers change. */
function isAnswerTo(question: Buffer, answer: Buffer): boolean {
  if (answer.length < headerBytes || answer.length > largestAnswerBytes) return false;
  if (answer.readUInt16BE(0) !== question.readUInt16BE(0)) return false;
  if ((answer.readUInt16BE(2) & 0x8000) === 0) return false;
  if (answer.readUInt16BE(4) === 0) return isFailure(answer);
  const end = endOfQuestion(question);
  const [asked, given] = [question, answer].map((message) =>
    message.toString('latin1', headerBytes, end).toLowerCase(),
  );
  return asked === given;
}

/** Of a message whose one question was read before: no pointers, and whole. */
function endOfQuestion(message: Buffer): number {
  let at = headerBytes;
  for (let length = message[at] ?? 0; length !== 0; length = message[at] ?? 0) at += length + 1;
  return at + 5;
}

/** Server failure or refusal: another server may know better. */
function isFailure(answer: Buffer): boolean {
  const code = answer.readUInt16BE(2) & 0x000f;
  return code === 2 || code === 5;
}
