import { describe, expect, it } from '@jest/globals';
import { lookUp, type View } from './view';
import { Zone } from './zone';

const zoneOf = (name: string, third: number, endpoint: string) =>
  new Zone({ name, subnets: [{ cidr: `10.${third}.0.0/24`, gateway: `10.${third}.0.1` }] }, [
    { name: endpoint, aliases: [], addresses: [`10.${third}.0.5/24`] },
  ]);
const web = zoneOf('web', 1, 'a');
const db = zoneOf('db', 2, 'b');
const ask = (name: string, view: Partial<View>, type = 'A') => {
  const answer = lookUp({ name, type }, { home: null, others: [], forwards: true, ...view }, 0);
  return answer.code === 'found' ? answer.records.map(({ data }) => data).join() : answer.code;
};

describe('what an asker sees', () => {
  it.each([
    ['a', { home: web, others: [db] }, '10.1.0.5'],
    ['b', { home: web, others: [db] }, '10.2.0.5'],
    ['b.db', { home: web, others: [db] }, '10.2.0.5'],
    ['b', { home: web }, 'nameUnknown'],
    ['nobody', { home: web, others: [db] }, 'nameUnknown'],
    ['b.db', { home: web }, 'forward'],
    ['example.com', { home: web }, 'forward'],
    ['example.com', { home: web, forwards: false }, 'refused'],
    ['a.web', { others: [db, web] }, '10.1.0.5'],
    ['a', { others: [db, web] }, 'forward'],
    ['nobody.web', { others: [db, web] }, 'forward'],
    ['a', { others: [web], forwards: false }, 'refused'],
  ] as [string, Partial<View>, string][])('%s %#', (name, view, expected) => {
    expect(ask(name, view)).toBe(expected);
  });

  it('has pointers of all of its networks', () => {
    expect(ask('5.0.2.10.in-addr.arpa', { home: web, others: [db] }, 'PTR')).toBe('b.db');
    expect(ask('5.0.2.10.in-addr.arpa', { others: [web, db] }, 'PTR')).toBe('b.db');
    expect(ask('9.0.1.10.in-addr.arpa', { home: web, others: [db] }, 'PTR')).toBe('nameUnknown');
  });
});
