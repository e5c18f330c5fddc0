import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  commaList,
  commonSchema,
  ConfigurationError,
  environmentName,
  parseConfiguration,
  wholeNumber,
} from './configuration';

const schema = z.object({
  dataDir: z.string(),
  maxHosts: wholeNumber({ min: 1, max: 10 }).default(5),
  peers: commaList(),
});

describe('configuration', () => {
  it.each([
    ['dataDir', 'SKEIN_DATA_DIR'],
    ['natsUrl', 'SKEIN_NATS_URL'],
    ['SKEIN_AS_IT_IS', 'SKEIN_AS_IT_IS'],
  ])('reads %s from %s', (field, variable) => expect(environmentName(field)).toBe(variable));

  it('is parsed, defaulted and frozen', () => {
    const environment = {
      SKEIN_DATA_DIR: '/var/lib/skein',
      SKEIN_PEERS: 'a, b,',
      SKEIN_MAX_HOSTS: '',
    };
    const config = parseConfiguration(schema, environment);
    expect(config).toEqual({ dataDir: '/var/lib/skein', maxHosts: 5, peers: ['a', 'b'] });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('tells all faults at once, by variable', () => {
    const parse = (): unknown => parseConfiguration(schema, { SKEIN_MAX_HOSTS: '11' });
    expect(parse).toThrow(ConfigurationError);
    expect(parse).toThrow(
      /2 fault\(s\)[^]*SKEIN_DATA_DIR: missing[^]*SKEIN_MAX_HOSTS: expected 1 to 10/,
    );
  });

  it.each(['1.5', 'ten', '0x1', ''])('takes %j for no whole number', (text) =>
    expect(wholeNumber({ min: 0, max: 99 }).safeParse(text).success).toBe(false),
  );

  it('has defaults for all that every service takes', () => {
    expect(parseConfiguration(commonSchema, {})).toEqual({
      natsUrl: ['nats://127.0.0.1:4222'],
      checkReplies: false,
      logLevel: 'info',
      exitWithParent: false,
      metricsAddress: '127.0.0.1',
      OTEL_SDK_DISABLED: false,
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_TRACES_SAMPLER: 'parentbased_always_on',
    });
  });
});
