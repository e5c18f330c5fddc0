// One thing at a time to the kernel: pushes, which are taken together if several wait, and the loop that looks for drift.
// Counts repairs and tells of them.

import {
  SkeinError,
  type ReplyOf,
  type programContract,
  type Share,
  type ShareEndpoint,
} from '@skein/contracts';
import type { Logger } from '@skein/messaging';
import { digestOf } from '@skein/share';
import type { Time } from '@skein/time';
import type { Observed, Repair } from '@skein/vxlan';
import type { Dropped, EndpointFault, Reconciler } from './reconciler';
import { ShareIntake, type Push } from './share-intake';

export type ProgramReply = ReplyOf<typeof programContract>;

export interface ProgrammerOptions {
  readonly hostId: string;
  readonly bootId: string;
  readonly reconcileMs: number;
  readonly reconciler: Reconciler;
  readonly time: Time;
  readonly onRepair: (repair: Repair) => void;
  /** A share was taken in, and is about to be programmed. True if somebody is answered by that: the answer goes out first. */
  readonly onTaken?: (() => boolean) | undefined;
  /** Awaited before a push is answered: what the share newly has is let in by the guards. */
  readonly onProgrammed?: (() => Promise<void>) | undefined;
  /** Guards were made anew. */
  readonly onGuardMended?: (() => Promise<void>) | undefined;
  readonly logger: Logger;
}

interface Waiting {
  readonly push: Push;
  readonly resolve: (reply: ProgramReply) => void;
  readonly reject: (thrown: unknown) => void;
}

/** Looking takes at most this part of the time: with very many rows the loop goes slower. */
const loopShare = 1 / 50;
/** But no slower than this: one look that a busy machine held up says nothing of the next, and drift waits for it. */
const longestLoopMs = 4_000;

/** After so many looks in vain, pushes wait for one. */
const maxDiscardedLooks = 3;

export class Programmer {
  readonly #options: ProgrammerOptions;
  readonly #intake = new ShareIntake();
  readonly #repairs: Record<string, number> = {};
  #waiting: Waiting[] = [];
  /** True while the kernel is being changed. */
  #isBusy = false;
  #isLooking = false;
  /** Its time has come while the kernel was being changed. */
  #isLookDue = false;
  #pushes = 0;
  /** Looks in a row that a push made worthless. */
  #discarded = 0;
  #cancelLook: (() => void) | undefined;
  #isStopped = false;
  #programmed = { revision: 0, digest: '' };

  constructor(options: ProgrammerOptions) {
    this.#options = options;
  }

  /** Revision and digest of the share that the kernel was last programmed with. */
  get programmed(): { readonly revision: number; readonly digest: string } {
    return this.#programmed;
  }

