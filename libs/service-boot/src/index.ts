// The public face: how every app starts, and how its controllers serve contracts.

export {
  bootService,
  credentialsOf,
  runProcess,
  service,
  startMicroservice,
  type BootOptions,
  type Identity,
  type RunningApplication,
  type StartedService,
  type StartService,
  type StartContext,
} from './boot-service';
export {
  commaList,
  commonSchema,
  ConfigurationError,
  environmentName,
  jsonText,
  parseConfiguration,
  wholeNumber,
  type CommonConfiguration,
  type Environment,
} from './configuration';
export { createLogger, nestLogger, type ServiceLogger } from './logging';
export { Serve } from './serve';
export { PassErrors, SkeinTransport, type SkeinTransportOptions } from './skein-transport';
export { stopLimitMs } from './shutdown';
