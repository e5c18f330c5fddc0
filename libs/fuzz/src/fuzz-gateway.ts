// A run: lanes of requests at once for as long as asked, raw bytes and stuck readers beside them, every answer judged. It knows a
// gateway by its address alone; who started it and what becomes of it is others' matter.

import { setTimeout as delay } from 'node:timers/promises';
import { Arbitraries } from './arbitrary';
import { curlOf } from './curl';
import { operationAt, type Operation } from './document';
import { Findings, type Finding } from './findings';
import { isSpared } from './guard';
import { HttpClient, type HttpAnswer, type NoAnswer } from './http-client';
import { Memory } from './memory';
import { faultOf } from './oracle';
import { Planner, type FuzzRequest } from './plan';
import {
  rawCases,
  rawFaultOf,
  stuckReaders,
  tryRaw,
  unendingCases,
  type RawCase,
} from './raw-cases';
import { otherFault, repetition, repetitionFault } from './repeated';
import type { ReadyTarget } from './target';

export interface FuzzOptions {
  readonly target: ReadyTarget;
  readonly seconds: number;
  readonly seed: number;
  /** Codes that docs/errors.md explains. */
  readonly explained: ReadonlySet<string>;
  /** How long the gateway waits for the rest of a request, at most; undefined: that is not looked at. */
  readonly unendingMs?: number | undefined;
  /** True: nobody but the gateway is there, and what the others would say may be missing. */
  readonly isAlone?: boolean;
  readonly at?: (done: number, total: number, detail: string) => void;
  readonly signal: AbortSignal;
}

export interface FuzzOutcome {
  readonly requests: number;
  readonly operations: Findings['operations'];
  readonly kinds: Findings['kinds'];
  readonly findings: readonly Finding[];
}

const lanes = 12;
/** One draw in so many is a request that is repeated. */
const repeatedEvery = 25;
/** Events and watches that are opened and never read. */
const readers = 12;
const electionMs = 15_000;
const answerStart = 240;
const aloneGraceMs = 1_000;

export function fuzzGateway(options: FuzzOptions): Promise<FuzzOutcome> {
  return new Run(options).carryOut();
}

class Run {
  readonly #findings = new Findings();
  readonly #memory = new Memory();
  readonly #client: HttpClient;
  readonly #values: Arbitraries;
  readonly #planner: Planner;
  #next = 0;
  #leaderAwayUntil = 0;

  constructor(private readonly options: FuzzOptions) {
    const { target, seed } = options;
    this.#client = new HttpClient(target.url);
    this.#values = new Arbitraries(target.document.definitions);
    this.#planner = new Planner(target.document, this.#values, seed, target.tokens, this.#memory);
  }

  async carryOut(): Promise<FuzzOutcome> {
    const { target, seconds, signal, at } = this.options;
    const from = performance.now();
    const isOver = (): boolean => signal.aborted || performance.now() - from > seconds * 1_000;
    const ticking = setInterval(() => {
      const { requests, faults } = this.#findings;
      const done = Math.min(seconds * 1_000, performance.now() - from);
      at?.(done, seconds * 1_000, `${requests} requests, ${faults.length} unexpected`);
    }, 500);
    const letGo = stuckReaders(target.url, target.tokens.viewer, readers);
    try {
      const { admin } = target.tokens;
      const { unendingMs } = this.options;
      // For whoever is not there the gateway waits long; that is not waited for.
      const limitMs = seconds * 1_000 + aloneGraceMs;
      const unending = unendingMs === undefined ? [] : unendingCases(admin, unendingMs);
      const working = Promise.all([
        ...Array.from({ length: lanes }, () => this.#lane(isOver)),
        this.#rawLane(rawCases(admin), isOver),
        ...unending.map((each) => this.#raw(each)),
      ]);
      await (this.options.isAlone === true ? Promise.race([working, delay(limitMs)]) : working);
    } finally {
      clearInterval(ticking);
      letGo();
      this.#client.close();
    }
    signal.throwIfAborted();
    const { requests, operations, kinds, faults: findings } = this.#findings;
    return { requests, operations, kinds, findings };
  }

  async #lane(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const index = this.#next;
      this.#next += 1;
      if (index % repeatedEvery === repeatedEvery - 1) await this.#repeat(index);
      else await this.#ask(this.#planner.request(index), index);
    }
  }

