import { describe, expect, it } from '@jest/globals';
import { SkeinError } from '@skein/contracts';
import { failureText } from './failure';
import { fields, fitWidths, table } from './table';

/** Colors are none of these tests' business. */
function plain(text: string): string {
  return text.replace(/\x1b\[[0-9;]*m/g, '');
}

describe('fitWidths', () => {
  it('leaves columns alone that fit', () => {
    expect(fitWidths([4, 10], 20)).toEqual([4, 10]);
    expect(fitWidths([4, 100], undefined)).toEqual([4, 100]);
  });

  it('takes from the widest column first', () => {
    expect(fitWidths([4, 30, 20], 40)).toEqual([4, 18, 18]);
  });

  it('makes no column narrower than can be read', () => {
    expect(fitWidths([4, 30, 30], 5)).toEqual([4, 6, 6]);
  });
});

describe('table', () => {
  it('lines columns up without lines between them', () => {
    const rows = [
      ['web', 4097],
      ['database', undefined],
    ];
    expect(plain(table(['name', 'vni'], rows, 80)).split('\n')).toEqual([
      'NAME      VNI',
      'web       4097',
      'database  -',
    ]);
  });

  it('cuts what does not fit the terminal', () => {
    const shown = plain(table(['name', 'value'], [['k', 'x'.repeat(200)]], 40)).split('\n');
    expect(Math.max(...shown.map((line) => line.length))).toBeLessThanOrEqual(40);
    expect(shown[1]).toMatch(/x…$/);
  });
});

describe('fields', () => {
  it('leaves out what there is not, and says - for what is empty', () => {
    expect(
      plain(
        fields([
          ['name', 'web'],
          ['mtu', undefined],
          ['hosts', ''],
        ]),
      ),
    ).toBe('name   web\nhosts  -');
  });
});

describe('failureText', () => {
  it('says what happened, where, and what to do', () => {
    const error = new SkeinError('address_taken', '10.1.0.5 has a holder', {
      field: 'addresses.0',
      facts: { holder: 'e1', since: 0, faults: [{}] },
    });
    expect(plain(failureText(error, 'Ask for another one.')).split('\n')).toEqual([
      'error: 10.1.0.5 has a holder',
      '  code  address_taken',
      '  field addresses.0',
      '  holder e1',
      '  since 1970-01-01T00:00:00Z',
      '  hint  Ask for another one.',
    ]);
  });

  it('gives the hint that the error brings along before that of its code', () => {
    const error = new SkeinError('unavailable', 'one runs already', { facts: { hint: 'End it.' } });
    const lines = plain(failureText(error, 'Look for what is missing.')).split('\n');
    expect(lines).toEqual(['error: one runs already', '  code  unavailable', '  hint  End it.']);
  });
});
