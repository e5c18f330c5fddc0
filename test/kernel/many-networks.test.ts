import { beforeAll, expect, it } from '@jest/globals';
import { describeWherePossible } from '../support/where-possible';
import { tellStory, whyNoPrivateWorld } from './private-world';

interface Story {
  readonly faults: string[];
  readonly again: string[];
  readonly gateways: string[];
  readonly left: string;
  readonly ms: Readonly<Record<'programmed' | 'lookedAt' | 'removed', number>>;
}

describeWherePossible(await whyNoPrivateWorld(), 'two hundred networks on one host', () => {
  let story: Story;

  beforeAll(async () => {
    story = await tellStory<Story>('many-networks-world', ['overlay-host']);
    const told = Object.entries(story.ms).map(([what, ms]) => `${what} in ${Math.round(ms)} ms`);
    process.stdout.write(`200 networks of one subnet: ${told.join(', ')}\n`);
  }, 150_000);

  it('are programmed without faults, and programming them again changes nothing', () => {
    expect(story.faults).toEqual([]);
    expect(story.again).toEqual([]);
  });

  it('each answer for their gateway, though all have the same', () => {
    expect(story.gateways).toEqual(['yes', 'yes', 'yes']);
  });

  it('leave nothing', () => {
    expect(story.left).toBe('0');
  });
});