  /** Changes made because the kernel had drifted, by kind, since the start. */
  get repairs(): Readonly<Record<string, number>> {
    return { ...this.#repairs };
  }

  /** Frames that were kept out, as of a few looks ago at most. */
  get dropped(): Dropped {
    return this.#options.reconciler.dropped;
  }

  get share(): Share {
    return this.#intake.share;
  }

  /** One that the share has, programmed or not. */
  endpoint(id: string): ShareEndpoint | undefined {
    return this.#intake.endpoint(id);
  }

  observe(): Promise<Observed> {
    return this.#options.reconciler.observe();
  }

  program(push: Push): Promise<ProgramReply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ push, resolve, reject });
      this.#pushes += 1;
      void this.#work();
    });
  }

  /** Takes everything away: nothing here is this host's any more. */
  async withdraw(): Promise<void> {
    const share: Share = { hosts: [], networks: [], endpoints: [] };
    const { revision } = this.#intake;
    await this.program({ kind: 'snapshot', revision, digest: digestOf(share), share });
  }

  /** Leaves the kernel as it is. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelLook?.();
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#programBatch(batch);
    }
    this.#isBusy = false;
    // Invariant (P2): pushes put no look off, or what drifts would stay for as long as they come.
    if (this.#isLookDue) void this.#lookForDrift();
    else if (this.#cancelLook === undefined) this.#schedule(this.#options.reconcileMs);
  }

  async #programBatch(batch: readonly Waiting[]): Promise<void> {
    const startedAt = this.#options.time.monotonicMs();
    const taken = batch.map(({ push }) => this.#intake.take(push));
    try {
      const isNew = taken.includes(true);
      if (isNew && this.#options.onTaken?.() === true) {
        // What programs the kernel competes for processors with whoever goes on from the answer.
        await new Promise<void>((goOn) => this.#options.time.soon(goOn));
      }
      const faults = isNew ? await this.#programTaken() : [];
      this.#noteProgrammed();
      if (isNew && !this.#options.reconciler.isComplete) {
        throw new SkeinError('program_failed', 'The kernel refused a part of the share');
      }
      if (batch.some(({ push }, index) => push.kind === 'snapshot' && taken[index] === true)) {
        const tookMs = Math.round(this.#options.time.monotonicMs() - startedAt);
        const { revision, share } = this.#intake;
        const facts = { revision, endpoints: share.endpoints.length, tookMs };
        this.#options.logger.info(facts, 'share programmed anew');
      }
      batch.forEach(({ resolve }, index) => {
        resolve({
          host: this.#options.hostId,
          bootId: this.#options.bootId,
          programmed: this.#programmed.revision,
          digest: this.#programmed.digest,
          snapshotWanted: taken[index] === false,
          faults: faults.map((fault) => ({ ...fault })),
        });
      });
    } catch (thrown) {
      for (const { reject } of batch) reject(thrown);
    }
  }

  /** Where endpoints elsewhere are all that changed, no port of this host is new. */
  async #programTaken(): Promise<readonly EndpointFault[]> {
    const { reconciler, onProgrammed, hostId } = this.#options;
    const changes = this.#intake.changes();
    const done = changes === null ? null : await reconciler.programChanges(changes);
    if (done !== null) {
      this.#noteProgrammed();
      if (changes?.some(({ after }) => after?.host === hostId) === true) await onProgrammed?.();
      return done;
    }
    const faults = await reconciler.program(this.#intake.share);
    this.#noteProgrammed();
    await onProgrammed?.();
    return faults;
  }

  #noteProgrammed(): void {
    if (!this.#options.reconciler.isComplete) return;
    const { revision, digest } = this.#intake;
    this.#programmed = { revision, digest };
  }

  #schedule(afterMs: number): void {
    // Before the first snapshot nothing is known of what should be: the kernel stays as it is.
    if (this.#isStopped || this.#isLooking || this.#intake.revision === 0) return;
    this.#cancelLook?.();
    this.#cancelLook = this.#options.time.after(afterMs, () => {
      this.#cancelLook = undefined;
      void this.#lookForDrift();
    });
  }

  async #lookForDrift(): Promise<void> {
    const { reconcileMs, time, logger } = this.#options;
    this.#isLookDue = this.#isBusy;
    if (this.#isBusy || this.#isLooking || this.#isStopped) return;
    const start = time.monotonicMs();
    this.#isLooking = true;
    try {
      await this.#lookAndMend();
    } catch (thrown) {
      const fault = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      logger.error({ fault }, 'looking for drift failed');
    }
    this.#isLooking = false;
    const tookMs = time.monotonicMs() - start;
    const pauseMs = Math.min(tookMs / loopShare - tookMs, longestLoopMs);
    this.#schedule(Math.max(reconcileMs, pauseMs));
  }

  /** A push that comes while the kernel is read is not held up: what was read is thrown away, but not for ever. */
  async #lookAndMend(): Promise<void> {
    const { reconciler, onRepair } = this.#options;
    const pushes = this.#pushes;
    let isOwner = this.#discarded >= maxDiscardedLooks;
    if (isOwner) this.#isBusy = true;
    try {
      const look = await reconciler.look();
      const isStale = !isOwner && (this.#isBusy || pushes !== this.#pushes);
      this.#discarded = isStale ? this.#discarded + 1 : 0;
      if (look === null || isStale) return;
      isOwner = true;
      this.#isBusy = true;
      for (const repair of await reconciler.mend(look)) {
        this.#repairs[repair.kind] = (this.#repairs[repair.kind] ?? 0) + repair.count;
        onRepair(repair);
        if (repair.kind === 'guard') await this.#options.onGuardMended?.();
      }
      this.#noteProgrammed();
    } finally {
      if (isOwner) {
        this.#isBusy = false;
        if (this.#waiting.length > 0) void this.#work();
      }
    }
  }
}
