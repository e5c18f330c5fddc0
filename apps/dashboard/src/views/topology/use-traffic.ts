// What passes between hosts, asked again and again while a view that shows it is open, and by nothing else.

import { useEffect, useRef, useState } from 'react';
import type { Traffic } from '@skein/contracts';
import { useSource } from '../../gateway/live-context';
import { Repeat } from '../../gateway/repeat';
import { ratesOf, type Rates } from '../../model/traffic';

const everyMs = 2_500;

export function useTraffic(): Rates {
  const { client } = useSource();
  const [rates, setRates] = useState<Rates>(new Map());
  const former = useRef<Traffic | undefined>(undefined);
  useEffect(() => {
    const repeat = new Repeat(
      async () => {
        const now = await client.get<Traffic>('/v1/traffic');
        setRates(ratesOf(former.current, now));
        former.current = now;
      },
      () => everyMs,
    );
    repeat.now();
    return () => repeat.close();
  }, [client]);
  return rates;
}
