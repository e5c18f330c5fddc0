// skein doctor: what is in the way, from the nearest thing to the farthest. Exit code 5 if anything is.

import { SkeinError } from '@skein/contracts';
import pc from 'picocolors';
import { Api, path, type Json } from '../client/api';
import { all } from '../output/units';
import type { Session } from '../session';
import { droppedText } from './host';
import { sentence } from './host-matrix';

interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'broken';
  readonly detail: string;
}

const marks = { ok: pc.green('✔'), warning: pc.yellow('!'), broken: pc.red('✘') };

export async function doctor(session: Session) {
  const findings: Finding[] = [];
  // What is in the way shall be seen, not waited out.
  const api = new Api(session.api.address, 1);
  for (const examine of [gateway, readiness, cluster, hosts, networks, overlay]) {
    const found = await session.out.progress('examining', examine(api));
    findings.push(...found);
    if (found.some(({ state }) => state === 'broken') && examine === gateway) break;
  }
  const ok = findings.every(({ state }) => state !== 'broken');
  session.out.show({ ok, findings }, () =>
    findings
      .map(({ check, state, detail }) => `${marks[state]} ${pc.bold(check)}: ${detail}`)
      .join('\n'),
  );
  if (!ok) process.exitCode = 5;
}

async function gateway(api: Api): Promise<Finding[]> {
  const { url, source } = api.address;
  return examined('gateway', async () => {
    await api.get('/healthz');
    return [finding('gateway', 'ok', `${url} answers (from ${source})`)];
  });
}

async function readiness(api: Api): Promise<Finding[]> {
  return examined('readiness', async () => {
    const { leaderId, revision } = await api.get('/readyz');
    return [
      finding('readiness', 'ok', `NATS is connected, ${leaderId} leads, revision ${revision}`),
    ];
  });
}

async function cluster(api: Api): Promise<Finding[]> {
  return examined('managers', async () => {
    const { members, alarms = [] } = await api.get('/v1/cluster');
    const raised = alarms.map(alarmFinding);
    const ill = members.filter((each: Json) => !each.healthy).map((each: Json) => each.id);
    if (ill.length === 0) {
      return [
        finding('managers', 'ok', all(members.length, { one: 'is healthy', many: 'are healthy' })),
        ...raised,
      ];
    }
    return [finding('managers', 'warning', `not healthy: ${ill.join(', ')}`), ...raised];
  });
}

/** While an alarm is raised, the store refuses what clients write. */
export function alarmFinding({ alarm, replica }: Json): Finding {
  return finding(`alarm ${alarm}`, 'broken', alarmText(alarm, replica));
}

function alarmText(alarm: string, replica: string | undefined): string {
  const where = replica === undefined ? '' : ` --replica ${replica}`;
  const clear = `skein cluster alarms clear ${alarm}${where}`;
  switch (alarm) {
    case 'nospace':
      return `the store is full, writes are refused: raise the quota (skein cluster quota <size>), or delete keys and compact (skein kv compact <revision>); then ${clear}`;
    case 'corrupt':
      return `the state of ${replica ?? 'a replica'} differs from the others', writes are refused: remove it from the cluster and add it again empty; then ${clear}`;
    default:
      return `see skein cluster alarms; once its cause is gone: ${clear}`;
  }
}

async function hosts(api: Api): Promise<Finding[]> {
  return examined('hosts', async () => {
    const known = await api.list('/v1/hosts', 'hosts');
    if (known.length === 0) return [finding('hosts', 'warning', 'none has registered')];
    const down = known.filter((each) => each.state !== 'up');
    return [
      finding('hosts', 'ok', upText(known.length - down.length, known.length)),
      ...down.map((each) =>
        finding(`host ${each.name}`, 'broken', `down: ${each.reason ?? 'no reason given'}`),
      ),
      // What was kept out has done no harm, and whoever sent it may be long gone.
      ...known.flatMap(({ name, dropped }) => {
        const text = droppedText(dropped);
        return text === undefined ? [] : [finding(`host ${name}`, 'ok', `kept out ${text}`)];
      }),
    ];
  });
}

function upText(up: number, of: number): string {
  if (up === of) return all(of, { one: 'is up', many: 'are up' });
  return `${up} of ${of} ${up === 1 ? 'is' : 'are'} up`;
}

/** A host must have programmed the newest endpoint of each network that it takes part in. */
async function networks(api: Api): Promise<Finding[]> {
  return examined('networks', async () => {
    const up = (await api.list('/v1/hosts', 'hosts')).filter((host) => host.state === 'up');
    const findings: Finding[] = [];
    const known = await api.list('/v1/networks', 'networks');
    for (const { id, name, hosts: taking } of known) {
      const endpoints = await api.list(path`/v1/networks/${id}/endpoints`, 'endpoints');
      const newest = Math.max(0, ...endpoints.map((endpoint) => endpoint.revision));
      const behind = up.filter((host) => taking.includes(host.id) && host.programmed < newest);
      for (const host of behind) {
        const detail = `has programmed revision ${host.programmed}, ${name} has ${newest}`;
        findings.push(finding(`host ${host.name}`, 'warning', `is behind: it ${detail}`));
      }
    }
    if (findings.length > 0) return findings;
    const text = all(known.length, {
      one: 'is programmed where it belongs',
      many: 'are programmed where they belong',
    });
    return [finding('networks', 'ok', text)];
  });
}

/** Agents try the ways to each other with frames of full size. */
async function overlay(api: Api): Promise<Finding[]> {
  return examined('overlay', async () => {
    const { hosts: known, pairs } = await api.get('/v1/reachability');
    const faulty = pairs.filter(({ state }: Json) => state !== 'ok');
    if (faulty.length === 0) {
      return [finding('overlay', 'ok', waysText(pairs.length))];
    }
    return faulty.map((pair: Json) => finding('overlay', 'broken', sentence(pair, known)));
  });
}

function waysText(tried: number): string {
  if (tried === 0) return 'no way has been tried yet';
  return tried === 1
    ? 'the only way that was tried is open'
    : `all ${tried} ways that were tried are open`;
}

async function examined(check: string, examine: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await examine();
  } catch (thrown) {
    const { code, message } = SkeinError.from(thrown);
    return [finding(check, 'broken', `${message} (${code})`)];
  }
}

function finding(check: string, state: Finding['state'], detail: string): Finding {
  return { check, state, detail };
}
