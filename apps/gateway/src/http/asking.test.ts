import { describe, expect, it } from '@jest/globals';
import { rangeContract, replicaStatusContract, SkeinError } from '@skein/contracts';
import { Asking } from './asking';

/** A messenger whose answers are these, one after the other; the last again and again. */
function asking(...answers: (SkeinError | object)[]) {
  let asked = 0;
  const request = async (): Promise<never> => {
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    if (answer instanceof SkeinError) throw answer;
    return answer as never;
  };
  return { asking: new Asking({ request, connected: true }), times: () => asked };
}

const span = { key: 'a' };
const notLeader = new SkeinError('not_leader', 'This replica no longer leads');

describe('asking', () => {
  it('asks again where a leader has just gone or come', async () => {
    const opening = new SkeinError('term_not_opened', 'The leader has just been elected');
    const { asking: door, times } = asking(notLeader, opening, { kvs: [] });
    expect(await door.request(rangeContract, span)).toEqual({ kvs: [] });
    expect(times()).toBe(3);
  });

  it('says that there is no leader if that goes on, whoever was asked', async () => {
    const { asking: door } = asking(notLeader);
    await expect(door.request(rangeContract, span)).rejects.toMatchObject({ code: 'no_leader' });
  });

  it('passes on what a replica says of itself', async () => {
    const { asking: door, times } = asking(notLeader);
    const asked = door.request(replicaStatusContract, {}, { instance: 'm1' });
    await expect(asked).rejects.toMatchObject({ code: 'not_leader' });
    expect(times()).toBe(1);
  });

  const silent = new SkeinError('unavailable', 'nobody serves it');
  const member = (id: string) => ({ id });
  const unknown = { instance: 'm9' };

  it('says of a replica that is silent and no member that there is none', async () => {
    const leader = { leaderId: 'm1', members: [member('m1'), member('m2')] };
    const asked = asking(silent, leader).asking.request(replicaStatusContract, {}, unknown);
    await expect(asked).rejects.toMatchObject({
      code: 'member_not_found',
      message: "The cluster has no replica 'm9'",
      facts: { replica: 'm9', members: 'm1, m2' },
    });
  });

  it.each([
    ['is a member', { leaderId: 'm1', members: [member('m1'), member('m9')] }],
    ['is asked for while nobody leads', silent],
    ['is told of by one that leads no more', { leaderId: null, members: [member('m1')] }],
  ])('says of a replica that %s and silent that it does not answer', async (_how, leader) => {
    const asked = asking(silent, leader).asking.request(replicaStatusContract, {}, unknown);
    await expect(asked).rejects.toMatchObject({
      code: 'unavailable',
      message: "'m9' does not answer",
    });
  });
});
