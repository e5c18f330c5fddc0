// What the door knows besides the networks: which of the engine's networks stands for which, and the endpoints held for it. An engine
// tells some of it only once, so it is kept over restarts; where the engine's word and the book differ, reconciling decides.

import type { ErrorCode } from '@skein/contracts';
import { z } from 'zod';

/** A network object of the engine, and the network that it stands for. */
const bindingSchema = z.object({
  network: z.string(),
  /** Its addresses are chosen by another driver: each is claimed when an endpoint is made with it. */
  claims: z.boolean(),
});
export type Binding = z.output<typeof bindingSchema>;

const holdSchema = z.object({
  /** Id of the endpoint at the registry, of the door's choice. */
  id: z.string(),
  network: z.string(),
  mac: z.string(),
  /** With prefix length; empty until the registry has answered. */
  addresses: z.array(z.string()),
  /** The engine's id of the endpoint, once it has been made. */
  engineId: z.string().optional(),
  /** The engine has its address from elsewhere and releases it there: it goes with the endpoint. */
  isClaimed: z.boolean().default(false),
  /** The engine has released the address while the endpoint was there. */
  isReleased: z.boolean().default(false),
  /** The host's kernel had the interface when the registry answered. */
  isPlugged: z.boolean().default(false),
  /** While joined. */
  sandbox: z.string().optional(),
  /** Which of the sandbox' ways to the resolver it has. */
  resolverRoute: z.int().optional(),
});
export type Hold = z.output<typeof holdSchema>;

const savedSchema = z.object({
  version: z.literal(1),
  bindings: z.record(z.string(), bindingSchema),
  holds: z.array(holdSchema),
});

export class Book {
  /** By the engine's id of the network. */
  readonly bindings = new Map<string, Binding>();
  /** By the endpoint's id at the registry. */
  readonly holds = new Map<string, Hold>();

  /** Throws on what is no book. */
  static parse(text: string): Book {
    const saved = savedSchema.parse(JSON.parse(text));
    const book = new Book();
    for (const [id, binding] of Object.entries(saved.bindings)) book.bindings.set(id, binding);
    // What was asked for when the last life ended is found at the registry, if it came to be.
    for (const hold of saved.holds) if (hold.addresses.length > 0) book.holds.set(hold.id, hold);
    return book;
  }

  toText(): string {
    const bindings = Object.fromEntries(this.bindings);
    return JSON.stringify({ version: 1, bindings, holds: [...this.holds.values()] });
  }

  put(hold: Hold): void {
    this.holds.set(hold.id, hold);
  }

  byEngineId(engineId: string): Hold | undefined {
    return this.#find((hold) => hold.engineId === engineId);
  }

  byMac(network: string, mac: string): Hold | undefined {
    return this.#find((hold) => hold.network === network && hold.mac === mac);
  }

  /** `address` without prefix length. */
  byAddress(network: string, address: string): Hold | undefined {
    const holds = (hold: Hold) => hold.addresses.some((text) => text.split('/')[0] === address);
    return this.#find((hold) => hold.network === network && holds(hold));
  }

  inSandbox(sandbox: string): Hold[] {
    return [...this.holds.values()].filter((hold) => hold.sandbox === sandbox);
  }

  #find(fits: (hold: Hold) => boolean): Hold | undefined {
    for (const hold of this.holds.values()) if (fits(hold)) return hold;
    return undefined;
  }
}

/** What the engine is told instead of a reply. */
export interface Refusal {
  readonly kind: 'refuse';
  readonly code: ErrorCode;
  readonly message: string;
}

export function refuse(code: ErrorCode, message: string): Refusal {
  return { kind: 'refuse', code, message };
}
