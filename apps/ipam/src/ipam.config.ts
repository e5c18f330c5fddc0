// What ipam takes from its environment; the fields' names give the variables: `restMs` is SKEIN_IPAM_REST_MS.

import { parseCidr, subnetCount, type Cidr } from '@skein/ip';
import { commaList, wholeNumber } from '@skein/service-boot';
import { idSchema } from '@skein/contracts';
import { z } from 'zod';

const cidrList = (fallback: string) =>
  commaList()
    .transform((list) => (list.length === 0 ? fallback.split(',').filter(Boolean) : list))
    .transform((list, context): Cidr[] =>
      list.flatMap((text) => {
        const result = parseCidr(text);
        if (result.ok) return [result.value];
        context.addIssue({ code: 'custom', message: result.message });
        return [];
      }),
    );

/** `10.0.0.0/8:24`: a prefix and the length of the subnets that it is cut into. */
const poolList = commaList()
  .transform((list) => (list.length === 0 ? ['10.0.0.0/8:24', 'fd53:6b65:696e::/48:64'] : list))
  .transform((list, context) =>
    list.flatMap((text) => {
      const [, prefix = '', length = ''] = /^(.+\/\d+):(\d+)$/.exec(text) ?? [];
      const result = parseCidr(prefix);
      const prefixLength = Number(length);
      if (result.ok && subnetCount(result.value, prefixLength) > 0n) {
        return [{ cidr: result.value, prefixLength }];
      }
      context.addIssue({ code: 'custom', message: `'${text}' is no pool, as in 10.0.0.0/8:24` });
      return [];
    }),
  );

export const ipamConfigSchema = z.object({
  replicaId: idSchema,
  ipamPools: poolList,
  /** No network may have these: the site's own. */
  ipamExcluded: cidrList(''),
  /** How long a released address rests before it is given to somebody else. */
  ipamRestMs: wholeNumber({ min: 0, max: 86_400_000 }).default(30_000),
  /** A replica that dies holds its networks up for this long at most. */
  ipamActivationTtlMs: wholeNumber({ min: 500, max: 60_000 }).default(2_500),
});
export type IpamConfig = Readonly<z.output<typeof ipamConfigSchema>>;