  /** All of them once, and again as long as there is time. */
  async #rawLane(cases: readonly RawCase[], isOver: () => boolean): Promise<void> {
    do {
      for (const each of cases) await this.#raw(each);
      await delay(1_000);
    } while (!isOver());
  }

  async #raw(each: RawCase): Promise<void> {
    const { url } = this.options.target;
    const outcome = await tryRaw(url, each);
    const status = /^HTTP\/1\.1 (\d{3})/.exec(outcome.text)?.[1] ?? 'closed';
    this.#findings.count('(raw)', status, 'raw');
    const fault = rawFaultOf(each, outcome);
    if (fault === undefined) return;
    const { hostname, port } = new URL(url);
    this.#findings.add({
      operation: '(raw)',
      kind: each.name,
      fault: `${each.name}: ${fault}`,
      index: -1,
      curl: `printf %b ${JSON.stringify(escaped(each.pieces.join('')))} | nc ${hostname} ${port}`,
      answer: outcome.text.slice(0, answerStart),
    });
  }

  async #repeat(index: number): Promise<void> {
    const { document, tokens } = this.options.target;
    const repeated = repetition(document, this.#values, this.options.seed, index, tokens.admin);
    const { first, times, other } = repeated;
    if (this.#isSpared(first) || this.#isSpared(other)) return;
    const atOnce = Array.from({ length: times }, () => this.#ask(first, index));
    const answers = [...(await Promise.all(atOnce)), await this.#ask(first, index)];
    const last = await this.#ask(other, index);
    const fault = repetitionFault(answers) ?? otherFault(repeated, answers, last);
    if (fault === undefined) return;
    const told = answers.map((each) => ('failure' in each ? each.failure : each.body.slice(0, 80)));
    const id = operationAt(document, first.method, first.path)?.id ?? '';
    this.#report(first, id, { fault, index, answer: told.join(' | ') });
  }

  async #ask(request: FuzzRequest, index: number): Promise<HttpAnswer | NoAnswer> {
    const { target, explained, isAlone = false } = this.options;
    if (this.#isSpared(request)) return { failure: 'broken', reason: 'spared', ms: 0 };
    const operation = operationAt(target.document, request.method, request.path);
    if (operation?.id === 'transferLeadership')
      this.#leaderAwayUntil = performance.now() + electionMs;
    const answer = await this.#client.send(request);
    const id = operation?.id ?? '(none)';
    const status = 'failure' in answer ? answer.failure : String(answer.status);
    this.#findings.count(id, status, request.kind);
    this.#remember(operation, answer);
    const isLeaderAway = isAlone || performance.now() < this.#leaderAwayUntil;
    const fault = faultOf(request, operation, answer, { explained, isLeaderAway });
    if (fault !== undefined) {
      const text = 'failure' in answer ? answer.reason : answer.body.slice(0, answerStart);
      this.#report(request, id, { fault, index, answer: text });
    }
    return answer;
  }

  #isSpared(request: FuzzRequest): boolean {
    return isSpared(request, { tokens: this.options.target.tokenIds });
  }

  #report(
    request: FuzzRequest,
    operation: string,
    found: Pick<Finding, 'fault' | 'index' | 'answer'>,
  ): void {
    const curl = curlOf(this.options.target.url, request);
    this.#findings.add({ operation, kind: request.kind, curl, ...found });
  }

  #remember(operation: Operation | undefined, answer: HttpAnswer | NoAnswer): void {
    if ('failure' in answer || answer.status >= 300 || answer.isStream) return;
    this.#memory.keep('etag', answer.headers.etag);
    const isJson = answer.headers['content-type']?.startsWith('application/json') === true;
    if (operation === undefined || !isJson || answer.body === '') return;
    const { id, cursor } = JSON.parse(answer.body) as { id?: unknown; cursor?: unknown };
    this.#memory.keep('cursor', cursor);
    this.#memory.keep('id', id);
  }
}

const escaped = (text: string): string =>
  text.replace(
    /[^\x20-\x7e]|[\\$"`]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
