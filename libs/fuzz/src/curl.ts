// A request as a line that somebody can paste into a shell.

import type { FuzzRequest } from './plan';

const longestText = 4_000;

/** A body that is too long for a line is told by its length: the seed makes it again. */
export function curlOf(url: string, { method, path, headers, body }: FuzzRequest): string {
  const words = ['curl', '-sS', '-i', '--path-as-is', '--globoff', '--max-time', '20'];
  if (method === 'HEAD') words.push('--head');
  else words.push('-X', method);
  for (const [name, value] of Object.entries(headers)) {
    // A header without a value needs its semicolon.
    words.push('-H', quoted(value === '' ? `${name};` : `${name}: ${value}`));
  }
  words.push(quoted(`${url}${path}`));
  if (body === undefined) return words.join(' ');
  if (body.length > longestText)
    return `head -c ${Buffer.byteLength(body)} /dev/zero | ${[...words, '--data-binary', '@-'].join(' ')} # the body began ${quoted(body.slice(0, 80))}`;
  return [...words, '--data-binary', quoted(body)].join(' ');
}

function quoted(text: string): string {
  if (/^[\w./:@=?&%+,-]+$/.test(text)) return text;
  if (!/[\x00-\x1f\x7f-\uffff'\\]/.test(text)) return `'${text}'`;
  const bytes = [...Buffer.from(text)].map((byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x27 || byte === 0x5c
      ? `\\x${byte.toString(16).padStart(2, '0')}`
      : String.fromCharCode(byte),
  );
  return `$'${bytes.join('')}'`;
}
