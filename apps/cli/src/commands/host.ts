// skein host …

import pc from 'picocolors';
import { path, type Json } from '../client/api';
import { fields, time } from '../output/table';
import { confirm, type Session } from '../session';

export async function list({ api, out }: Session) {
  const hosts = await api.list('/v1/hosts', 'hosts');
  out.show({ hosts }, () =>
    out.table(
      ['name', 'state', 'vtep', 'networks', 'endpoints', 'programmed', 'repairs', 'since'],
      hosts.map((each) => [
        each.name,
        stateText(each.state),
        each.vtep,
        each.networks,
        each.endpoints,
        each.programmed,
        each.repairs,
        time(each.since),
      ]),
      'no hosts; each host registers itself when its agent starts',
    ),
  );
}

export async function show({ api, out }: Session, host: string) {
  out.show(await api.get(path`/v1/hosts/${host}`), (found: Json) =>
    fields([
      ['name', found.name],
      ['id', found.id],
      ['state', `${stateText(found.state)} since ${time(found.since)}`],
      ['reason', found.reason],
      ['vtep', found.vtep],
      ['gossip', found.gossip],
      ['underlay mtu', found.underlayMtu],
      ['boot', `${found.bootId}, the ${found.epoch}. known`],
      ['networks', found.networks],
      ['endpoints', found.endpoints],
      ['programmed', found.programmed],
      ['repairs', found.repairs],
      ['revision', found.revision],
    ]),
  );
}

export async function remove({ api, out }: Session, host: string, options: { yes?: boolean }) {
  const question = `Remove host ${host} and release all that it holds?`;
  if (!(await confirm(question, options.yes ?? false))) return;
  const gone = await api.delete(path`/v1/hosts/${host}`);
  out.show(gone, () => `removed ${host}, ${gone.releasedEndpoints} endpoints released`);
}

export async function networks({ api, out }: Session, host: string) {
  const found = await api.get(path`/v1/hosts/${host}/networks`);
  out.show(found, () => {
    const rows = found.networks.map((each: Json) => [each.name, each.id, each.vni, each.endpoints]);
    const shown = out.table(['name', 'id', 'vni', 'endpoints'], rows, 'takes part in no network');
    return `${shown}\n\nprogrammed revision ${found.programmed} of ${found.revision}`;
  });
}

function stateText(state: string): string {
  return state === 'up' ? pc.green(state) : pc.red(state);
}
