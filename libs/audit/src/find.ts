// All that is wrong in the committed state by itself, found without a lock: the state is as of one revision, so what is in
// motion elsewhere can't make it look wrong. Pure.

import { addressFindings, type AuditLimits } from './addresses';
import type { AuditState } from './audit-state';
import { evidenceOf, type Finding } from './finding';
import { nameFindings, networkFindings } from './indices';

/**
 * Findings of the store against itself; [] if all holds. `networkId` keeps to one network. Hosts that are down, endpoints that
 * are suspended and addresses that rest are no findings.
 */
export function auditFindings(
  state: AuditState,
  limits: AuditLimits = { now: Number.MAX_SAFE_INTEGER, graceMs: 0 },
  networkId?: string,
): Finding[] {
  const malformed = state.malformed.map(({ kv, reason }): Finding => {
    const message = `${kv.key} can't be read: ${reason}`;
    return { kind: 'record_malformed', subject: kv.key, message, evidence: evidenceOf(kv) };
  });
  const ofNetworks = [...state.networks.values()].flatMap((network) =>
    network.record === undefined
      ? []
      : [...addressFindings(network, state, limits), ...nameFindings(network)],
  );
  const all = [...malformed, ...networkFindings(state), ...ofNetworks];
  return networkId === undefined ? all : all.filter((one) => one.networkId === networkId);
}
