// Networks that an engine is told of: made for hosts that may, described for everybody.

import { describe, expect, it } from '@jest/globals';
import { SkeinError } from '@skein/contracts';
import { context } from '../testing/world';
import { Enrolments, type EnrolmentsOptions } from './enrolments';

const host = { id: 'h1', labels: {} };
const web = {
  ...{ id: 'n1', name: 'web', attachable: true, labels: {}, revision: 7 },
  subnets: [{ cidr: '10.9.0.0/24', gateway: '10.9.0.1', reserved: {} }],
};
const declaration = { host: 'h1', network: { name: 'web', subnets: [{ cidr: '10.9.0.0/24' }] } };

function enrolments(isThere: boolean): { made: unknown[]; declare: () => Promise<unknown> } {
  const made: unknown[] = [];
  const view = {
    findHost: async () => host,
    network: () => (isThere ? web : undefined),
    findNetwork: async () => web,
    demandReached: async () => undefined,
  };
  const messenger = {
    request: async (_: unknown, spec: unknown) => {
      if (isThere) throw new SkeinError('network_name_taken', 'taken');
      made.push(spec);
      return { network: web, revision: 8 };
    },
  };
  const desk = new Enrolments({
    view: view as unknown as EnrolmentsOptions['view'],
    messenger: messenger as unknown as EnrolmentsOptions['messenger'],
    demandDeclares: async () => {
      throw new SkeinError('forbidden', 'may not');
    },
  });
  const request = declaration as unknown as Parameters<Enrolments['declare']>[0];
  return { made, declare: () => desk.declare(request, context()) };
}

describe('a network that an engine declares', () => {
  it('is not made for a host that may not', async () => {
    const { made, declare } = enrolments(false);
    await expect(declare()).rejects.toMatchObject({ code: 'forbidden' });
    expect(made).toEqual([]);
  });

  it('is described to any host where it is there', async () => {
    const { declare } = enrolments(true);
    expect(await declare()).toMatchObject({ network: { id: 'n1', name: 'web' } });
  });
});
