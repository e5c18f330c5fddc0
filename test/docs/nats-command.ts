// What the NATS CLI says on the wire for the commands that the documents use: `req`, `sub`, and `micro ls|info|stats`. It answers what
// came back, so that a test can compare it with what the document promises.

import type { NatsConnection } from '@nats-io/transport-node';
import { wordsOf } from './code-blocks';

const waitMs = 10_000;
/** As long as the CLI collects answers of services. */
const collectMs = 1_500;

export interface Following {
  readonly subject: string;
  readonly bodies: Record<string, unknown>[];
}

/** Body of the answer; of an error, its code as well. Throws if nobody answers. */
async function request(nats: NatsConnection, subject: string, body: string): Promise<string> {
  for (const limit = performance.now() + waitMs; ;) {
    try {
      const answer = await nats.request(subject, body, { timeout: waitMs });
      const code = answer.headers?.get('Nats-Service-Error') ?? '';
      return `${code === '' ? '' : `error ${code} `}${answer.string()}`;
    } catch (thrown) {
      // Between two leaders nobody is there.
      if (!/no responders/i.test(String(thrown)) || performance.now() > limit) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function collect(nats: NatsConnection, subject: string): Promise<string> {
  const answers: string[] = [];
  for await (const answer of await nats.requestMany(subject, '', {
    strategy: 'timer',
    maxWait: collectMs,
  })) {
    answers.push(answer.string());
  }
  if (answers.length === 0) throw new Error(`nobody answers on ${subject}`);
  return answers.join('\n');
}

const verbs: Record<string, string> = { ls: 'PING', info: 'INFO', stats: 'STATS' };

/** Throws for a command that is none of the CLI's, or none that is known here. */
export function natsRequest(nats: NatsConnection, text: string): Promise<string> {
  const [program, command, ...rest] = wordsOf(text);
  if (program === 'nats' && command === 'req' && rest.length === 2) {
    const [subject = '', body = ''] = rest;
    return request(nats, subject, body);
  }
  const [verb = '', ...names] = rest;
  const known = verbs[verb];
  if (program === 'nats' && command === 'micro' && known !== undefined) {
    return collect(nats, ['$SRV', known, ...names].join('.'));
  }
  throw new Error(`not a command that is known here: ${text}`);
}

/** `nats sub SUBJECT`: what comes is added as it comes. */
export function natsFollow(nats: NatsConnection, text: string): Following {
  const [program, command, subject = '', ...rest] = wordsOf(text);
  if (program !== 'nats' || command !== 'sub' || rest.length > 0) {
    throw new Error(`not a command that is known here: ${text}`);
  }
  const bodies: Record<string, unknown>[] = [];
  const callback = (fault: Error | null, message: { json(): unknown }): void => {
    if (fault === null) bodies.push(message.json() as Record<string, unknown>);
  };
  nats.subscribe(subject, { callback });
  return { subject, bodies };
}
