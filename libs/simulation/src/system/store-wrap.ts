// A store whose transactions go another way, and everything else as before. It must not know why.

import type { Store } from '@skein/store-client';

export function withTransactions(store: Store, txn: Store['txn']): Store {
  return {
    get: (...given) => store.get(...given),
    range: (...given) => store.range(...given),
    put: (...given) => store.put(...given),
    delete: (...given) => store.delete(...given),
    txn,
    grantLease: (...given) => store.grantLease(...given),
    keepAlive: (...given) => store.keepAlive(...given),
    revokeLease: (...given) => store.revokeLease(...given),
    leases: (...given) => store.leases(...given),
    watch: (...given) => store.watch(...given),
  };
}
