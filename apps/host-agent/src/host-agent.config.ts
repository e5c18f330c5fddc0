// What the agent takes from its environment; the fields' names give the variables: `hostId` is SKEIN_HOST_ID.

import { readFileSync } from 'node:fs';
import { idSchema, nameSchema } from '@skein/contracts';
import { parseAddress } from '@skein/ip';
import { commaList, wholeNumber } from '@skein/service-boot';
import { z } from 'zod';
import { isGossipKey } from './duty/gossip-keys';

const bootIdFile = '/proc/sys/kernel/random/boot_id';

const absolutePath = z.string().regex(/^\/[\w./-]{1,200}$/, 'expected an absolute path');
/** The kernel takes 107 bytes. */
const socketPath = absolutePath.max(107);

export const hostAgentConfigSchema = z.object({
  hostId: idSchema,
  hostName: nameSchema,
  /** Address of this host's tunnel endpoint; also where its gossip listens. */
  vtep: z.string().refine((text) => parseAddress(text).ok, 'expected an IPv4 or IPv6 address'),
  gossipPort: wholeNumber({ min: 1, max: 65_535 }).default(7_946),
  gossipPreset: z.enum(['lan', 'wan', 'local']).default('lan'),
  /** Base64 of 16, 24 or 32 bytes each, separated by commas: the first seals gossip, each opens it. None: gossip in the clear. */
  gossipKeys: z
    .string()
    .default('')
    .transform((text) => text.split(',').filter((key) => key !== ''))
    .refine(
      (keys) => keys.every((key) => isGossipKey(key)),
      'expected base64 of 16, 24 or 32 bytes',
    ),
  /** A file of such keys, one a line, read again when it changes; wins over `gossipKeys`. */
  gossipKeysFile: z.string().optional(),
  vxlanPort: wholeNumber({ min: 1, max: 65_535 }).default(4_789),
  netnsPrefix: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected a–z 0–9 -, at most 32, a letter first')
    .default('skein-'),
  netnsDir: absolutePath.default('/run/netns'),
  /** Tells one run of this host's kernel from the next. */
  bootId: z
    .string()
    .min(1)
    .max(64)
    .default(() => readFileSync(bootIdFile, 'utf8').trim()),
  /** Absent: that of the link that carries the tunnel endpoint. */
  underlayMtu: wholeNumber({ min: 576, max: 65_535 }).optional(),
  /** Where the host's own name servers stand: they are asked for names of elsewhere. */
  resolvConf: z.string().default('/etc/resolv.conf'),
  /** Whether the resolvers' common address is served in the host's own namespace too, as engines and their other containers need. */
  hostResolver: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
  reconcileMs: wholeNumber({ min: 100, max: 60_000 }).default(1_000),
  /** Where it keeps its key and credential; with SKEIN_NATS_CREDS, those of the user `join`, it obtains its own. */
  identityDir: z.string().optional(),
  /** To join with; a file `join-token` in `identityDir` does as well. */
  joinToken: z.string().optional(),
  /** Labels of this host, as in `zone=a,disk=ssd`: networks choose their hosts by them. */
  hostLabels: commaList().transform((pairs, context) => {
    const labels: Record<string, string> = {};
    for (const pair of pairs) {
      const at = pair.indexOf('=');
      if (at < 1) context.addIssue({ code: 'custom', message: `'${pair}' is not key=value` });
      else labels[pair.slice(0, at)] = pair.slice(at + 1);
    }
    return labels;
  }),
  /** Where this host's Docker engine listens: `/run/docker.sock`. Absent: no engine is spoken to. */
  dockerSocket: socketPath.optional(),
  /** Where the engine finds Skein as its network and address plugin: `/run/docker/plugins/skein.sock`. Absent: no such door. */
  pluginSocket: socketPath.optional(),
  /** Keeps what the engine has told only once; outlives restarts of the host. */
  stateDir: absolutePath.default('/var/lib/skein'),
});
export type HostAgentConfig = Readonly<z.output<typeof hostAgentConfigSchema>>;
