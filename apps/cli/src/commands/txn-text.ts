// A transaction as one types it: `--if 'version(k) = 0' --then 'put k v' --else 'get k'`. The words are those of the store.

import { SkeinError } from '@skein/contracts';

const targets = {
  version: 'version',
  create: 'createRevision',
  mod: 'modRevision',
  value: 'value',
  lease: 'lease',
} as const;

/** `version(key) = 0`, `mod(key) > 12`, `value(key) = text`, `lease(key) = l1`. Throws `invalid_request`. */
export function parseCompare(text: string): object {
  const found = /^(version|create|mod|value|lease)\((.+?)\)\s*(=|!=|<|>)\s*(.*)$/s.exec(
    text.trim(),
  );
  if (found === null) {
    throw refused(`'${text}' is no comparison such as 'version(k) = 0' or 'value(k) = v'`, 'if');
  }
  const [, name, key, operator, operand = ''] = found;
  const target = targets[name as keyof typeof targets];
  const isText = target === 'value' || target === 'lease';
  if (!isText && !/^\d{1,15}$/.test(operand)) {
    throw refused(`'${operand}' in '${text}' is no whole number`, 'if');
  }
  return { key, target, operator, value: isText ? operand : Number(operand) };
}

/** `put KEY VALUE`, `get KEY [--prefix]`, `del KEY [--prefix]`; a value is all that follows. Throws `invalid_request`. */
export function parseOperation(text: string, field: string): object {
  const put = /^put\s+(\S+)\s(.*)$/s.exec(text.trim());
  if (put !== null) return { type: 'put', key: put[1], value: put[2] };
  const other = /^(get|del)\s+(\S+?)(\s+--prefix)?$/.exec(text.trim());
  if (other !== null) {
    const type = other[1] === 'get' ? 'range' : 'delete';
    return { type, key: other[2], ...(other[3] === undefined ? {} : { prefix: true }) };
  }
  throw refused(
    `'${text}' is none of: put KEY VALUE, get KEY [--prefix], del KEY [--prefix]`,
    field,
  );
}

function refused(message: string, field: string): SkeinError {
  return new SkeinError('invalid_request', message, { field });
}
