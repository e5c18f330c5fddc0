// The whole table, in the order in which people read it.

import type { Route } from '../http/route';
import { addressRoutes } from './addresses';
import { clusterRoutes } from './cluster';
import { endpointRoutes } from './endpoints';
import { historyRoutes } from './history';
import { hostRoutes } from './hosts';
import { joinTokenRoutes } from './join-tokens';
import { kvRoutes } from './kv';
import { leaseRoutes } from './leases';
import { networkRoutes } from './networks';
import { reachabilityRoutes } from './reachability';
import { replicaRoutes } from './replicas';
import { serviceRoutes } from './services';
import { tokenRoutes } from './tokens';

export const routes: readonly Route[] = [
  ...networkRoutes,
  ...addressRoutes,
  ...endpointRoutes,
  ...serviceRoutes,
  ...hostRoutes,
  ...reachabilityRoutes,
  ...joinTokenRoutes,
  ...tokenRoutes,
  ...historyRoutes,
  ...clusterRoutes,
  ...replicaRoutes,
  ...kvRoutes,
  ...leaseRoutes,
];
