// A state as shape, colour and word, so that none of them is needed alone.

import type { ReactNode } from 'react';

export type Tone = 'good' | 'warn' | 'bad' | 'idle';

/** Full disc, triangle, cross, ring. */
function Shape({ tone }: { readonly tone: Tone }) {
  switch (tone) {
    case 'good':
      return <circle cx="6" cy="6" r="5" fill="currentColor" />;
    case 'warn':
      return <path d="M6 .8 11.6 11H.4Z" fill="currentColor" />;
    case 'bad':
      return (
        <path
          d="M2 2l8 8M10 2l-8 8"
          stroke="currentColor"
          strokeWidth="2.6"
          strokeLinecap="round"
        />
      );
    case 'idle':
      return <circle cx="6" cy="6" r="4.2" fill="none" stroke="currentColor" strokeWidth="1.8" />;
  }
}

export function StateMark({
  tone,
  children,
}: {
  readonly tone: Tone;
  readonly children: ReactNode;
}) {
  return (
    <span className={`state ${tone}`}>
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
        <Shape tone={tone} />
      </svg>
      <span>{children}</span>
    </span>
  );
}
