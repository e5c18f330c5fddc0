// The words for nftables. What the kernel makes of them is test/leases' matter.

import { describe, expect, it } from '@jest/globals';
import { closedGuard, isWholeGuard, openGuard } from './guard';

describe('guard', () => {
  it('is closed without ports, and drops both ways', () => {
    const text = closedGuard();
    expect(text).toContain('iifname != @heard drop');
    expect(text).toContain('oifname != @heard drop');
    expect(text).not.toContain('elements');
  });

  it('is renewed in one batch: old ports go, new ones time out, and all ends at a second of the day', () => {
    const text = openGuard({ ports: ['vxlan0', 'v01'], leftMs: 4_700.9, endWallMs: 3_614_700 });
    expect(text.split('\n')).toEqual([
      'flush chain bridge skein-guard forward',
      'flush set bridge skein-guard heard',
      'add rule bridge skein-guard forward meta time >= 3615 drop',
      'add rule bridge skein-guard forward iifname != @heard drop',
      'add rule bridge skein-guard forward oifname != @heard drop',
      'add element bridge skein-guard heard { "vxlan0" timeout 4700ms, "v01" timeout 4700ms }',
      '',
    ]);
  });

  it('takes no port for a command', () => {
    const renewal = { ports: ['x" }; flush ruleset'], leftMs: 1, endWallMs: 1 };
    expect(() => openGuard(renewal)).toThrow('is no port');
  });

  it('is whole with its hook and both drops, and not otherwise', () => {
    const listed = [
      'table bridge skein-guard {',
      '\tchain forward {',
      '\t\ttype filter hook forward priority 0; policy accept;',
      '\t\tiifname != @heard drop',
      '\t\toifname != @heard drop',
      '\t}',
      '}',
    ];
    expect(isWholeGuard(listed.join('\n'))).toBe(true);
    for (const missing of [2, 3, 4]) {
      expect(isWholeGuard(listed.filter((_, index) => index !== missing).join('\n'))).toBe(false);
    }
    expect(isWholeGuard('')).toBe(false);
  });
});
