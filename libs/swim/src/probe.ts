// The failure detector: one probe at a time, direct, then through helpers, then judged; and the helper's side of it.
// Knows opinions only as what a failed probe says.

import { changeHealth, emit, sendPacket, trace, type SwimCore } from './core';
import { indirectTimeoutRatio } from './formulas';
import { isLive, type Member } from './member';
import type { PingMessage, PingReqMessage, SwimMessage } from './message';
import { hearSuspect } from './opinions';

interface RunningProbe {
  readonly seq: number;
  readonly target: Member;
  sentAt: number;
  /** When helpers are asked; null once they have been. */
  indirectAt: number | null;
  deadlineAt: number;
  expectedNacks: number;
  readonly nacks: Set<string>;
  streamAcked: boolean;
}

/** A probe made for another member. */
interface Relay {
  readonly origin: string;
  readonly originSeq: number;
  nackAt: number | null;
  expiresAt: number;
}

/** Probes made for others at one time; more are declined by silence. */
const maxRelays = 1_024;

export class Prober {
  readonly #core: SwimCore;
  #seq = 0;
  #running: RunningProbe | null = null;
  #nextAt = Infinity;
  #isHeld = false;
  readonly #relays = new Map<number, Relay>();

  constructor(core: SwimCore) {
    this.#core = core;
  }

  start(): void {
    this.#nextAt = this.#core.now + this.#core.random() * this.#core.config.probeIntervalMs;
  }

  get wakeAt(): number {
    let wakeAt = this.#isHeld ? Infinity : this.#probeWakeAt;
    for (const relay of this.#relays.values()) {
      wakeAt = Math.min(wakeAt, relay.nackAt ?? Infinity, relay.expiresAt);
    }
    return wakeAt;
  }

  get #probeWakeAt(): number {
    if (this.#running === null) return this.#core.table.size > 1 ? this.#nextAt : Infinity;
    const { indirectAt, deadlineAt } = this.#running;
    return Math.min(indirectAt ?? Infinity, deadlineAt);
  }

  shift(byMs: number): void {
    const probe = this.#running;
    if (probe !== null) {
      probe.deadlineAt += byMs;
      if (probe.indirectAt !== null) probe.indirectAt += byMs;
      this.#nextAt = Math.max(this.#nextAt, probe.deadlineAt);
    }
    for (const relay of this.#relays.values()) {
      if (relay.nackAt !== null) relay.nackAt += byMs;
      relay.expiresAt += byMs;
    }
  }

