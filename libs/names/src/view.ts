// Which zones answer a question, by who asks: an endpoint sees its own network and the others that its sandbox is on, and those
// without a network see names that say theirs. Pure; who asks is found out by whoever holds the sockets.

import type { Zone, ZoneAnswer } from './zone';

export interface View {
  /** The network on which the question came; null: on none. */
  readonly home: Zone | null;
  /** What else this asker sees. */
  readonly others: readonly Zone[];
  /** Whether what no zone knows may be asked elsewhere. */
  readonly forwards: boolean;
}

/** `refused`: nobody may be asked on the client's behalf. */
export type ViewAnswer =
  | Exclude<ZoneAnswer, { code: 'foreign' }>
  | { readonly code: 'forward' }
  | { readonly code: 'refused' };

export function lookUp(
  question: { readonly name: string; readonly type: string },
  { home, others, forwards }: View,
  turn: number,
): ViewAnswer {
  let isOurs = false;
  for (const zone of home === null ? others : [home, ...others]) {
    // Outside of networks, a name alone means none of them, and a network's name hides no domain of the same name.
    if (home === null && !question.name.includes('.')) break;
    const answer = zone.answer(question, turn);
    if (answer.code === 'found') return answer;
    if (answer.code === 'nameUnknown' && home !== null) isOurs = true;
  }
  if (isOurs) return { code: 'nameUnknown' };
  return forwards ? { code: 'forward' } : { code: 'refused' };
}
