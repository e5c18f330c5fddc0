// The page's source within React.

import { createContext, useContext, useEffect, useSyncExternalStore } from 'react';
import type { GatewayClient } from './client';
import type { Interest, Live, LiveState } from './live';

export interface Source {
  readonly live: Live;
  readonly client: GatewayClient;
}

export const SourceContext = createContext<Source | undefined>(undefined);

export function useSource(): Source {
  const source = useContext(SourceContext);
  if (source === undefined) throw new Error('A view stands outside of the page');
  return source;
}

export function useLive(): LiveState {
  const { live } = useSource();
  return useSyncExternalStore(live.subscribe, live.state);
}

/** What is asked for in a rhythm while the view is open. */
export function useInterest(interest: Interest): void {
  const { live } = useSource();
  useEffect(() => live.want(interest), [live, interest]);
}
