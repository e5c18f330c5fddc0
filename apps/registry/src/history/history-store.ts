// The readable history in SQLite, through Prisma. Reads are Prisma's queries; a batch is written as one transaction of a few
// statements that take their rows as JSON, which costs a tenth of the memory of Prisma's own bulk writes.

import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import type { HistoryEvent, Holding } from '@skein/contracts';
import { PrismaClient, type Prisma } from '../generated/client';
import type { Closed, OpenHolding, Opened } from './address-ledger';
import { applyMigrations, findMigrations } from './migrations';

export interface HistoryBatch {
  /** Last revision that the batch covers. */
  readonly through: number;
  readonly opened: readonly (Opened & { readonly network: string })[];
  readonly closed: readonly Closed[];
  /** Endpoints whose holdings began before their names were known. */
  readonly named: readonly { readonly endpointId: string; readonly name: string }[];
  readonly events: readonly HistoryEvent[];
}

export interface HoldingQuery {
  readonly sortable: string;
  readonly networkId?: string | undefined;
}

export class HistoryStore {
  readonly #prisma: PrismaClient;

  private constructor(prisma: PrismaClient) {
    this.#prisma = prisma;
  }

  /** Makes the database, or brings it up to date. Throws if its migrations don't fit. */
  static open(path: string, migrations: string = findMigrations()): HistoryStore {
    applyMigrations(path, migrations);
    const adapter = new PrismaBetterSqlite3({ url: `file:${path}` });
    return new HistoryStore(new PrismaClient({ adapter }));
  }

  close(): Promise<void> {
    return this.#prisma.$disconnect();
  }

  /** Last revision written down; 0 for none. */
  async progress(): Promise<number> {
    return (await this.#prisma.progress.findUnique({ where: { id: 1 } }))?.revision ?? 0;
  }

  async openHoldings(): Promise<OpenHolding[]> {
    const rows = await this.#prisma.holding.findMany({ where: { untilRevision: null } });
    return rows.map(({ networkId, sortable, sinceRevision, kind, endpointId, endpointName }) => {
      const holder = endpointId ?? endpointName ?? '';
      return { networkId, sortable, sinceRevision, kind, holder };
    });
  }

  /** All of it or nothing; a batch that was written before changes nothing. */
  async write(batch: HistoryBatch): Promise<void> {
    const { through, opened, closed, named, events } = batch;
    const statements: Prisma.PrismaPromise<unknown>[] = [];
    if (opened.length > 0) statements.push(this.#insertHoldings(JSON.stringify(opened)));
    if (closed.length > 0) statements.push(this.#closeHoldings(JSON.stringify(closed)));
    if (named.length > 0) statements.push(this.#nameHoldings(JSON.stringify(named)));
    if (events.length > 0) {
      const rows = events.map((event) => ({ ...event, body: JSON.stringify(event.body) }));
      statements.push(this.#insertEvents(JSON.stringify(rows)));
    }
    statements.push(this.#prisma.$executeRaw`
      INSERT INTO "Progress" ("id", "revision") VALUES (1, ${through})
      ON CONFLICT ("id") DO UPDATE SET "revision" = max("revision", excluded."revision")`);
    await this.#prisma.$transaction(statements);
  }

  /** Every holding of the address, the latest first. */
  async holdings({ sortable, networkId }: HoldingQuery): Promise<Holding[]> {
    const rows = await this.#prisma.holding.findMany({
      where: { sortable, ...(networkId === undefined ? {} : { networkId }) },
      orderBy: { sinceRevision: 'desc' },
      take: maxHoldings,
    });
    return rows.map(({ sortable: _, since, until, untilRevision, ...row }) => ({
      ...row,
      kind: row.kind as Holding['kind'],
      since: Number(since),
      ...(until === null ? {} : { until: Number(until) }),
      ...(untilRevision === null ? {} : { untilRevision }),
    }));
  }

  /** A network that is gone, by its id or the name it had last. */
  async networkIdOf(reference: string): Promise<string | undefined> {
    const row = await this.#prisma.holding.findFirst({
      where: { OR: [{ networkId: reference }, { network: reference }] },
      orderBy: { sinceRevision: 'desc' },
      select: { networkId: true },
    });
    return row?.networkId;
  }

  async events(query: {
    from: number;
    prefix?: string | undefined;
    limit: number;
  }): Promise<HistoryEvent[]> {
    const { from, prefix, limit } = query;
    const rows = await this.#prisma.historyEvent.findMany({
      where: {
        revision: { gte: from },
        ...(prefix === undefined ? {} : { type: { startsWith: prefix } }),
      },
      orderBy: [{ revision: 'asc' }, { position: 'asc' }],
      take: limit,
    });
    return rows.map((row) => ({
      ...row,
      at: Number(row.at),
      body: JSON.parse(row.body) as Record<string, unknown>,
    }));
  }

  #insertHoldings(rows: string): Prisma.PrismaPromise<number> {
    return this.#prisma.$executeRaw`
      INSERT OR IGNORE INTO "Holding" ("networkId", "sortable", "sinceRevision", "address",
        "network", "kind", "endpointId", "endpointName", "host", "request", "since")
      SELECT value ->> 'networkId', value ->> 'sortable', value ->> 'sinceRevision',
        value ->> 'address', value ->> 'network', value ->> 'kind', value ->> 'endpointId',
        value ->> 'endpointName', value ->> 'host', value ->> 'request', value ->> 'since'
      FROM json_each(${rows})`;
  }

  #closeHoldings(rows: string): Prisma.PrismaPromise<number> {
    return this.#prisma.$executeRaw`
      UPDATE "Holding" SET "until" = closed.value ->> 'until',
        "untilRevision" = closed.value ->> 'untilRevision'
      FROM json_each(${rows}) AS closed
      WHERE "networkId" = closed.value ->> 'networkId' AND "sortable" = closed.value ->> 'sortable'
        AND "sinceRevision" = closed.value ->> 'sinceRevision'`;
  }

  #nameHoldings(rows: string): Prisma.PrismaPromise<number> {
    return this.#prisma.$executeRaw`
      UPDATE "Holding" SET "endpointName" = named.value ->> 'name'
      FROM json_each(${rows}) AS named
      WHERE "endpointId" = named.value ->> 'endpointId'`;
  }

  #insertEvents(rows: string): Prisma.PrismaPromise<number> {
    return this.#prisma.$executeRaw`
      INSERT OR IGNORE INTO "HistoryEvent"
        ("revision", "position", "at", "type", "subject", "body")
      SELECT value ->> 'revision', value ->> 'position', value ->> 'at', value ->> 'type',
        value ->> 'subject', value ->> 'body'
      FROM json_each(${rows})`;
  }
}

/** Of one address, in one answer. */
const maxHoldings = 1_000;
