// The ways between hosts as their agents found them, of hosts that are up. Reads the view and the roster; decides nothing.

import type { ReplyOf, reachabilityContract } from '@skein/contracts';
import type { Roster } from '../hosts/roster';
import type { CommittedView } from '../state/committed-view';

export class ReachabilityMatrix {
  readonly #view: CommittedView;
  readonly #roster: Roster;

  constructor(view: CommittedView, roster: Roster) {
    this.#view = view;
    this.#roster = roster;
  }

  /** A pair counts while both hosts are up and the network is there. */
  pairs(): ReplyOf<typeof reachabilityContract> {
    const { state, revision } = this.#view;
    const hosts = [...state.hosts()]
      .map(({ id, name, state: hostState }) => ({ id, name, state: hostState }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const up = new Set(hosts.filter((host) => host.state === 'up').map(({ id }) => id));
    const pairs = [...up].flatMap((from) =>
      (this.#roster.heard(from)?.reachability ?? []).flatMap(({ host: to, network, ...found }) => {
        const name = state.network(network)?.name;
        return name === undefined || !up.has(to) ? [] : [{ from, to, network: name, ...found }];
      }),
    );
    return { revision, hosts, pairs };
  }
}
