// The kernel behind iproute2: reads it back in few processes, carries out a plan in one batch a stage. It decides nothing; what
// fails is told of the change that it belongs to, and everything else is done all the same.

import {
  probePort,
  sandboxesToInspect,
  vxlanName,
  type Change,
  type Desired,
  type Member,
  type Observed,
  type ObservedNetwork,
  type ObservedSandbox,
  type ObservedUnderlay,
} from '@skein/vxlan';
import {
  inPlace,
  runBatch,
  type BatchFault,
  type BatchLine,
  type ExistingPlace,
  type Place,
} from './batch';
import { BatchShells } from './batch-shell';
import { detoursAnd, hasDetour, withoutDetour } from './detour';
import { isWholeGuard, openGuard, type GuardRenewal } from './guard';
import { networkLines } from './lines';
import { MemberFilter, type Received } from './member-filter';
import { Namespaces } from './namespaces';
import { parseArrays, parseNetwork, parseSandbox } from './parse';
import { forEachLimited, runCommand } from './run-command';
import {
  isOfUnderlay,
  listRules,
  parted,
  rulesScript,
  type NetworkChange,
  type RuleChange,
  type UnderlayChange,
} from './rules';
import { parseFilter } from './source-filter';

export interface KernelSettings {
  /** Where namespaces' files are: `/run/netns`. */
  readonly netnsDir: string;
  readonly netnsPrefix: string;
}

export interface KernelFault {
  readonly change: Change;
  readonly code: 'sandbox_not_found' | 'program_failed';
  readonly message: string;
}

export interface ApplyOptions {
  /** Called once a network's namespace, bridge and gateway addresses are there, while the rest goes on. */
  readonly onGround?: (netns: string) => void;
}

const host = { at: 'host' } as const;
/** Changes that write a table from its beginning. */
const wholeTables: ReadonlySet<Change['kind']> = new Set(['guard', 'filter', 'underlay']);

/** Networks worked on at once: more would only queue for the kernel's one lock. */
const concurrency = 4;

export class IprouteKernel {
  readonly #namespaces: Namespaces;
  readonly #shells = new BatchShells();
  readonly #members: MemberFilter;

  constructor({ netnsDir, netnsPrefix }: KernelSettings) {
    this.#namespaces = new Namespaces({ directory: netnsDir, prefix: netnsPrefix });
    this.#members = new MemberFilter(netnsPrefix);
  }

  /** Path of the namespace of a network, whether it is there or not. */
  pathOf(netns: string): string {
    return this.#namespaces.pathOf(netns);
  }

