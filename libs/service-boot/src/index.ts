// The public face: how every app starts, and how its controllers serve contracts.

export {
  bootService,
  credentialsOf,
  startMicroservice,
  type BootOptions,
  type Identity,
  type RunningApplication,
  type StartContext,
} from './boot-service';
export {
  commaList,
  ConfigurationError,
  environmentName,
  jsonText,
  parseConfiguration,
  wholeNumber,
  type CommonConfiguration,
} from './configuration';
export { createLogger, nestLogger, type ServiceLogger } from './logging';
export { Serve } from './serve';
export { PassErrors, SkeinTransport, type SkeinTransportOptions } from './skein-transport';
export { stopLimitMs } from './shutdown';
