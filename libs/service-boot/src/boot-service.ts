// How every app starts: configuration, logger, NATS, Nest with its transport, readiness, orderly stop. An app's main.ts
// calls this once and holds nothing else.

import 'reflect-metadata';
import { readFileSync, realpathSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { Messenger, parseCredentials, type NatsCredentials } from '@skein/messaging';
import type { Meter } from '@skein/metrics';
import type { z } from 'zod';
import {
  commonSchema,
  ConfigurationError,
  parseConfiguration,
  type CommonConfiguration,
  type Environment,
} from './configuration';
import { keepHealthFile } from './health-file';
import { startMetrics } from './metrics';
import { createLogger, nestLogger, type ServiceLogger } from './logging';
import { crashOnUnhandled, stopOnSignals } from './shutdown';
import { PassErrors, SkeinTransport } from './skein-transport';
import { startTraces } from './traces';

/** Something that runs until it is closed: a Nest application of any kind. */
export interface RunningApplication {
  close(): Promise<void>;
}

export interface StartContext<Config> {
  readonly config: Config;
  readonly messenger: Messenger;
  readonly logger: ServiceLogger;
  readonly transport: SkeinTransport;
}

/** Who the app is to NATS, where it obtains that by itself. */
export interface Identity {
  readonly credentials: NatsCredentials;
  readonly inboxPrefix: string;
  /** Called once with the connection made with it, to keep it good; the answer ends that. */
  attend(messenger: Messenger): () => void;
}

export interface BootOptions<S extends z.ZodObject> {
  /** Name of the app in logs and in NATS' connection list. */
  readonly name: string;
  readonly description: string;
  readonly version?: string;
  /** Fields of the app's own; `dataDir` is read from SKEIN_DATA_DIR. */
  readonly configSchema: S;
  /** The composition root. */
  readonly module: (
    config: Readonly<z.output<S>>,
    messenger: Messenger,
    logger: ServiceLogger,
    transport: SkeinTransport,
    meter: Meter,
  ) => DynamicModule | Promise<DynamicModule>;
  /** What it measures with where it serves `/metrics` by itself; absent: a meter of its own, if it is given a port. */
  readonly meter?: () => Meter;
  /** Subject token for contracts that are per instance. */
  readonly instance?: (config: Readonly<z.output<S>>) => string;
  /** Id under which NATS lists the service's replica. */
  readonly instanceId?: (config: Readonly<z.output<S>>) => string;
  /** Obtains the app's identity before it connects; undefined: it is what the environment says. */
  readonly identify?: (
    config: Readonly<z.output<S>>,
    common: CommonConfiguration,
    logger: ServiceLogger,
  ) => Promise<Identity | undefined>;
  /** Starts the module; a microservice unless an app, as the gateway, brings another kind. */
  readonly start?: (
    module: DynamicModule,
    context: StartContext<Readonly<z.output<S>>>,
  ) => Promise<RunningApplication>;
}

/** A service that runs as a part of a process that may hold others. */
export interface StartedService {
  /** In order: what was started last is closed first. */
  stop(): Promise<void>;
}

export type StartService = (environment: Environment) => Promise<StartedService>;

/**
 * What an app's main module is: the service to start as a part of some process, and, if `url` is the program that the process was
 * started with, that service by itself.
 */
export async function service<S extends z.ZodObject>(
  url: string,
  options: BootOptions<S>,
): Promise<StartService> {
  if (isProgram(url)) await bootService(options);
  return async (environment) => {
    const { common, config } = readConfiguration(options.configSchema, environment);
    const logger = createLogger(options.name, common.logLevel);
    const closers: Closer[] = [];
    await startAll(options, { common, config, logger, closers });
    return { stop: () => closeAll(closers) };
  };
}

function isProgram(url: string): boolean {
  const [, program] = process.argv;
  return program !== undefined && url === pathToFileURL(realpathSync(program)).href;
}

/** Resolves when the service is ready; ends the process with code 1 if it can't start. */
export async function bootService<S extends z.ZodObject>(options: BootOptions<S>): Promise<void> {
  const { common, config } = readConfigurationOrEnd(options.configSchema);
  const logger = createLogger(options.name, common.logLevel);
  const closers: Closer[] = [];
  await runProcess({
    logger,
    common,
    start: () => startAll(options, { common, config, logger, closers }),
    stop: () => closeAll(closers),
  });
}

export interface ProcessParts {
  readonly logger: ServiceLogger;
  readonly common: Pick<CommonConfiguration, 'exitWithParent' | 'readyFd'>;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** What a process owes to whoever started it: it says when it is ready, ends in order on a signal, and at once on a fault. */
export async function runProcess({ logger, common, start, stop }: ProcessParts): Promise<void> {
  crashOnUnhandled(logger);
  stopOnSignals({ logger, stop, exitWithParent: common.exitWithParent });
  try {
    await start();
  } catch (thrown) {
    logger.fatal({ err: thrown }, 'start failed');
    process.exit(1);
  }
  announceReady(logger, common);
}

type Closer = () => Promise<void>;

async function closeAll(closers: readonly Closer[]): Promise<void> {
  for (const close of closers.toReversed()) await close();
}

interface Starting<Config> {
  readonly common: CommonConfiguration;
  readonly config: Config;
  readonly logger: ServiceLogger;
  /** What has been started, in order; closed in reverse. */
  readonly closers: Closer[];
}

async function startAll<S extends z.ZodObject>(
  options: BootOptions<S>,
  { common, config, logger, closers }: Starting<Readonly<z.output<S>>>,
): Promise<void> {
  const identity = await options.identify?.(config, common, logger);
  const messenger = await connect(options.name, common, identity, logger);
  closers.push(() => messenger.drain());
  const leave = identity?.attend(messenger);
  closers.push(async () => leave?.());
  const version = options.version ?? '0.1.0';
  const instance = options.instance?.(config);
  const instanceId = options.instanceId?.(config);
  closers.push(
    await startTraces(options.name, {
      ...{ common, messenger, logger, version },
      instance: instanceId ?? instance,
    }),
  );
  const { description } = options;
  const transport = new SkeinTransport({ messenger, version, description, instance, instanceId });
  const { meter, close } = await startMetrics(options, { common, messenger, logger });
  closers.push(close);
  const module = await options.module(config, messenger, logger, transport, meter);
  const start = options.start ?? startMicroservice;
  const application = await start(module, { config, messenger, logger, transport });
  closers.push(() => application.close());
  // Who hears that this service is ready may ask at once, on another connection.
  await messenger.flush();
  const { healthFile } = common;
  if (healthFile === undefined) return;
  const end = keepHealthFile(healthFile, () => messenger.connected);
  closers.push(async () => end());
}

export async function startMicroservice(
  module: DynamicModule,
  { logger, transport }: StartContext<unknown>,
): Promise<RunningApplication> {
  const application = await NestFactory.createMicroservice<MicroserviceOptions>(module, {
    strategy: transport,
    logger: nestLogger(logger),
    abortOnError: false,
  });
  application.useGlobalFilters(new PassErrors());
  await application.listen();
  return application;
}

interface ReadConfiguration<S extends z.ZodObject> {
  readonly common: CommonConfiguration;
  readonly config: Readonly<z.output<S>>;
}

/** Throws `ConfigurationError` with all faults at once. */
function readConfiguration<S extends z.ZodObject>(
  schema: S,
  environment: Environment,
): ReadConfiguration<S> {
  parseConfiguration(commonSchema.extend(schema.shape), environment);
  return {
    common: parseConfiguration(commonSchema, environment),
    config: parseConfiguration(schema, environment),
  };
}

function readConfigurationOrEnd<S extends z.ZodObject>(schema: S): ReadConfiguration<S> {
  try {
    return readConfiguration(schema, process.env);
  } catch (thrown) {
    if (!(thrown instanceof ConfigurationError)) throw thrown;
    process.stderr.write(`${thrown.message}\n`);
    process.exit(2);
  }
}

function connect(
  name: string,
  common: CommonConfiguration,
  identity: Identity | undefined,
  logger: ServiceLogger,
): Promise<Messenger> {
  return Messenger.connect(
    {
      servers: common.natsUrl,
      name,
      user: common.natsUser,
      password: common.natsPassword,
      credentials: identity?.credentials ?? credentialsOf(common),
      caFile: common.natsCa,
      inboxPrefix: identity?.inboxPrefix ?? common.natsInbox,
      connectTimeoutMs: common.natsConnectTimeoutMs,
      checkReplies: common.checkReplies,
    },
    logger,
  );
}

/** The credentials that the environment names; undefined if it names none. Throws if the file is not there or is none. */
export function credentialsOf({ natsCreds }: CommonConfiguration): NatsCredentials | undefined {
  if (natsCreds === undefined) return undefined;
  return parseCredentials(readFileSync(natsCreds, 'utf8'));
}

function announceReady(logger: ServiceLogger, common: Pick<CommonConfiguration, 'readyFd'>): void {
  logger.info({ rssBytes: process.memoryUsage.rss() }, 'ready');
  if (common.readyFd !== undefined) writeSync(common.readyFd, 'ready\n');
  process.send?.({ type: 'ready' });
}
