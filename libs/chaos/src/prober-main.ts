// Runs inside the world: one UDP socket in each sandbox, from which every sandbox asks every other of its network, again and
// again. Holds all ends of all conversations in one process, and so sees who a datagram really reached. Judges nothing.

import type { RemoteInfo, Socket } from 'node:dgram';
import { createInterface } from 'node:readline';
import { nowMs } from './clock';
import type { Holding, Outcome, Probe, ProbeOrder, ProbeReport } from './probe-protocol';
import { udpSocketIn } from './sockets';

const port = 4_900;
const periodMs = 300;
const answerLimitMs = 4_000;
const sweepMs = 250;

interface Sandbox {
  readonly name: string;
  readonly socket: Socket;
  holding: Holding | null;
}

interface Question {
  readonly from: string;
  readonly to: Holding;
  readonly sandbox: string;
  readonly address: string;
  readonly sentAt: number;
  /** Sandbox that the question reached. */
  reached?: string;
  answers: number;
  /** Seen unanswered after its time once: the sockets are read once more before it counts. */
  isLate: boolean;
  readonly done?: (outcome: Outcome) => void;
}

class Prober {
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #questions = new Map<number, Question>();
  /** Who was last said to hold an address, by `network address`. */
  readonly #holders = new Map<string, { sandbox: string; endpoint: string; since: number }>();
  #probes: Probe[] = [];
  #next = 1;

  constructor(private readonly tell: (report: ProbeReport) => void) {
    setInterval(() => this.#askAll(), periodMs);
    setInterval(() => this.#sweep(), sweepMs);
  }

  async order(order: ProbeOrder): Promise<void> {
    const sandbox = 'sandbox' in order ? this.#sandboxes.get(order.sandbox) : undefined;
    switch (order.do) {
      case 'open':
        return this.#open(order.sandbox, order.netns);
      case 'close':
        this.#release(sandbox);
        this.#sandboxes.delete(order.sandbox);
        sandbox?.socket.close();
        return;
      case 'hold':
        return this.#hold(sandbox, order.holding);
      case 'release':
        return this.#release(sandbox);
      case 'round':
        return this.#round(order.patienceMs);
    }
  }

  async #open(name: string, netns: string): Promise<void> {
    try {
      const socket = await udpSocketIn(netns, port);
      const sandbox: Sandbox = { name, socket, holding: null };
      socket.on('message', (message, from) => this.#hear(sandbox, message, from));
      socket.on('error', () => undefined);
      this.#sandboxes.set(name, sandbox);
      this.tell({ tell: 'opened', sandbox: name });
    } catch (thrown) {
      this.tell({ tell: 'opened', sandbox: name, fault: String(thrown) });
    }
  }

  #hold(sandbox: Sandbox | undefined, holding: Holding): void {
    if (sandbox === undefined) return;
    this.#release(sandbox);
    sandbox.holding = holding;
    for (const address of holding.addresses) {
      const holder = { sandbox: sandbox.name, endpoint: holding.endpoint, since: nowMs() };
      this.#holders.set(`${holding.network} ${address}`, holder);
    }
  }

  #release(sandbox: Sandbox | undefined): void {
    if (!sandbox?.holding) return;
    const { network, addresses, endpoint } = sandbox.holding;
    for (const address of addresses) {
      const key = `${network} ${address}`;
      if (this.#holders.get(key)?.endpoint === endpoint) this.#holders.delete(key);
    }
    sandbox.holding = null;
  }

  *#pairs(): Generator<{ from: Sandbox; own: Holding; to: Sandbox; other: Holding }> {
    for (const from of this.#sandboxes.values()) {
      if (from.holding === null) continue;
      for (const to of this.#sandboxes.values()) {
        if (to === from || to.holding?.network !== from.holding.network) continue;
        yield { from, own: from.holding, to, other: to.holding };
      }
    }
  }

  #askAll(): void {
    for (const { from, own, to, other } of this.#pairs()) {
      const address = other.addresses[this.#next % other.addresses.length] as string;
      this.#ask(from, own, to, other, address);
    }
  }

