// The whole table, in the order in which people read it.

import type { Route } from '../http/route';
import { clusterRoutes } from './cluster';
import { endpointRoutes } from './endpoints';
import { historyRoutes } from './history';
import { hostRoutes } from './hosts';
import { kvRoutes } from './kv';
import { leaseRoutes } from './leases';
import { networkRoutes } from './networks';
import { replicaRoutes } from './replicas';

export const routes: readonly Route[] = [
  ...networkRoutes,
  ...endpointRoutes,
  ...hostRoutes,
  ...historyRoutes,
  ...clusterRoutes,
  ...replicaRoutes,
  ...kvRoutes,
  ...leaseRoutes,
];
