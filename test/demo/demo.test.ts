import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { machineSnapshot, type MachineSnapshot, NamespaceWatch } from '../support/machine-snapshot';
import { home, skein, SkeinCommand } from '../support/skein-command';

const storyMs = 180_000;

interface Report {
  readonly ok: boolean;
  readonly steps: { id: string; outcome: string; observed?: string; error?: string }[];
  readonly figures: Record<string, number>;
  readonly memory: { residentMib: number };
}

let before: MachineSnapshot;
let namespaces: NamespaceWatch;

beforeEach(() => {
  before = machineSnapshot(home);
  namespaces = new NamespaceWatch(home);
});

/** The kernel takes a moment to end a namespace's processes after its first one has gone. */
async function nothingIsLeft(): Promise<void> {
  const left = () => machineSnapshot(home).processes.length + namespaces.leftOver().length;
  for (let attempt = 0; attempt < 100 && left() > 0; attempt++) await delay(50);
  expect(namespaces.leftOver()).toEqual([]);
  expect(machineSnapshot(home)).toEqual(before);
}

afterEach(async () => {
  namespaces.stop();
  await skein('down');
});

describe('the demo', () => {
  it(
    'tells its whole story on the real kernel and leaves nothing behind',
    async () => {
      const { code, stdout, stderr } = await skein('demo', '--once', '--json');
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      const report = JSON.parse(stdout) as Report;
      expect(report.steps.filter((step) => step.outcome !== 'held')).toEqual([]);
      expect(report.steps.length).toBeGreaterThanOrEqual(12);
      expect(report.figures).toMatchObject({ pingsLost: 0, duplicateAddresses: 0, repairs: 1 });
      expect(report.memory.residentMib).toBeGreaterThan(0);
      // The cluster's own namespace and those of three hosts.
      expect(namespaces.seen).toBeGreaterThanOrEqual(4);
      await nothingIsLeft();
    },
    storyMs,
  );

  it(
    'leaves nothing behind when it is interrupted while it starts',
    async () => {
      const demo = new SkeinCommand('demo', '--once');
      await delay(900);
      demo.child.kill('SIGINT');
      const { code } = await demo.finished;
      expect(code).toBe(130);
      await nothingIsLeft();
    },
    storyMs,
  );

  it(
    'leaves nothing behind when it is interrupted in its middle',
    async () => {
      const demo = new SkeinCommand('demo', '--once');
      await demo.says('Two hundred attach at once');
      demo.child.kill('SIGINT');
      const { code } = await demo.finished;
      expect(code).toBe(130);
      await nothingIsLeft();
    },
    storyMs,
  );

  it(
    'leaves nothing behind after kill -9 and ./skein down',
    async () => {
      const demo = new SkeinCommand('demo', '--once');
      await demo.says('Containers a and b attach');
      demo.child.kill('SIGKILL');
      await demo.finished;
      await skein('down');
      await nothingIsLeft();
    },
    storyMs,
  );

  it(
    'runs twice side by side',
    async () => {
      const both = await Promise.all([
        skein('demo', '--once', '--json'),
        skein('demo', '--once', '--json'),
      ]);
      const failed = both.filter(({ code }) => code !== 0).map(({ stderr }) => stderr);
      expect(failed).toEqual([]);
      await nothingIsLeft();
    },
    2 * storyMs,
  );
});
