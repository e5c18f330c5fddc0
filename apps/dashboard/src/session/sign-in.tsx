// Asks for the token, once a tab.

import { useState, type FormEvent } from 'react';
import { Mark } from '../parts/icons';

export function SignIn(props: {
  readonly problem: string | undefined;
  readonly onEnter: (token: string) => void;
}) {
  const [token, setToken] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (token.trim() !== '') props.onEnter(token.trim());
  };
  return (
    <main className="sign-in">
      <form className="card" onSubmit={submit}>
        <h1 className="brand">
          <Mark /> Skein
        </h1>
        <p className="soft">
          The gateway wants a token. <code>./skein up</code> and <code>./skein demo</code> print a
          link that brings one; it also stands in <code>.skein/client.json</code>. It stays in this
          tab alone.
        </p>
        <label>
          Token
          <input
            type="password"
            autoComplete="off"
            autoFocus
            value={token}
            onChange={({ target }) => setToken(target.value)}
            aria-describedby="token-problem"
          />
        </label>
        <p className="problem" id="token-problem" role="alert">
          {props.problem}
        </p>
        <button className="strong" type="submit">
          Open
        </button>
      </form>
    </main>
  );
}
