// skein service …: names that stand for several endpoints of a network.

import { path, type Json } from '../client/api';
import { fields, time } from '../output/table';
import { demandConsent, type Session } from '../session';

export async function list({ api, out }: Session, network: string) {
  const services = await api.list(path`/v1/networks/${network}/services`, 'services');
  out.show({ services }, () =>
    out.table(
      ['service', 'live', 'suspended', 'backends', 'declared'],
      services.map((each) => [
        each.name,
        each.live,
        each.suspended,
        each.backends.map(({ name }: Json) => name).join(', '),
        time(each.declared?.at),
      ]),
      'no services; `skein attach … --service <name>` makes one',
    ),
  );
}

export async function show({ api, out }: Session, network: string, service: string) {
  const found = await api.get(path`/v1/networks/${network}/services/${service}`);
  out.show(found, () => {
    const facts = fields([
      ['service', found.name],
      ['network', found.network],
      ['live', found.live],
      ['suspended', found.suspended],
      ['declared', found.declared && `${time(found.declared.at)} by ${found.declared.request}`],
      ['revision', found.revision],
    ]);
    const backends = out.table(
      ['backend', 'host', 'addresses', 'state'],
      found.backends.map((each: Json) => [
        each.name,
        each.host,
        each.addresses.join(', '),
        each.state,
      ]),
      'no backends',
    );
    return `${facts}\n\n${backends}`;
  });
}

export async function declare(
  { api, out }: Session,
  network: string,
  name: string,
  { label }: { label?: Record<string, string> },
) {
  const body = { name, ...(label === undefined ? {} : { labels: label }) };
  const made = await api.post(path`/v1/networks/${network}/services`, body);
  out.show(made, () => `${name} is declared at revision ${made.revision}`);
}

export async function withdraw(
  { api, out }: Session,
  network: string,
  service: string,
  { yes = false }: { yes?: boolean },
) {
  if (!(await demandConsent(`Withdraw service ${service} of ${network}?`, yes))) return;
  const gone = await api.delete(path`/v1/networks/${network}/services/${service}`);
  out.show(gone, () => `${service} is withdrawn at revision ${gone.revision}`);
}
