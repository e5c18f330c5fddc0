// All of Skein but NATS in one process, for small machines: the same services, each with its own environment, connection and messages.
// Each is the program that it is elsewhere, taken from beside this one; nothing passes between them but what passes over NATS.

import {
  commonSchema,
  ConfigurationError,
  createLogger,
  parseConfiguration,
  runProcess,
  type StartedService,
  type StartService,
} from '@skein/service-boot';
import { partNames, singleConfigSchema, type PartName } from './single.config';

const { common, parts } = readOrEnd();
const logger = createLogger('single', common.logLevel);
const started = new Map<PartName, StartedService>();

await runProcess({
  logger,
  common,
  start: async () => {
    await Promise.all(partNames.map(startPart));
  },
  stop: async () => {
    for (const name of partNames.toReversed()) await started.get(name)?.stop();
  },
});

async function startPart(name: PartName): Promise<void> {
  const program = new URL(`./${name}.js`, import.meta.url).href;
  const { start } = (await import(program)) as { start: StartService };
  started.set(name, await start(parts[name]));
}

function readOrEnd() {
  try {
    const { parts: own } = parseConfiguration(singleConfigSchema, process.env);
    return { common: parseConfiguration(commonSchema, process.env), parts: own };
  } catch (thrown) {
    if (!(thrown instanceof ConfigurationError)) throw thrown;
    process.stderr.write(`${thrown.message}\n`);
    process.exit(2);
  }
}
