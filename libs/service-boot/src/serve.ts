// Marks a controller's method as the answer to a contract: `@Serve(createNetworkContract)` before a method that takes
// the parsed request and the request's context. Built on Nest's own message pattern.

import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { Contract } from '@skein/contracts';
import type { Handler } from '@skein/messaging';

export interface ServeExtras {
  readonly contract: Contract;
  readonly maxPending?: number | undefined;
}

export function Serve<C extends Contract>(
  contract: C,
  options: { readonly maxPending?: number } = {},
): <M extends Handler<C>>(
  target: object,
  key: string,
  descriptor: TypedPropertyDescriptor<M>,
) => void {
  const extras: ServeExtras = { contract, ...options };
  return (target, key, descriptor) => {
    Payload()(target, key, 0);
    Ctx()(target, key, 1);
    MessagePattern(`${contract.service}.${contract.verb}`, extras)(target, key, descriptor);
  };
}
