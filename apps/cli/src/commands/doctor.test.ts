import { describe, expect, it } from '@jest/globals';
import { alarmFinding } from './doctor';

describe('alarmFinding', () => {
  it('fails, and says what to do about a full store', () => {
    const { check, state, detail } = alarmFinding({ alarm: 'nospace', at: 1 });
    expect({ check, state }).toEqual({ check: 'alarm nospace', state: 'broken' });
    for (const command of ['cluster quota', 'kv compact', 'cluster alarms clear nospace']) {
      expect(detail).toContain(`skein ${command}`);
    }
  });

  it('names the replica whose state differs', () => {
    const { state, detail } = alarmFinding({ alarm: 'corrupt', replica: 'm2', at: 1 });
    expect(state).toBe('broken');
    expect(detail).toMatch(/^the state of m2 .*clear corrupt --replica m2$/);
  });
});
