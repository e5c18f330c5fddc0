// What Lifeguard's paper compares (DSN 2018): plain SWIM and each of its parts alone and together, and what this product
// makes of them. α = 5, β = 6, K = 3, LAN timing. Each is a difference to plain SWIM; knows no experiment.

import { swimConfig, type SwimConfig } from '@skein/swim';

export type LifeguardConfiguration =
  'SWIM' | 'LHA-Probe' | 'LHA-Suspicion' | 'Buddy System' | 'Lifeguard' | 'Skein';

/** A suspicion of fixed length wants no confirmation, so that none is gossiped either. */
const plain: Partial<SwimConfig> = {
  suspicionMultiplier: 5,
  suspicionMaxMultiplier: 1,
  confirmations: 0,
  localHealthMax: 1,
  nack: false,
  buddy: false,
  stallMs: Infinity,
  silenceMs: Infinity,
};

const probe: Partial<SwimConfig> = { localHealthMax: 8, nack: true };
const suspicion: Partial<SwimConfig> = { suspicionMaxMultiplier: 6, confirmations: 3 };
const buddy: Partial<SwimConfig> = { buddy: true };
const lifeguard: Partial<SwimConfig> = { ...probe, ...suspicion, ...buddy };

const differences: Record<LifeguardConfiguration, Partial<SwimConfig>> = {
  SWIM: {},
  'LHA-Probe': probe,
  'LHA-Suspicion': suspicion,
  'Buddy System': buddy,
  Lifeguard: lifeguard,
  Skein: { ...lifeguard, stallMs: 500, silenceMs: 2_000 },
};

export const lifeguardConfigurations = Object.keys(differences) as LifeguardConfiguration[];

export function lifeguardConfig(configuration: LifeguardConfiguration): Readonly<SwimConfig> {
  return swimConfig('lan', { ...plain, ...differences[configuration] });
}
