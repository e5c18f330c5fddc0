// Keeps one host's agent up to date: one program request in flight, what is touched meanwhile gathers for the next one. It
// knows what the agent has acknowledged and from which revision on it may be behind. Knows no NATS and no liveness.

import { SkeinError, type ReplyOf, type RequestOf, type programContract } from '@skein/contracts';
import { onBehalfOf, type Logger, type OnBehalfOf } from '@skein/messaging';
import { isUntouched, mergeTouched, nothingTouched, type Touched } from '@skein/share';
import type { Time } from '@skein/time';
import type { CommittedView } from '../state/committed-view';

export type ProgramRequest = RequestOf<typeof programContract>;
export type ProgramReply = ReplyOf<typeof programContract>;
export type Fault = ProgramReply['faults'][number];

/** Sends to the host's agent, and gives its answer or throws. */
/** `onBehalf`: the requests whose effects are told, as far as they are known. */
export type Program = (
  hostId: string,
  request: ProgramRequest,
  onBehalf?: OnBehalfOf,
) => Promise<ProgramReply>;

export interface FeedOptions {
  readonly hostId: string;
  readonly view: Pick<CommittedView, 'revision' | 'state'>;
  readonly program: Program;
  readonly time: Pick<Time, 'after'>;
  readonly logger: Logger;
}

export interface Outcome {
  readonly acked: boolean;
  /** Of all endpoints that this host could not plug in. */
  readonly faults: readonly Fault[];
}

interface Waiting {
  readonly revision: number;
  readonly resolve: (outcome: Outcome) => void;
}

interface Sent {
  readonly request: ProgramRequest;
  readonly touched: Touched;
  /** First revision whose changes it carries. */
  readonly since: number;
}

interface Programmed {
  readonly revision: number;
  readonly digest: string;
}

export const retryMs = { from: 100, to: 2_000 } as const;
/** Pushes after which it is forgotten what was told. */
const maxTold = 256;
/** Of a push, those whose wanters are looked up. */
const mostWanters = 64;
/** Heartbeats in a row that must disagree: one may have been sent before an acknowledgement that overtook it. */
const disagreementsNeeded = 2;

