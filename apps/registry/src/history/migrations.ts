// Applies the checked-in migration.sql files in order and keeps Prisma's own `_prisma_migrations` table, so that Prisma's
// command line takes the database for one of its own. Prisma's engine for this is a download that the product does
// without. A migration that was applied and has changed since is refused.

import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';

interface AppliedMigration {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: number | null;
}

const migrationsTable = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "checksum" TEXT NOT NULL,
  "finished_at" DATETIME,
  "migration_name" TEXT NOT NULL,
  "logs" TEXT,
  "rolled_back_at" DATETIME,
  "started_at" DATETIME NOT NULL DEFAULT current_timestamp,
  "applied_steps_count" INTEGER UNSIGNED NOT NULL DEFAULT 0
)`;

/** Upwards from this file, be it in the source tree or in a bundle: the nearest `prisma/migrations`. */
export function findMigrations(from: string = fileURLToPath(import.meta.url)): string {
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const candidate = join(folder, 'prisma', 'migrations');
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) throw new Error(`no prisma/migrations above ${from}`);
  }
}

/** Answers the names of those that were applied now. Throws on a changed or half-applied one; all or nothing each. */
export function applyMigrations(databasePath: string, migrationsPath: string): string[] {
  const database = new Database(databasePath);
  try {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = NORMAL');
    database.exec(migrationsTable);
    const applied = readApplied(database);
    return migrationNames(migrationsPath).filter((name) => {
      const sql = readFileSync(join(migrationsPath, name, 'migration.sql'));
      return applyOne(database, { name, sql, known: applied.get(name) });
    });
  } finally {
    database.close();
  }
}

function migrationNames(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

function readApplied(database: Database.Database): Map<string, AppliedMigration> {
  const rows = database
    .prepare<[], AppliedMigration>(
      `SELECT "migration_name", "checksum", "finished_at" FROM "_prisma_migrations"
       WHERE "rolled_back_at" IS NULL`,
    )
    .all();
  return new Map(rows.map((row) => [row.migration_name, row]));
}

function applyOne(
  database: Database.Database,
  migration: { name: string; sql: Buffer; known: AppliedMigration | undefined },
): boolean {
  const { name, sql, known } = migration;
  const checksum = createHash('sha256').update(sql).digest('hex');
  if (known !== undefined) {
    if (known.finished_at === null) throw new Error(`migration ${name} was applied by half`);
    if (known.checksum !== checksum)
      throw new Error(`migration ${name} was changed after it was applied`);
    return false;
  }
  const note = database.prepare(
    `INSERT INTO "_prisma_migrations"
       ("id", "checksum", "migration_name", "started_at", "finished_at", "applied_steps_count")
     VALUES (?, ?, ?, ?, ?, 1)`,
  );
  database.transaction(() => {
    const startedAt = Date.now();
    database.exec(sql.toString('utf8'));
    note.run(randomUUID(), checksum, name, startedAt, Date.now());
  })();
  return true;
}
