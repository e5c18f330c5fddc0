// Asks actors and agents on behalf of an audit. Whoever does not answer has no part in it, and is named.

import {
  actorBeliefContract,
  actorReloadContract,
  agentStatusContract,
  SkeinError,
  type ParsedRequestOf,
  type ReplyOf,
  type auditContract,
} from '@skein/contracts';
import { Auditor, type KernelBelief } from '@skein/audit';
import type { Logger, Messenger, RequestContext } from '@skein/messaging';
import type { Store } from '@skein/store-client';
import { systemTime } from '@skein/time';
import type { NetworkCatalog } from './network-catalog';

export interface AuditDeskOptions {
  readonly store: Store;
  readonly messenger: Pick<Messenger, 'request'>;
  readonly catalog: NetworkCatalog;
  readonly logger: Logger;
}

const askTimeoutMs = 3_000;
/** As many rows as an agent answers at most: there may be more. */
const mostRows = 5_000;

export class AuditDesk {
  private readonly auditor: Auditor;
  private underWay: Promise<unknown> | null = null;

  constructor(private readonly options: AuditDeskOptions) {
    const { store, messenger, logger } = options;
    this.auditor = new Auditor({
      store,
      time: systemTime,
      logger,
      actors: {
        belief: (network, bucket) =>
          unlessSilent(
            messenger.request(
              actorBeliefContract,
              { network, ...(bucket === undefined ? {} : { bucket }) },
              { instance: network, timeoutMs: askTimeoutMs },
            ),
          ),
        reload: async (network) => {
          const timed = { instance: network, timeoutMs: askTimeoutMs };
          await unlessSilent(messenger.request(actorReloadContract, { network }, timed));
        },
      },
      kernels: {
        belief: async (host, network) => {
          const asked = { network, rows: true };
          const timed = { instance: host, timeoutMs: askTimeoutMs };
          const status = await unlessSilent(messenger.request(agentStatusContract, asked, timed));
          return status === null ? null : kernelBelief(host, network, status);
        },
      },
    });
  }

  /** One at a time: two would only wait for the same answers. */
  async audit(
    { network, ...wish }: ParsedRequestOf<typeof auditContract>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof auditContract>> {
    const found = network === undefined ? null : await this.options.catalog.find(network, context);
    if (this.underWay !== null) {
      throw new SkeinError('overloaded', 'An audit is under way: try again when it has ended');
    }
    const run = this.auditor.audit({ ...wish, networkId: found?.record.id });
    this.underWay = run;
    try {
      return await run;
    } finally {
      this.underWay = null;
    }
  }
}

function kernelBelief(
  host: string,
  network: string,
  { programmed, rows = [] }: ReplyOf<typeof agentStatusContract>,
): KernelBelief {
  const own = rows.filter(({ networkId }) => networkId === network);
  const of = (kind: 'neighbor' | 'fdb'): Map<string, string> =>
    new Map(own.filter((row) => row.kind === kind).map(({ key, value }) => [key, value]));
  const isWhole = rows.length < mostRows;
  return { host, programmed, isWhole, neighbors: of('neighbor'), fdb: of('fdb') };
}

async function unlessSilent<Reply>(asked: Promise<Reply>): Promise<Reply | null> {
  try {
    return await asked;
  } catch (thrown) {
    const { code } = SkeinError.from(thrown);
    if (code === 'unavailable' || code === 'deadline_exceeded') return null;
    throw thrown;
  }
}