export class HostFeed {
  readonly #options: FeedOptions;
  readonly #waiting = new Set<Waiting>();
  /** What the agent acknowledged last; null: it takes a snapshot. */
  #base: Programmed | null = null;
  #pending: Touched = nothingTouched();
  /** First revision among what is pending. */
  #pendingSince: number | undefined;
  #sent: Sent | undefined;
  /** What the agent last said of endpoints that it could not plug in. */
  readonly #faults = new Map<string, Fault>();
  #retryMs: number = retryMs.from;
  #cancelRetry: (() => void) | undefined;
  #disagreements = 0;
  #stopped = false;
  /** Digests of the shares that the agent was told, or found to have, by revision. */
  readonly #told = new Map<number, string>();

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Every change of its share up to this revision has been programmed. 0 while nothing is known of the agent. */
  get acked(): number {
    if (this.#base === null) return 0;
    const since = this.#sent?.since ?? this.#pendingSince;
    return since === undefined ? this.#options.view.revision : since - 1;
  }

  touch(touched: Touched, since: number): void {
    mergeTouched(this.#pending, touched);
    this.#pendingSince ??= since;
    this.#push();
  }

  /** Whether what the agent says it has programmed is of this feed's time: since the host came up, or listening began. */
  hasTold({ revision, digest }: Programmed): boolean {
    return this.#told.get(revision) === digest;
  }

  /** A feed that has sent nothing yet sends everything. */
  begin(): void {
    this.#push();
  }

  /** The agent is new, or has lost what it had: it gets everything, at once. */
  resync(): void {
    this.#base = null;
    this.#disagreements = 0;
    this.#retryMs = retryMs.from;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    // What is in flight counts for nothing any more, and who was to answer it may be dead.
    this.#giveBack();
    this.#push();
  }

  /** What the agent says of itself; where that contradicts what it acknowledged, it gets everything. */
  heard(programmed: Programmed): void {
    if (this.#sent !== undefined) return;
    if (this.#base === null) {
      const { hostId, view } = this.#options;
      const isCurrent = programmed.digest === view.state.digestOf(hostId);
      if (programmed.revision > 0 && isCurrent) this.#accept(programmed);
      else this.#push();
      return;
    }
    const { revision, digest } = this.#base;
    const agrees = programmed.revision === revision && programmed.digest === digest;
    this.#disagreements = agrees ? 0 : this.#disagreements + 1;
    if (this.#disagreements < disagreementsNeeded) return;
    const facts = { host: this.#options.hostId, programmed: programmed.revision, acked: revision };
    this.#options.logger.warn(facts, 'the agent differs from what it acknowledged');
    this.resync();
  }

  /** Resolves once the agent has `revision`, or with `acked: false` after `timeoutMs` or when the feed stops. */
  waitFor(revision: number, timeoutMs: number): Promise<Outcome> {
    // One that has stopped follows no more, so that what it has acknowledged says nothing of later revisions.
    if (this.#stopped) return Promise.resolve(this.#outcome(false));
    if (this.acked >= revision) return Promise.resolve(this.#outcome(true));
    return new Promise((resolve) => {
      const done = (outcome: Outcome): void => {
        cancel();
        this.#waiting.delete(waiting);
        resolve(outcome);
      };
      const waiting: Waiting = { revision, resolve: done };
      this.#waiting.add(waiting);
      const cancel = this.#options.time.after(timeoutMs, () => done(this.#outcome(false)));
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRetry?.();
    for (const waiting of this.#waiting) waiting.resolve(this.#outcome(false));
  }

  #outcome(acked: boolean): Outcome {
    return { acked, faults: [...this.#faults.values()] };
  }

  #push(): void {
    if (this.#sent !== undefined || this.#cancelRetry !== undefined || this.#stopped) return;
    if (this.#base !== null && isUntouched(this.#pending)) return;
    const request = this.#request();
    this.#sent = {
      request,
      touched: this.#pending,
      since: this.#pendingSince ?? request.revision,
    };
    this.#pending = nothingTouched();
    this.#pendingSince = undefined;
    this.#note(request);
    this.#options.program(this.#options.hostId, request, this.#wanters(request)).then(
      (reply) => this.#replied(request, reply),
      (thrown: unknown) => this.#failed(request, SkeinError.from(thrown)),
    );
  }

  #request(): ProgramRequest {
    const { hostId, view } = this.#options;
    const { revision, state } = view;
    const digest = state.digestOf(hostId);
    if (this.#base === null) {
      return { kind: 'snapshot', revision, digest, share: state.shareOf(hostId) };
    }
    const delta = state.deltaOf(hostId, this.#pending);
    return { kind: 'delta', base: this.#base.revision, revision, digest, delta };
  }

  /** Who wanted the endpoints that are told anew; of those that went, nothing is left that says it. */
  #wanters(request: ProgramRequest): OnBehalfOf {
    if (request.kind === 'snapshot') return {};
    const { state } = this.#options.view;
    const put = request.delta.put.endpoints.slice(0, mostWanters);
    return onBehalfOf(put.map(({ id }) => state.endpoint(id)?.created.request));
  }

  #replied(request: ProgramRequest, reply: ProgramReply): void {
    if (this.#stopped || this.#sent?.request !== request) return;
    if (!this.#isOfKnownBoot(reply)) {
      this.#giveBack();
      this.#base = null;
      this.#retryLater();
      return;
    }
    const { revision, digest } = request;
    if (reply.programmed === revision && reply.digest === digest) {
      this.#keepFaults(request, reply.faults);
      this.#sent = undefined;
      this.#accept({ revision, digest });
      return;
    }
    this.#giveBack();
    this.#base = null;
    if (request.kind === 'delta') {
      this.#push();
      return;
    }
    const { hostId, logger } = this.#options;
    const facts = { host: hostId, revision, digest, programmed: reply.programmed };
    logger.error({ ...facts, theirs: reply.digest }, 'the agent disagrees about a snapshot');
    this.#retryLater();
  }

  /** What a machine that was started anew holds is released as it registers: until then it acknowledges nothing. */
  #isOfKnownBoot({ bootId }: ProgramReply): boolean {
    const { hostId, view } = this.#options;
    const known = view.state.host(hostId);
    return known === undefined || known.bootId === bootId;
  }

  /** Whatever was programmed anew has only the faults that the answer names. */
  #keepFaults(request: ProgramRequest, faults: readonly Fault[]): void {
    if (request.kind === 'snapshot') this.#faults.clear();
    for (const id of this.#sent?.touched.endpoints ?? []) this.#faults.delete(id);
    for (const fault of faults) this.#faults.set(fault.endpointId, fault);
  }

  #note({ revision, digest }: Programmed): void {
    this.#told.delete(revision);
    this.#told.set(revision, digest);
    const [oldest] = this.#told.keys();
    if (this.#told.size > maxTold && oldest !== undefined) this.#told.delete(oldest);
  }

  #accept(programmed: Programmed): void {
    this.#base = programmed;
    this.#note(programmed);
    this.#retryMs = retryMs.from;
    this.#disagreements = 0;
    const { acked } = this;
    for (const waiting of this.#waiting) {
      if (waiting.revision <= acked) waiting.resolve(this.#outcome(true));
    }
    this.#push();
  }

  #failed(request: ProgramRequest, { code, message, retryable }: SkeinError): void {
    if (this.#stopped || this.#sent?.request !== request) return;
    const { hostId, logger } = this.#options;
    const facts = { host: hostId, code, error: message };
    if (retryable) logger.debug(facts, 'the agent did not answer');
    else logger.warn(facts, 'the agent could not be told');
    this.#giveBack();
    this.#retryLater();
  }

  /** What was in flight is pending again: deltas say how things are, so sending them twice does no harm. */
  #giveBack(): void {
    if (this.#sent === undefined) return;
    const { touched, since } = this.#sent;
    this.#sent = undefined;
    mergeTouched(this.#pending, touched);
    this.#pendingSince = since;
  }

  #retryLater(): void {
    this.#cancelRetry = this.#options.time.after(this.#retryMs, () => {
      this.#cancelRetry = undefined;
      this.#push();
    });
    this.#retryMs = Math.min(this.#retryMs * 2, retryMs.to);
  }
}
