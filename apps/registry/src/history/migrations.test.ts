// The migrations runner on databases of its own.

import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { applyMigrations, findMigrations } from './migrations';

let folder: string;
let database: string;
let migrations: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skein-migrations-'));
  database = join(folder, 'history.db');
  migrations = join(folder, 'migrations');
  cpSync(findMigrations(), migrations, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function tables(): string[] {
  const opened = new Database(database, { readonly: true });
  const rows = opened
    .prepare<[], { name: string }>(`SELECT name FROM sqlite_master WHERE type = 'table'`)
    .all();
  opened.close();
  return rows.map((row) => row.name).sort();
}

describe('migrations runner', () => {
  it('makes the tables of the schema', () => {
    expect(applyMigrations(database, migrations)).toEqual([
      '20261122000000_init',
      '20261130000000_holdings_by_address',
    ]);
    expect(tables()).toEqual(['HistoryEvent', 'Holding', 'Progress', '_prisma_migrations']);
  });

  it('applies each once', () => {
    applyMigrations(database, migrations);
    expect(applyMigrations(database, migrations)).toEqual([]);
  });

  it('applies what was added later', () => {
    applyMigrations(database, migrations);
    mkdirSync(join(migrations, '20270101000000_more'));
    writeFileSync(
      join(migrations, '20270101000000_more', 'migration.sql'),
      'CREATE TABLE "More" ("id" INTEGER);',
    );
    expect(applyMigrations(database, migrations)).toEqual(['20270101000000_more']);
    expect(tables()).toContain('More');
  });

  it('refuses one that changed after it was applied', () => {
    applyMigrations(database, migrations);
    appendFileSync(join(migrations, '20261122000000_init', 'migration.sql'), '-- changed\n');
    expect(() => applyMigrations(database, migrations)).toThrow(/was changed after/);
  });

  it('leaves nothing of one that fails', () => {
    mkdirSync(join(migrations, '20270101000000_broken'));
    const sql = 'CREATE TABLE "Half" ("id" INTEGER); SELECT no_such_function();';
    writeFileSync(join(migrations, '20270101000000_broken', 'migration.sql'), sql);
    expect(() => applyMigrations(database, migrations)).toThrow();
    expect(tables()).not.toContain('Half');
    expect(tables()).toContain('Holding');
  });
});
