// The smallest service, for the tests of how services start and end.

import { Controller, Inject, Module, type DynamicModule } from '@nestjs/common';
import { defineContract, SkeinError } from '@skein/contracts';
import type { RequestContext } from '@skein/messaging';
import { bootService, Serve } from '@skein/service-boot';
import { z } from 'zod';

const greetContract = defineContract({
  service: 'hello',
  verb: 'greet',
  description: 'Greets by name.',
  request: z.strictObject({ name: z.string() }),
  reply: z.object({ text: z.string(), requestId: z.string() }),
  idempotent: true,
});

const GREETING = Symbol('greeting');

@Controller()
class HelloController {
  constructor(@Inject(GREETING) private readonly greeting: string) {}

  @Serve(greetContract)
  async greet({ name }: { name: string }, { requestId }: RequestContext) {
    if (name === 'nobody') throw new SkeinError('host_not_found', 'Nobody is here');
    if (name === 'bug') throw new Error('a bug');
    if (name === 'stray') void Promise.reject(new Error('stray'));
    if (name === 'slow') await new Promise((resolve) => setTimeout(resolve, 200));
    return { text: `${this.greeting} ${name}`, requestId };
  }
}

@Module({})
class HelloModule {
  static create(greeting: string): DynamicModule {
    const providers = [{ provide: GREETING, useValue: greeting }];
    return { module: HelloModule, controllers: [HelloController], providers };
  }
}

await bootService({
  name: 'hello',
  description: 'Greets.',
  configSchema: z.object({
    greeting: z.string().default('hello'),
    volume: z.enum(['low', 'high']).default('low'),
  }),
  module: (config) => HelloModule.create(config.greeting),
});
