// The faults of a run, chosen by a seeded generator: two lanes at once, one for what steers, one for the hosts. Only chooses;
// who leads or is active at that moment is found out when it happens.

import type { Random } from '@skein/simulation';
import { hostIds, managerIds } from './plan';

/** A process by name, or by what it is at that moment. */
export type Victim =
  | { readonly is: 'process'; readonly name: string }
  | { readonly is: 'leader' }
  | { readonly is: 'activeRegistry' }
  | { readonly is: 'ipamHolder' };

export type CutShape = 'cut' | 'deaf' | 'mute';

export type Fault =
  | { readonly kind: 'kill'; readonly victims: readonly Victim[]; readonly forMs: number }
  | { readonly kind: 'pause'; readonly victims: readonly Victim[]; readonly forMs: number }
  /** From NATS, and so from all others. */
  | {
      readonly kind: 'cut';
      readonly victims: readonly Victim[];
      readonly shape: CutShape;
      readonly forMs: number;
    }
  | { readonly kind: 'cutUnderlay'; readonly host: string; readonly forMs: number }
  | { readonly kind: 'reboot'; readonly host: string; readonly forMs: number }
  | { readonly kind: 'deleteRows'; readonly host: string }
  | { readonly kind: 'drain'; readonly host: string; readonly forMs: number };

const named = (name: string): Victim => ({ is: 'process', name });

/** What comes next for managers, services and NATS. */
export function nextSteeringFault(random: Random): Fault {
  const forMs = random.between(100, 3_000);
  const dice = random.next();
  const way = random.next();
  const shape = random.pick(['cut', 'cut', 'deaf', 'mute'] as const);
  const manager = random.chance(0.5) ? ({ is: 'leader' } as const) : named(anyManager(random));
  const service = random.pick<Victim>([
    named('ipam'),
    named('ipam-2'),
    named('registry'),
    named('registry-2'),
    { is: 'activeRegistry' },
    { is: 'activeRegistry' },
    { is: 'ipamHolder' },
    { is: 'ipamHolder' },
  ]);
  const on = (victims: readonly Victim[]): Fault => {
    if (way < 0.5) return { kind: 'kill', victims, forMs };
    if (way < 0.75) return { kind: 'pause', victims, forMs };
    return { kind: 'cut', victims, shape, forMs };
  };
  if (dice < 0.3) return on([manager]);
  if (dice < 0.65) return on([service]);
  if (dice < 0.72) return on([named('gateway')]);
  if (dice < 0.79) return { kind: way < 0.6 ? 'kill' : 'pause', victims: [named('nats')], forMs };
  const app = random.pick(['ipam', 'registry']);
  if (dice < 0.88) return on([named(app), named(`${app}-2`)]);
  if (dice < 0.94) return on([manager, { is: 'activeRegistry' }, { is: 'ipamHolder' }]);
  const [one = 'm1', two = 'm2'] = random.shuffle(managerIds);
  return on([named(`consensus-${one}`), named(`consensus-${two}`)]);
}

/** What comes next for a host: most leave its data plane alone. */
export function nextHostFault(random: Random): Fault {
  const host = random.pick(hostIds);
  const victims = [named(`agent-${host}`)];
  const shortMs = random.between(100, 2_500);
  const longMs = random.between(7_000, 12_000);
  const dice = random.next();
  const forMs = random.chance(0.25) ? longMs : shortMs;
  if (dice < 0.3) return { kind: 'kill', victims, forMs };
  if (dice < 0.5) return { kind: 'pause', victims, forMs };
  if (dice < 0.65) return { kind: 'cut', victims, shape: 'cut', forMs };
  if (dice < 0.75) return { kind: 'cutUnderlay', host, forMs: shortMs };
  if (dice < 0.83) return { kind: 'reboot', host, forMs: random.chance(0.5) ? longMs : shortMs };
  if (dice < 0.94) return { kind: 'deleteRows', host };
  return { kind: 'drain', host, forMs: shortMs };
}

function anyManager(random: Random): string {
  return `consensus-${random.pick(managerIds)}`;
}