  /** Everything, with the sandboxes of endpoints that have no veth, and those named in `alsoSandboxes`. */
  async observe(desired: Desired, alsoSandboxes: Iterable<string> = []): Promise<Observed> {
    const networks = new Map<string, ObservedNetwork>();
    const [underlay] = await Promise.all([
      desired.underlay === undefined ? undefined : this.#observeUnderlay(),
      forEachLimited(this.#namespaces.list(), concurrency, async ({ name, isMounted }) => {
        const wanted = desired.networks.get(name);
        const isSeen = wanted?.sources !== undefined && wanted.trustsFilter !== true;
        const hasRules = wanted?.isFenced === true || isSeen;
        const found = isMounted ? await this.#observeNetwork(name, hasRules) : null;
        if (found !== null) networks.set(name, found);
        else if (!desired.networks.has(name)) networks.set(name, parseNetwork(name, [], []));
      }),
    ]);
    const partial = { networks, sandboxes: new Map() };
    const paths = new Set([...sandboxesToInspect(desired, partial), ...alsoSandboxes]);
    const sandboxes = await this.observeSandboxes(paths);
    return { networks, sandboxes, ...(underlay === undefined ? {} : { underlay }) };
  }

  async observeSandboxes(
    paths: Iterable<string>,
  ): Promise<Map<string, ObservedSandbox | 'missing'>> {
    const sandboxes = new Map<string, ObservedSandbox | 'missing'>();
    await forEachLimited(paths, concurrency, async (path) => {
      const read = await runCommand(
        inPlace({ at: 'existing', path }, ['ip', '-j', '-d', '-batch', '-']),
        'addr show\nroute show\n',
      );
      const isThere = read.exitCode === 0;
      sandboxes.set(path, isThere ? parseSandbox(parseArrays(read.stdout)) : 'missing');
    });
    return sandboxes;
  }

  /** Carries out a plan, in its order. Answers what could not be done. */
  async apply(changes: readonly Change[], options: ApplyOptions = {}): Promise<KernelFault[]> {
    const faults: KernelFault[] = [];
    const byNetns = new Map<string, NetworkChange[]>();
    const filters = { first: [] as UnderlayChange[], last: [] as UnderlayChange[] };
    for (const change of changes) {
      if (isOfUnderlay(change)) {
        (change.action === 'put' ? filters.first : filters.last).push(change);
        continue;
      }
      const known = byNetns.get(change.netns);
      if (known === undefined) byNetns.set(change.netns, [change]);
      else known.push(change);
    }
    const heard = this.#filterMembers(filters.first, faults);
    const isLone = byNetns.size === 1;
    await forEachLimited(byNetns, concurrency, ([netns, ofNetwork]) =>
      this.#applyNetwork(netns, ofNetwork, { heard, faults, isLone, ...options }),
    );
    await heard;
    await this.#filterMembers(filters.last, faults);
    return faults;
  }

  async #filterMembers(changes: readonly UnderlayChange[], faults: KernelFault[]): Promise<void> {
    if (changes.length === 0) return;
    await this.#nft(this.#members.script(changes), { at: 'host' }, changes, faults);
  }

  /** All of it or nothing; false: nothing. */
  async #nft(
    script: string,
    place: ExistingPlace,
    changes: readonly Change[],
    faults: KernelFault[],
  ): Promise<boolean> {
    if (changes.length === 0) return true;
    // Tables of many lines are read from a file's end, not from a prompt.
    const isWhole = changes.some(({ kind }) => wholeTables.has(kind));
    const fault = isWhole
      ? await this.#nftWhole(script, place)
      : await this.#shells.nft(place, script);
    if (fault === null) return true;
    const message = `the rules could not be written: ${fault}`;
    faults.push(...changes.map((change) => ({ change, code: 'program_failed' as const, message })));
    return false;
  }

  /**
   * Beside the making of devices: a kernel from 6.16 on takes a chain for a device that is yet to come. Where that fails, behind it.
   * Answers the rules that could not be written.
   */
  async #filter(
    inside: ExistingPlace,
    rules: readonly RuleChange[],
    devices: Promise<unknown>,
    faults: KernelFault[],
  ): Promise<readonly RuleChange[]> {
    const early = this.#nft(rulesScript(rules), inside, rules, []);
    const [isWritten] = await Promise.all([early, devices]);
    return isWritten ? [] : this.#writeRules(inside, rules, faults);
  }

  /** In one transaction if that can be, else each for itself: one port that is not there does not keep others down. */
  async #writeRules(
    inside: ExistingPlace,
    rules: readonly RuleChange[],
    faults: KernelFault[],
  ): Promise<readonly RuleChange[]> {
    const first: KernelFault[] = [];
    if (await this.#nft(rulesScript(rules), inside, rules, first)) return [];
    if (rules.length === 1) {
      faults.push(...first);
      return rules;
    }
    const failed: RuleChange[] = [];
    for (const rule of rules) {
      if (!(await this.#nft(rulesScript([rule]), inside, [rule], faults))) failed.push(rule);
    }
    return failed;
  }

  async #nftWhole(script: string, place: ExistingPlace): Promise<string | null> {
    const written = await runCommand(inPlace(place, ['nft', '-f', '-']), script);
    return written.exitCode === 0 ? null : written.stderr.trim();
  }

  async #host(lines: readonly BatchLine[], faults: KernelFault[]): Promise<void> {
    const outcome = await this.#shells.run('ip', host, lines);
    report(outcome.faults, faults);
  }

  async #applyNetwork(
    netns: string,
    changes: readonly NetworkChange[],
    applying: Applying,
  ): Promise<void> {
    const { heard, faults, isLone, onGround } = applying;
    const path = this.#namespaces.pathOf(netns);
    const inside = { at: 'existing', path } as const;
    if (this.#fitsShells(inside, changes)) {
      return this.#applyInShells(inside, changes, applying);
    }
    await this.#shells.end(inside);
    const removal = changes.find(({ kind, action }) => kind === 'namespace' && action === 'remove');
    if (removal !== undefined) {
      try {
        await this.#namespaces.remove(netns);
      } catch (thrown) {
        faults.push({ change: removal, code: 'program_failed', message: String(thrown) });
      }
      return;
    }
    const isNew = changes.some(({ kind }) => kind === 'namespace');
    if (isNew) this.#namespaces.prepare(netns);
    const { rules, devices } = parted(changes);
    const lines = networkLines(devices, path);
    const ground = await runBatch('ip', isNew ? { at: 'new', path } : inside, lines.ground);
    report(ground.faults, faults);
    if (!ground.entered) return;
    onGround?.(netns);
    // What stays starts while filters are written and devices made: behind them, since a fork holds up everything else.
    if (isLone) setImmediate(() => this.#shells.warm(inside, ['ip', 'bridge']));
    const run = (tool: 'ip' | 'bridge', some: readonly BatchLine[]) =>
      isLone ? this.#shells.run(tool, inside, some) : runBatch(tool, inside, some);

    const isDetoured = isNew || changes.some(({ kind }) => kind === 'detour');
    const made = Promise.all([
      // It costs time and nothing else: where it can't be done, all else is as it should be.
      isDetoured ? runCommand(inPlace(inside, withoutDetour), '') : null,
      this.#host(lines.host, faults),
      forEachLimited(lines.sandboxes, concurrency, ([sandbox, ofSandbox]) =>
        this.#plug(sandbox, ofSandbox, faults),
      ),
    ]);
    const unfiltered = await this.#filter(inside, rules, made, faults);
    const ports = lines.ports.filter(({ change }) => mayComeUp(change, unfiltered));
    const hasNewPorts = ports.length > 0;
    const links = run('ip', [...ports, ...lines.neighbors]);
    // Rows need their ports; without new ones, neighbors and rows go at once.
    if (hasNewPorts) await links;
    await heard;
    const rows = run('bridge', lines.rows);
    report((await links).faults, faults);
    report((await rows).faults, faults);
    report((await run('ip', lines.withdrawn)).faults, faults);
  }

  /** Rows and engines' ports, where all other devices stay as they are. */
  #fitsShells(inside: ExistingPlace, changes: readonly Change[]): boolean {
    return changes.every((change) => {
      switch (change.kind) {
        case 'neighbor':
        case 'fdb':
        case 'flood':
        case 'source':
          return true;
        case 'port':
          return !this.#shells.hasMet(inside, change.veth);
        case 'veth':
          if (change.action === 'remove') return true;
          return change.sandbox === null && !change.replaces;
        default:
          return false;
      }
    });
  }

  async #applyInShells(
    inside: ExistingPlace & { readonly path: string },
    changes: readonly NetworkChange[],
    { heard, faults }: Applying,
  ): Promise<void> {
    const { rules, devices } = parted(changes);
    const lines = networkLines(devices, inside.path);
    if (lines.ports.length > 0) this.#shells.warm(inside, ['ip', 'bridge']);
    report((await this.#shells.run('ip', inside, lines.ground)).faults, faults);
    const made = this.#host(lines.host, faults);
    const unfiltered = await this.#filter(inside, rules, made, faults);
    const ports = lines.ports.filter(({ change }) => mayComeUp(change, unfiltered));
    const links = this.#shells.run('ip', inside, [...ports, ...lines.neighbors]);
    await heard;
    if (ports.length > 0) await links;
    const rows = this.#shells.run('bridge', inside, lines.rows);
    report((await links).faults, faults);
    report((await rows).faults, faults);
    report((await this.#shells.run('ip', inside, lines.withdrawn)).faults, faults);
  }

  /** An endpoint is about to come, to this namespace or to one that is not here yet: what plugs it in is there then. */
  expect(netns?: string): void {
    this.#shells.warm(host, ['ip', 'nft']);
    if (netns === undefined) return;
    const path = this.#namespaces.pathOf(netns);
    this.#shells.warm({ at: 'existing', path }, ['nft', 'ip', 'bridge']);
  }

  /** Lets these ports be heard for a while, and no others. False if that could not be written: all stays as it was. */
  async renewGuard({ netns, ...renewal }: GuardRenewal & { netns: string }): Promise<boolean> {
    const inside: Place = { at: 'existing', path: this.#namespaces.pathOf(netns) };
    const written = await runCommand(inPlace(inside, ['nft', '-f', '-']), openGuard(renewal));
    return written.exitCode === 0;
  }

  async #plug(path: string, lines: readonly BatchLine[], faults: KernelFault[]): Promise<void> {
    const outcome = await runBatch('ip', { at: 'existing', path }, lines);
    const code = outcome.entered ? 'program_failed' : 'sandbox_not_found';
    report(outcome.faults, faults, code);
  }

  /** MTU of the link of the host's namespace that carries this address; null if none does. */
  async linkMtuOf(address: string): Promise<number | null> {
    const read = await runCommand(['ip', '-j', 'addr', 'show', 'to', address], '');
    const link = parseArrays(read.stdout).find((item) => item['mtu'] !== undefined);
    return link === undefined ? null : Number(link['mtu']);
  }

  /** Gives the host itself an address, on its loopback. Answers what went wrong, or null. */
  async holdAddress(prefix: string): Promise<string | null> {
    const put = await runCommand(['ip', 'addr', 'replace', prefix, 'dev', 'lo'], '');
    return put.exitCode === 0 ? null : put.stderr.trim();
  }

  /** Takes it back; it may be gone. */
  async releaseAddress(prefix: string): Promise<void> {
    await runCommand(['ip', 'addr', 'del', prefix, 'dev', 'lo'], '');
  }

  /** What came from each host that takes part in a network here, since it was let in. */
  async received(): Promise<ReadonlyMap<Member, Received>> {
    const read = await runCommand(this.#members.list, '');
    return read.exitCode === 0 ? this.#members.received(read.stdout) : new Map();
  }

  async #observeUnderlay(): Promise<ObservedUnderlay | null> {
    const read = await runCommand(this.#members.list, '');
    return read.exitCode === 0 ? this.#members.parse(read.stdout) : null;
  }

  async #observeNetwork(netns: string, hasRules: boolean): Promise<ObservedNetwork | null> {
    const inside: Place = { at: 'existing', path: this.#namespaces.pathOf(netns) };
    const [links, rows, rules] = await Promise.all([
      runCommand(
        inPlace(inside, ['ip', '-j', '-d', '-batch', '-']),
        'addr show\nneigh show nud permanent\n',
      ),
      runCommand(inPlace(inside, ['bridge', '-j', 'fdb', 'show']), ''),
      hasRules ? runCommand(inPlace(inside, detoursAnd(listRules)), '') : null,
    ]);
    if (links.exitCode !== 0 || rows.exitCode !== 0) return null;
    const network = parseNetwork(netns, parseArrays(links.stdout), parseArrays(rows.stdout));
    if (rules === null) return network;
    const filter = parseFilter(rules.stdout);
    const hasGuard = isWholeGuard(rules.stdout);
    return {
      ...network,
      hasGuard,
      ...(filter === undefined ? {} : { filter }),
      ...(hasDetour(rules.stdout) ? { hasDetour: true } : {}),
    };
  }
}

interface Applying extends ApplyOptions {
  /** No other network changes: somebody may be waiting for this one, and the next change may soon be here. */
  readonly isLone: boolean;
  /** Done when the host hears whom rows lead to. */
  readonly heard: Promise<void>;
  readonly faults: KernelFault[];
}

/** A port that nobody filters, or that no guard closes, does not come up. */
function mayComeUp(change: Change, unwritten: readonly RuleChange[]): boolean {
  const port =
    change.kind === 'port' ? change.veth : change.kind === 'probe' ? probePort : vxlanName;
  return unwritten.every((rule) =>
    rule.kind === 'source' ? rule.action === 'remove' || rule.source.port !== port : false,
  );
}

/** One fault a change: a batch has several lines for some. */
function report(
  found: readonly BatchFault[],
  faults: KernelFault[],
  code: KernelFault['code'] = 'program_failed',
): void {
  const told = new Set(faults.map(({ change }) => change));
  for (const { change, message } of found) {
    if (told.has(change)) continue;
    told.add(change);
    faults.push({ change, code, message });
  }
}
