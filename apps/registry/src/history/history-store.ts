// The readable history in SQLite. Reads are Prisma's queries. A batch is one transaction of prepared statements on a connection
// of its own: every address that anyone gets becomes a row here, and through Prisma one costs four times as much.

import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import type { HistoryEvent, Holding } from '@skein/contracts';
import Database from 'better-sqlite3';
import { PrismaClient } from '../generated/client';
import type { Closed, HoldingKey, OpenHolding, Opened } from './address-ledger';
import { applyMigrations, findMigrations } from './migrations';

export interface HistoryBatch {
  /** Last revision that the batch covers. */
  readonly through: number;
  readonly opened: readonly (Opened & { readonly network: string })[];
  readonly closed: readonly Closed[];
  /** Addresses whose holders' names were not known when they began. */
  readonly named: readonly Named[];
  readonly events: readonly HistoryEvent[];
}

export interface Named extends Omit<HoldingKey, 'sinceRevision'> {
  readonly endpointId: string;
  readonly name: string;
}

export interface HoldingQuery {
  readonly sortable: string;
  readonly networkId?: string | undefined;
}

export class HistoryStore {
  readonly #prisma: PrismaClient;
  readonly #writing: BatchWriting;

  private constructor(prisma: PrismaClient, writing: BatchWriting) {
    this.#prisma = prisma;
    this.#writing = writing;
  }

  /** Makes the database, or brings it up to date. Throws if its migrations don't fit. */
  static open(path: string, migrations: string = findMigrations()): HistoryStore {
    applyMigrations(path, migrations);
    const adapter = new PrismaBetterSqlite3({ url: `file:${path}` });
    return new HistoryStore(new PrismaClient({ adapter }), new BatchWriting(path));
  }

  async close(): Promise<void> {
    this.#writing.close();
    await this.#prisma.$disconnect();
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
  write(batch: HistoryBatch): void {
    this.#writing.write(batch);
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
}

/** Of one address, in one answer. */
const maxHoldings = 1_000;

const insertHolding = `
  INSERT OR IGNORE INTO "Holding" ("networkId", "sortable", "sinceRevision", "address", "network", "kind",
    "endpointId", "endpointName", "host", "request", "since")
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const closeHolding = `
  UPDATE "Holding" SET "until" = ?, "untilRevision" = ?
  WHERE "networkId" = ? AND "sortable" = ? AND "sinceRevision" = ?`;
const nameHoldings = `
  UPDATE "Holding" SET "endpointName" = ?
  WHERE "networkId" = ? AND "sortable" = ? AND "endpointId" = ?`;
const insertEvent = `
  INSERT OR IGNORE INTO "HistoryEvent" ("revision", "position", "at", "type", "subject", "body")
  VALUES (?, ?, ?, ?, ?, ?)`;
const setProgress = `
  INSERT INTO "Progress" ("id", "revision") VALUES (1, ?)
  ON CONFLICT ("id") DO UPDATE SET "revision" = max("revision", excluded."revision")`;

class BatchWriting {
  readonly #database: Database.Database;
  readonly write: (batch: HistoryBatch) => void;

  constructor(path: string) {
    const database = new Database(path);
    database.pragma('synchronous = NORMAL');
    const open = database.prepare(insertHolding);
    const end = database.prepare(closeHolding);
    const name = database.prepare(nameHoldings);
    const tell = database.prepare(insertEvent);
    const progress = database.prepare(setProgress);
    this.#database = database;
    this.write = database.transaction((batch: HistoryBatch) => {
      for (const row of batch.opened) open.run(valuesOf(row));
      for (const { until, untilRevision, networkId, sortable, sinceRevision } of batch.closed) {
        end.run(until, untilRevision, networkId, sortable, sinceRevision);
      }
      for (const row of batch.named)
        name.run(row.name, row.networkId, row.sortable, row.endpointId);
      for (const { revision, position, at, type, subject, body } of batch.events) {
        tell.run(revision, position, at, type, subject, JSON.stringify(body));
      }
      progress.run(batch.through);
    });
  }

  close(): void {
    this.#database.close();
  }
}

function valuesOf(row: HistoryBatch['opened'][number]): unknown[] {
  const { networkId, sortable, sinceRevision, address, network, kind } = row;
  const place = [networkId, sortable, sinceRevision, address, network, kind];
  return [...place, row.endpointId, row.endpointName, row.host, row.request, row.since];
}
