import { SkeinError } from '@skein/contracts';
import { describe, expect, it } from '@jest/globals';
import { decodeText, hintOnShape, parseTransaction } from './kv-input';

function refusal(act: () => unknown): string {
  try {
    return `accepted: ${JSON.stringify(act())}`;
  } catch (thrown) {
    const { code, message } = SkeinError.from(thrown);
    return `${code}: ${message}`;
  }
}

describe('decodeText', () => {
  it('leaves text as it is, a byte order mark included', () => {
    const text = '\uFEFFgrün ✔\n';
    expect(decodeText(Buffer.from(text), 'Standard input')).toBe(text);
  });

  it('refuses bytes that are no UTF-8', () => {
    const bytes = Uint8Array.of(0xff, 0xfe);
    expect(refusal(() => decodeText(bytes, 'Standard input'))).toMatch(
      /^invalid_request: Standard input is not UTF-8/,
    );
  });
});

describe('a transaction of the wrong shape', () => {
  const hint = (field: string | undefined) => {
    const refusal = new SkeinError('invalid_request', 'Field …', field ? { field } : {});
    return SkeinError.from(hintOnShape(refusal)).facts['hint'];
  };

  it('is answered with an example of the part that is wrong', () => {
    expect(hint('compare.0.target')).toMatch(/^A comparison is like {"key":"k","target":/);
    expect(hint('failure.2')).toMatch(/^An operation is like {"type":"put","key":"k","value":"v"}/);
    expect(hint('sucess')).toMatch(/^A transaction is like {"compare":\[{"key":"k"/);
    expect(hint(undefined)).toMatch(/^A transaction is like/);
  });

  it('is told apart from all else', () => {
    const other = new SkeinError('no_space', 'full');
    expect(hintOnShape(other)).toBe(other);
  });
});

describe('parseTransaction', () => {
  it('says what is not JSON, and why', () => {
    expect(refusal(() => parseTransaction(' \n', undefined))).toBe(
      'malformed_json: Standard input is not JSON: it is empty',
    );
    expect(refusal(() => parseTransaction('{"a":x}', 'a.json'))).toMatch(
      /^malformed_json: 'a\.json' is not JSON: Unexpected token 'x'/,
    );
  });
});
