// What passes between hosts, asked of those that are up when somebody wants to know it, and of nobody else.

import { agentTrafficContract, type Traffic } from '@skein/contracts';
import type { Messenger, RequestContext } from '@skein/messaging';
import type { Time } from '@skein/time';
import type { CommittedView } from '../state/committed-view';

export interface TrafficDeskOptions {
  readonly view: CommittedView;
  readonly messenger: Pick<Messenger, 'request'>;
  readonly time: Pick<Time, 'monotonicMs'>;
}

/** Who has not answered by then is told as silent. */
const agentTimeoutMs = 1_500;

export class TrafficDesk {
  readonly #options: TrafficDeskOptions;

  constructor(options: TrafficDeskOptions) {
    this.#options = options;
  }

  async traffic({ requestId }: RequestContext): Promise<Traffic> {
    const { state, revision } = this.#options.view;
    const asked = [...state.hosts()].filter(
      (host) => host.state === 'up' && state.networksOf(host.id).size > 0,
    );
    const silent: string[] = [];
    const ways = await Promise.all(
      asked.map(async ({ id }) => {
        const found = await this.#ask(id, requestId).catch(() => null);
        if (found === null) silent.push(id);
        return found ?? [];
      }),
    );
    return { revision, silent: silent.sort(), ways: ways.flat() };
  }

  async #ask(to: string, requestId: string): Promise<Traffic['ways']> {
    const { messenger, time } = this.#options;
    const options = { instance: to, timeoutMs: agentTimeoutMs, requestId };
    const { from } = await messenger.request(agentTrafficContract, {}, options);
    const at = time.monotonicMs();
    return from.map(({ host, ...counted }) => ({ from: host, to, at, ...counted }));
  }
}