  tick(isBlocked: boolean, reap: () => void): void {
    this.#isHeld &&= isBlocked;
    if (!this.#isHeld) this.#tickProbe(isBlocked, reap);
    this.#tickRelays();
  }

  #tickProbe(isBlocked: boolean, reap: () => void): void {
    const { now } = this.#core;
    const probe = this.#running;
    if (probe !== null && probe.indirectAt !== null && now >= probe.indirectAt) {
      this.#askHelpers(probe);
      this.#isHeld = isBlocked;
      if (this.#isHeld) return;
    }
    if (probe !== null && now >= probe.deadlineAt) this.#judge(probe);
    if (now >= this.#nextAt && this.#running === null && this.#core.table.size > 1) {
      this.#probeNext(reap);
      this.#isHeld = isBlocked;
    }
  }

  #probeNext(reap: () => void): void {
    const core = this.#core;
    const intervalMs = core.config.probeIntervalMs * core.health.multiplier;
    this.#nextAt = core.now + intervalMs;
    const target = core.table.nextProbeTarget(reap);
    if (target === null) return;
    this.#running = {
      seq: this.#newSeq(),
      target,
      sentAt: core.now,
      indirectAt: core.now + core.config.probeTimeoutMs,
      deadlineAt: core.now + intervalMs,
      expectedNacks: 0,
      nacks: new Set(),
      streamAcked: false,
    };
    trace(core, { kind: 'probeSent', target: target.name, seq: this.#running.seq });
    const ping = this.#pingOf(target.name, this.#running.seq);
    sendPacket(core, target.address, [ping, ...this.#doubtAbout(target.name)]);
  }

  #askHelpers(probe: RunningProbe): void {
    const core = this.#core;
    probe.indirectAt = null;
    const helpers = core.table.drawOthers(
      core.config.indirectProbes,
      (member) => member.state === 'alive' && member.name !== probe.target.name,
    );
    const { name: target, address: targetAddress } = probe.target;
    const source = core.table.selfName;
    for (const helper of helpers) {
      const request: PingReqMessage = {
        kind: 'pingReq',
        seq: probe.seq,
        source,
        target,
        targetAddress,
      };
      sendPacket(core, helper.address, [request]);
    }
    probe.expectedNacks = core.config.nack ? helpers.length : 0;
    trace(core, { kind: 'indirectProbe', target, helpers: helpers.map((m) => m.name) });
    if (core.config.streamFallback) {
      const ping = this.#pingOf(target, probe.seq);
      core.send.push({ to: targetAddress, via: 'stream', messages: [ping] });
    }
  }

  /** At the deadline: a stream's answer saves the member, but tells that datagrams do not pass. */
  #judge(probe: RunningProbe): void {
    const core = this.#core;
    this.#running = null;
    const target = core.table.get(probe.target.name);
    if (target === undefined || !isLive(target)) return;
    if (probe.streamAcked) {
      if (!core.reach.setUdpBlocked(target.name, true)) return;
      return emit(core, { kind: 'memberStreamOnly', member: target });
    }
    const { expectedNacks } = probe;
    const nacks = probe.nacks.size;
    trace(core, { kind: 'probeFailed', target: target.name, nacks, expectedNacks });
    changeHealth(core, expectedNacks > 0 ? Math.max(0, expectedNacks - nacks) : 1);
    // The incarnation that was probed: whoever refuted since is not accused again by this probe.
    const { name, incarnation } = probe.target;
    hearSuspect(core, { kind: 'suspect', name, incarnation, accuser: core.table.selfName });
  }

  receivePing(ping: PingMessage, from: string, via: 'datagram' | 'stream'): void {
    const core = this.#core;
    if (ping.target !== core.table.selfName) {
      return trace(core, { kind: 'ignored', what: 'ping', name: ping.target, reason: 'notForMe' });
    }
    const ack: SwimMessage = { kind: 'ack', seq: ping.seq };
    if (via === 'stream') {
      core.send.push({ to: from, via: 'reply', messages: [ack] });
    } else {
      sendPacket(core, from, [ack, ...this.#doubtAbout(ping.source)]);
    }
  }

  receivePingReq(request: PingReqMessage, from: string): void {
    const core = this.#core;
    if (this.#relays.size >= maxRelays) return;
    const seq = this.#newSeq();
    const waitMs = core.config.probeTimeoutMs * indirectTimeoutRatio;
    this.#relays.set(seq, {
      origin: from,
      originSeq: request.seq,
      nackAt: core.config.nack ? core.now + waitMs : null,
      expiresAt: core.now + core.config.probeIntervalMs,
    });
    const doubt = this.#doubtAbout(request.target);
    sendPacket(core, request.targetAddress, [this.#pingOf(request.target, seq), ...doubt]);
  }

  receiveAck(seq: number, from: string, via: 'datagram' | 'stream'): void {
    const core = this.#core;
    const relay = this.#relays.get(seq);
    if (relay !== undefined) {
      this.#relays.delete(seq);
      return sendPacket(core, relay.origin, [{ kind: 'ack', seq: relay.originSeq }]);
    }
    const probe = this.#running;
    if (probe === null || probe.seq !== seq) return;
    const target = probe.target.name;
    const direct = from === probe.target.address;
    const way = via === 'stream' ? 'stream' : direct ? 'direct' : 'indirect';
    trace(core, { kind: 'probeAcked', target, way, rttMs: core.now - probe.sentAt });
    if (via === 'stream') {
      probe.streamAcked = true;
      return;
    }
    this.#running = null;
    if (direct) core.reach.measured(target, core.now - probe.sentAt);
    const member = core.table.get(target);
    if (core.reach.setUdpBlocked(target, false) && member !== undefined) {
      emit(core, { kind: 'memberDatagramsPass', member });
    }
    changeHealth(core, -1);
  }

  receiveNack(seq: number, from: string): void {
    if (this.#running?.seq === seq) this.#running.nacks.add(from);
  }

  #tickRelays(): void {
    const { now } = this.#core;
    for (const [seq, relay] of this.#relays) {
      if (relay.nackAt !== null && now >= relay.nackAt) {
        relay.nackAt = null;
        sendPacket(this.#core, relay.origin, [{ kind: 'nack', seq: relay.originSeq }]);
      }
      if (now >= relay.expiresAt) this.#relays.delete(seq);
    }
  }

  #pingOf(target: string, seq: number): PingMessage {
    return { kind: 'ping', seq, source: this.#core.table.selfName, target };
  }

  /** What is held against a member goes along with a packet that it gets anyway (Lifeguard, buddy system). */
  #doubtAbout(name: string): SwimMessage[] {
    const member = this.#core.table.get(name);
    if (!this.#core.config.buddy || member === undefined) return [];
    const { incarnation } = member;
    const accuser = this.#core.table.selfName;
    if (member.state === 'suspect') return [{ kind: 'suspect', name, incarnation, accuser }];
    if (member.state === 'dead') return [{ kind: 'dead', name, incarnation, accuser }];
    if (member.state === 'left') return [{ kind: 'dead', name, incarnation, accuser: name }];
    return [];
  }

  #newSeq(): number {
    this.#seq = (this.#seq % 0xffff_ffff) + 1;
    return this.#seq;
  }
}