  #ask(
    from: Sandbox,
    own: Holding,
    to: Sandbox,
    other: Holding,
    address: string,
    done?: (outcome: Outcome) => void,
  ): void {
    const id = this.#next++;
    const question: Question = {
      from: own.endpoint,
      to: other,
      sandbox: to.name,
      address,
      sentAt: nowMs(),
      answers: 0,
      isLate: false,
      ...(done === undefined ? {} : { done }),
    };
    this.#questions.set(id, question);
    const text = `? ${id} ${own.network} ${own.endpoint} ${from.name}`;
    from.socket.send(text, port, address.includes(':') ? address : `::ffff:${address}`, (error) => {
      if (error !== null) this.#end(id, 'unsent');
    });
  }

  #hear(at: Sandbox, message: Buffer, { address }: RemoteInfo): void {
    const [kind, idText, network = '', endpoint = '', speaker = ''] = message.toString().split(' ');
    const id = Number(idText);
    const question = this.#questions.get(id);
    if (kind === '?') {
      if (question !== undefined) {
        question.reached = at.name;
        const said = { network, endpoint, speaker, sentAt: question.sentAt };
        this.#checkSpeaker(at, said, bare(address));
      }
      at.socket.send(`! ${id}`, port, address, () => undefined);
      return;
    }
    if (question === undefined) return;
    question.answers += 1;
    const { reached, sandbox, answers } = question;
    if (answers > 1) this.#end(id, 'twice');
    else if (reached !== sandbox) this.#end(id, 'other', reached);
    // Kept until it is swept: a second answer would still be seen.
    else question.done?.('answered');
  }

  #checkSpeaker(
    at: Sandbox,
    said: { network: string; endpoint: string; speaker: string; sentAt: number },
    address: string,
  ): void {
    const { network, endpoint, speaker, sentAt } = said;
    const holder = this.#holders.get(`${network} ${address}`);
    if (holder === undefined || holder.sandbox === speaker || at.holding === null) return;
    // Said before the other held it, and read only now.
    if (sentAt <= holder.since) return;
    this.tell({
      tell: 'impostor',
      address,
      speaker: endpoint,
      holder: holder.endpoint,
      heardBy: at.holding.endpoint,
      at: nowMs(),
    });
  }

  #end(id: number, outcome: Outcome, by?: string): void {
    const question = this.#questions.get(id);
    if (question === undefined) return;
    this.#questions.delete(id);
    const { from, to, address, sentAt, done } = question;
    if (done !== undefined) done(outcome);
    else {
      const probe = [from, to.endpoint, address, sentAt, outcome] as const;
      this.#probes.push(by === undefined ? probe : [...probe, by]);
    }
  }

  #sweep(): void {
    const now = nowMs();
    for (const [id, question] of this.#questions) {
      if (question.answers > 0) {
        if (now - question.sentAt > sweepMs) this.#end(id, 'answered');
      } else if (now - question.sentAt > answerLimitMs) {
        if (question.isLate) this.#end(id, 'lost');
        question.isLate = true;
      }
    }
    if (this.#probes.length === 0) return;
    this.tell({ tell: 'probes', probes: this.#probes });
    this.#probes = [];
  }

  /** Every address of every pair, asked until it answers or patience ends. */
  async #round(patienceMs: number): Promise<void> {
    const until = nowMs() + patienceMs;
    const asked = [...this.#pairs()].flatMap((pair) =>
      pair.other.addresses.map((address) => this.#insist(pair, address, until)),
    );
    const results = await Promise.all(asked);
    const silent = results.filter((probe) => probe[4] !== 'answered');
    this.tell({ tell: 'round', asked: results.length, silent });
  }

  async #insist(
    { from, own, to, other }: { from: Sandbox; own: Holding; to: Sandbox; other: Holding },
    address: string,
    until: number,
  ): Promise<Probe> {
    for (;;) {
      const sentAt = nowMs();
      const outcome = await new Promise<Outcome>((resolve) => {
        this.#ask(from, own, to, other, address, resolve);
        setTimeout(() => resolve('lost'), 1_500);
      });
      if (outcome === 'answered' || nowMs() > until)
        return [own.endpoint, other.endpoint, address, sentAt, outcome];
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

const bare = (address: string): string => address.replace(/^::ffff:/, '');

/** Serves orders from standard input until it ends. */
export function runProber(): void {
  const prober = new Prober((report) => process.stdout.write(`${JSON.stringify(report)}\n`));
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => void prober.order(JSON.parse(line) as ProbeOrder));
  lines.once('close', () => process.exit(0));
}
