import type { RaftStatus, TransferOutcome } from '@skein/raft';
import { describe, expect, it } from '@jest/globals';
import { Transfers } from './transfers';

function refusalOf(code: Extract<TransferOutcome, { accepted: false }>['code'], to: string | null) {
  let told = '';
  const transfers = new Transfers('m1', () => ({ leader: 'm1', term: 3 }) as RaftStatus);
  transfers.started({ accepted: false, code, leader: 'm1' }, to, 0, (answered) => {
    if (!answered.ok) told = `${answered.refusal.code}: ${answered.refusal.message}`;
  });
  return told;
}

describe('a transfer that is refused', () => {
  it('says why', () => {
    expect(refusalOf('already_leader', 'm1')).toBe("already_leader: 'm1' leads already");
    expect(refusalOf('no_candidate', null)).toBe('no_successor: No other member can lead');
    expect(refusalOf('no_candidate', 'm4')).toBe("no_successor: 'm4' has no vote or is recovering");
    expect(refusalOf('unknown_member', 'm9')).toMatch(/^member_not_found: 'm9' is no member/);
  });
});
