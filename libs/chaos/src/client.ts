// A client of the run: attaches and detaches through REST without end, asks again with the same Idempotency-Key what was not
// answered for certain, and writes down what it was told.

import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '@skein/simulation';
import { nowMs } from './clock';
import { bare, type Held, type Ledger } from './ledger';
import { hostIds, networks } from './plan';
import type { Prober } from './prober';
import { isFinal, type Answer, type Asked, type Rest } from './rest';
import type { Sandboxes, Taken } from './sandboxes';

export interface ClientOptions {
  readonly rest: Rest;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly prober: Prober;
  readonly sandboxes: Sandboxes;
  /** Begins the names of its endpoints. */
  readonly id: string;
}

interface Unsettled {
  readonly asked: Asked;
  /** Where it can be seen. */
  readonly look: string;
  settle(answer: Answer): Promise<void> | void;
}

const mostLive = 12;
const giveUpMs = 12_000;
const waitMs = 2_000;
const calmPatienceMs = 3_000;
const filled = 6;

export class Client {
  #count = 0;
  #stopped = false;
  readonly #own: { held: Held; taken: Taken | undefined }[] = [];
  readonly #unsettled: Unsettled[] = [];

  constructor(private readonly options: ClientOptions) {}

  async run(): Promise<void> {
    const { random } = this.options;
    while (!this.#stopped) {
      const live = this.#own.filter(({ held }) => held.detachSentAt === undefined);
      if (live.length >= mostLive || (live.length > 2 && random.chance(0.45))) {
        await this.#detach(random.pick(live));
      } else await this.#attach();
      await delay(20 + random.int(100));
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** What nobody knew the outcome of is asked again, and else looked for. To be called in calm. */
  async settle(): Promise<void> {
    const { rest, ledger } = this.options;
    for (const { asked, look, settle } of this.#unsettled.splice(0)) {
      const { answer } = await this.#certain(asked, calmPatienceMs);
      if (isFinal(answer)) {
        await settle(answer);
        continue;
      }
      // A claim whose gateway died stays unknown; what it did or did not do can be seen.
      const seen = await rest.ask({ method: 'GET', path: look });
      if (seen.status === 404) ledger.count('attach known later: not done');
      else if (seen.status === 200) ledger.count('attach known later: done');
      else ledger.violations.push(`${look}: ${seen.code} in calm`);
    }
  }

  /** Attaches some, so that somebody lives when all ping each other. To be called in calm. */
  async fill(): Promise<void> {
    for (let made = 0; made < filled; made += 1) await this.#attach();
  }

  async #attach(): Promise<void> {
    const { ledger, random, id, sandboxes } = this.options;
    this.#count += 1;
    const name = `${id}-${this.#count}`;
    const network = random.pick(networks).name;
    const host = random.pick(hostIds);
    const taken = random.chance(0.6) ? sandboxes.take(host, random) : undefined;
    const body = {
      host,
      name,
      ...(random.chance(0.15) ? { aliases: [`also-${name}`] } : {}),
      ...(taken === undefined ? {} : { sandbox: { netns: taken.netns } }),
    };
    const asked = { method: 'POST', path: endpointsOf(network), body, key: name } as const;
    const sentAt = nowMs();
    const { answer, tries } = await this.#certain(asked, giveUpMs);
    if (answer.status === 201) {
      await this.#attached(answer, { network, taken, sentAt });
      return;
    }
    ledger.count(`attach ${isFinal(answer) ? 'refused' : 'unknown'}: ${answer.code}`, network);
    if (answer.code === 'endpoint_name_taken')
      ledger.violations.push(`the attach of ${name} took effect behind its key (try ${tries})`);
    if (isFinal(answer)) {
      if (taken !== undefined) await this.#giveBack(taken);
      return;
    }
    ledger.undecided.add(`${network}/${name}`);
    // The sandbox stays taken: the endpoint may yet be plugged into it.
    this.#unsettled.push({
      asked,
      look: `/v1/networks/${network}/endpoints/${name}`,
      settle: async (later) => {
        if (later.status !== 201) return;
        ledger.count('attach known later');
        ledger.undecided.delete(`${network}/${name}`);
        await this.#attached(later, { network, taken, sentAt });
      },
    });
  }

  async #attached(
    { body }: Answer,
    { network, taken, sentAt }: { network: string; taken: Taken | undefined; sentAt: number },
  ): Promise<void> {
    const { ledger, prober, sandboxes } = this.options;
    const { id, networkId, addresses, name, host, behind, faults = [] } = body;
    const answeredAt = nowMs();
    // Its host may have started anew since it was asked: then nothing can be plugged in, and whoever asked takes it back.
    const isThere = taken !== undefined && sandboxes.has(taken);
    const sandbox = isThere ? taken.name : undefined;
    const told = { id, networkId, network, name, host, addresses, sandbox, sentAt, answeredAt };
    const isUsable = (faults as { endpointId: string }[]).every((one) => one.endpointId !== id);
    const held = ledger.attached(told, behind, isUsable, hostIds);
    ledger.count('attach ok');
    if (behind.length > 0) ledger.count('attach ok, somebody behind');
    const own = { held, taken };
    this.#own.push(own);
    if (taken === undefined) return;
    if (!isThere) {
      ledger.count('attach into a sandbox that was gone');
      await this.#detach(own);
      return;
    }
    const holding = { endpoint: id, network, host, addresses: addresses.map(bare) };
    prober.hold(taken.name, holding);
  }

  async #detach({ held, taken }: { held: Held; taken: Taken | undefined }): Promise<void> {
    const { ledger, prober, random } = this.options;
    held.detachSentAt = nowMs();
    if (taken !== undefined && this.#isItsOwn(held, taken)) prober.release(taken.name);
    const diesFirst = taken !== undefined && random.chance(0.15);
    if (diesFirst) await this.#giveBack(taken, true);
    const path = `${endpointsOf(held.networkId, held.id)}`;
    const asked = { method: 'DELETE', path } as const;
    const { answer, tries } = await this.#certain(asked, giveUpMs);
    if (isFinal(answer)) this.#detached(held, answer, tries);
    else {
      ledger.count(`detach unknown: ${answer.code}`);
      ledger.undecided.add(`${held.network}/${held.name}`);
      this.#unsettled.push({
        asked,
        look: path,
        settle: (later) => {
          ledger.undecided.delete(`${held.network}/${held.name}`);
          this.#detached(held, later, 2);
        },
      });
    }
    if (taken !== undefined && !diesFirst) await this.#giveBack(taken);
  }

  #detached(held: Held, answer: Answer, tries: number): void {
    const { ledger } = this.options;
    if (answer.status === 200) {
      held.isGone = true;
      ledger.count('detach ok');
      return;
    }
    ledger.count(`detach refused: ${answer.code}`);
    if (answer.code !== 'endpoint_not_found') return;
    held.isGone = true;
    if (tries === 1 && !ledger.mayBeGone(held, nowMs()))
      ledger.violations.push(`${held.name} was acknowledged, not detached, and was not there`);
  }

  /** The prober's word for a sandbox may be another endpoint's by now. */
  #isItsOwn(held: Held, taken: Taken): boolean {
    const latest = this.options.ledger.held.findLast(({ sandbox }) => sandbox === taken.name);
    return latest === held;
  }

  async #giveBack(taken: Taken, anew = this.options.random.chance(0.25)): Promise<void> {
    await this.options.sandboxes.giveBack(taken, anew);
  }

  /** Asks until the answer is final or patience ends. */
  async #certain(asked: Asked, patienceMs: number): Promise<{ answer: Answer; tries: number }> {
    const until = nowMs() + patienceMs;
    for (let tries = 1; ; tries += 1) {
      const answer = await this.options.rest.ask(asked);
      if (isFinal(answer) || nowMs() > until) return { answer, tries };
      this.options.ledger.count(`asked again after ${answer.code}`);
      await delay(150 + this.options.random.int(150));
    }
  }
}

const endpointsOf = (network: string, endpoint?: string): string =>
  `/v1/networks/${network}/endpoints${endpoint === undefined ? '' : `/${endpoint}`}?wait=${waitMs}`;
