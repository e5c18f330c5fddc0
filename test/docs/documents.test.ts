// What documents tell their readers to type is typed, on a running cluster, and what they promise is there.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@skein/chaos';
import { Stack } from '../support/stack';
import { runnableBlocks } from './code-blocks';
import { DocumentShell } from './document-shell';
import { natsFollow, natsRequest } from './nats-command';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start();
}, 120_000);

afterAll(() => stack?.stop(), 60_000);

const promised = (comment: string): string[] =>
  comment
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

describe('docs/nats.md', () => {
  const blocks = runnableBlocks('docs/nats.md');

  it('has something to type', () => {
    expect(blocks.flat().length).toBeGreaterThanOrEqual(15);
  });

  it.each(blocks.map((commands) => [commands[0]?.text ?? '', commands] as const))(
    'what begins with: %s',
    async (_, commands) => {
      const followed: { subject: string; bodies: Record<string, unknown>[]; comment: string }[] =
        [];
      for (const { text, comment, isInBackground } of commands) {
        if (isInBackground) {
          followed.push({ ...natsFollow(stack.nats, text), comment });
          await stack.nats.flush();
          continue;
        }
        const answer = await natsRequest(stack.nats, text);
        if (!comment.startsWith('error')) expect(answer).not.toMatch(/^error /);
        for (const word of promised(comment))
          expect([text, answer]).toEqual([text, expect.stringContaining(word)]);
      }
      const silent = async () =>
        followed.filter(({ bodies }) => bodies.length === 0).map(({ subject }) => subject);
      expect(await until(20_000, silent)).toEqual([]);
      for (const { comment, bodies } of followed) {
        for (const word of promised(comment)) expect(bodies[0]).toHaveProperty(word);
      }
    },
    60_000,
  );
});

describe.each([
  'README.md',
  'docs/install.md',
  'docs/runbooks/backup.md',
  'docs/runbooks/upgrade.md',
  'docs/runbooks/rotate-secrets.md',
  'docs/runbooks/join-a-host.md',
  'docs/runbooks/replace-a-manager.md',
])('%s', (document) => {
  let shell: DocumentShell;
  beforeAll(() => {
    shell = DocumentShell.open(stack.cluster);
  });
  afterAll(() => shell?.close());

  const commands = runnableBlocks(document).flat();
  it('has something to type', () => expect(commands).not.toEqual([]));

  it.each(commands.map(({ text, asks }) => [text, asks] as const))(
    '%s',
    async (text, agrees) => {
      const { code, said } = await shell.type(text, { agrees });
      expect({ text, code, said }).toEqual({ text, code: 0, said });
    },
    120_000,
  );
});
