import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findGateway } from './address';
import { path, problemError, queryText } from './api';

describe('findGateway', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'skein-address-'));
    mkdirSync(join(home, '.skein'));
    mkdirSync(join(home, 'a', 'b'), { recursive: true });
    const client = { url: 'http://127.0.0.1:1234/', token: 'secret' };
    writeFileSync(join(home, '.skein', 'client.json'), JSON.stringify(client));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  it('reads the file of a folder above', () => {
    const found = findGateway({}, join(home, 'a', 'b'));
    expect(found).toMatchObject({ url: 'http://127.0.0.1:1234', token: 'secret' });
  });

  it('reads the file of the clone that the launcher names', () => {
    expect(findGateway({ SKEIN_HOME: home }, '/').token).toBe('secret');
  });

  it('lets variables win, each for itself', () => {
    const found = findGateway({ SKEIN_URL: 'http://example.test', SKEIN_HOME: home }, '/');
    expect(found).toEqual({ url: 'http://example.test', token: 'secret', source: 'SKEIN_URL' });
  });

  it('falls back to the default address without a token', () => {
    expect(findGateway({}, '/')).toEqual({
      url: 'http://127.0.0.1:8480',
      token: undefined,
      source: 'default',
    });
  });
});

describe('path', () => {
  it('encodes what varies', () => {
    expect(path`/v1/networks/${'a/b'}/endpoints/${'x y'}`).toBe(
      '/v1/networks/a%2Fb/endpoints/x%20y',
    );
  });
});

describe('queryText', () => {
  it('leaves out what is not given', () => {
    expect(queryText({ limit: 5, cursor: undefined, at: '2026-11-22T10:00:00+02:00' })).toBe(
      '?limit=5&at=2026-11-22T10%3A00%3A00%2B02%3A00',
    );
    expect(queryText({})).toBe('');
  });
});

describe('problemError', () => {
  it('rebuilds the error with its field and facts', () => {
    const text = JSON.stringify({
      type: '/docs/errors#address_taken',
      title: 't',
      status: 409,
      code: 'address_taken',
      detail: 'd',
      field: 'f',
      holder: 'e1',
    });
    expect(problemError(409, text).toBody()).toEqual({
      code: 'address_taken',
      message: 'd',
      field: 'f',
      facts: { holder: 'e1' },
    });
  });

  it.each(['<html>', '', '{"code":"nonsense"}'])('calls %p what it is', (text) => {
    expect(problemError(502, text)).toMatchObject({ code: 'internal' });
  });
});
