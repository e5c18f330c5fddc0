// Events, latest first, around the moment that is shown.

import type { HistoryEvent } from '@skein/contracts';
import { timeText } from '../../parts/time';

const shownBefore = 60;
const shownAfter = 8;

export function EventList(props: {
  readonly events: readonly HistoryEvent[];
  /** So many of them have happened at the moment that is shown. */
  readonly count: number;
  readonly onGo: (event: HistoryEvent) => void;
}) {
  const { events, count, onGo } = props;
  const start = Math.max(0, count - shownBefore);
  const shown = events.slice(start, count + shownAfter).map((event, index) => ({
    event,
    isPast: start + index < count,
    isLast: start + index === count - 1,
  }));
  return (
    <ol className="events">
      {shown.reverse().map(({ event, isPast, isLast }) => (
        <li key={`${event.revision}.${event.position}`} className={isPast ? '' : 'later'}>
          <button aria-current={isLast ? 'step' : undefined} onClick={() => onGo(event)}>
            <b>{event.type}</b> <span>{nameOf(event)}</span>
            <span className="soft">
              {event.revision} · {timeText(event.at)}
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}

function nameOf({ subject, body }: HistoryEvent): string {
  const name = body['name'];
  const host = body['host'];
  return `${typeof name === 'string' ? name : subject}${typeof host === 'string' ? ` on ${host}` : ''}`;
}
