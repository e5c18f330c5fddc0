// What stands behind a scenario's commands: options read as limits, disks, changes of members and
// messages made by hand.
import type { AppendRequest, Heartbeat, RaftMessage, VoteRequest } from '../messages';
import type { ConfigurationChange, LogEntry } from '../types';
import { ScenarioDisk } from './disk';
import type { Limits } from './world';

type Options = ReadonlyMap<string, string>;

export function limitsOf(options: Options): Limits {
  const limits: Record<string, number> = {};
  for (const [name, value] of options) limits[name] = Number(value);
  return limits;
}

function termsOf(list: string): number[] {
  return list === '' ? [] : list.split(',').map(Number);
}

function entriesOf(terms: readonly number[], firstIndex: number): LogEntry[] {
  return terms.map((term, i) => ({
    index: firstIndex + i,
    term,
    kind: 'command',
    data: new TextEncoder().encode(`${firstIndex + i}@${term}`),
  }));
}

export function diskOf(options: Options): ScenarioDisk {
  const terms = termsOf(options.get('terms') ?? '');
  const term = Number(options.get('term') ?? terms[terms.length - 1] ?? 0);
  const vote = options.get('vote') ?? null;
  const commit = Number(options.get('commit') ?? 0);
  return new ScenarioDisk({ term, vote, commit }, entriesOf(terms, 1));
}

/** `voters=n1,n2`; nothing when it is not given. */
export function namesOf(options: Options, name: string): string[] {
  return (options.get(name) ?? '').split(',').filter((id) => id !== '');
}

/** `voters=n1,n2 learners=n3 mode=explicit expect=7`. */
export function changeOf(options: Options): ConfigurationChange {
  const expected = options.get('expect');
  const mode = options.get('mode') as 'auto' | 'implicit' | 'explicit' | undefined;
  return {
    kind: 'set',
    voters: namesOf(options, 'voters'),
    learners: namesOf(options, 'learners'),
    ...(expected === undefined ? null : { expectedIndex: Number(expected) }),
    ...(mode === undefined ? null : { mode }),
  };
}

export function placeOf(place: string): { lastIndex: number; lastTerm: number } {
  const [lastIndex = 0, lastTerm = 0] = place.split('@').map(Number);
  return { lastIndex, lastTerm };
}

/** A message made by hand: `inject n2 append from=n1 term=2 prev=3@1 commit=2 terms=2,2`. */
export function injected(kind: string, options: Options): { from: string; message: RaftMessage } {
  const from = options.get('from') ?? '';
  const term = Number(options.get('term'));
  const commit = Number(options.get('commit') ?? 0);
  switch (kind) {
    case 'append': {
      const { lastIndex: prevIndex, lastTerm: prevTerm } = placeOf(options.get('prev') ?? '0@0');
      const entries = entriesOf(termsOf(options.get('terms') ?? ''), prevIndex + 1);
      const message: AppendRequest = { kind, from, term, prevIndex, prevTerm, commit, entries };
      return { from, message };
    }
    case 'heartbeat': {
      const message: Heartbeat = {
        kind,
        from,
        term,
        commit,
        round: Number(options.get('round') ?? 0),
      };
      return { from, message };
    }
    case 'preVote':
    case 'vote': {
      const transfer = options.get('order') === 'yes';
      const last = placeOf(options.get('last') ?? '0@0');
      const message: VoteRequest = { kind, from, term, ...last, transfer };
      return { from, message };
    }
    case 'preVoteResponse':
    case 'voteResponse':
      return { from, message: { kind, from, term, granted: options.get('granted') === 'yes' } };
    case 'appendResponse': {
      const index = Number(options.get('matches'));
      const message = {
        kind,
        from,
        term,
        accepted: true,
        index,
        hintIndex: 0,
        hintTerm: 0,
      } as const;
      return { from, message };
    }
    case 'heartbeatResponse':
      return { from, message: { kind, from, term, round: Number(options.get('round') ?? 0) } };
    case 'installSnapshot': {
      const { lastIndex: index, lastTerm } = placeOf(options.get('at') ?? '0@0');
      const configuration = { incoming: namesOf(options, 'voters'), outgoing: [], learners: [] };
      const snapshot = { index, term: lastTerm, configuration };
      const data = new Uint8Array(100);
      return { from, message: { kind, from, term, snapshot, offset: 0, size: 100, data, crc: 0 } };
    }
    case 'timeoutNow':
      return { from, message: { kind, from, term } };
    default:
      throw new Error(`cannot inject ${kind}`);
  }
}
