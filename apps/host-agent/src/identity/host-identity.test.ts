import { beforeEach, describe, expect, it } from '@jest/globals';
import { SkeinError, type ErrorCode } from '@skein/contracts';
import { silentLogger } from '@skein/messaging';
import { systemTime } from '@skein/time';
import { HostIdentity, type Credential } from './host-identity';

const hourMs = 3_600_000;

/** The cluster's door, and what the host keeps; each answer is given once, the last one for ever. */
class Scene {
  answers: (string | ErrorCode)[] = [];
  readonly asked: string[] = [];
  readonly timers: { ms: number; action: () => void }[] = [];
  readonly kept = {
    credential: undefined as string | undefined,
    joinToken: undefined as string | undefined,
    keepCredential: (jwt: string) => void (this.kept.credential = jwt),
  };

  identity(joinToken?: string): HostIdentity {
    const answer = (question: string) => {
      this.asked.push(question);
      return this.#answer();
    };
    return new HostIdentity({
      door: { renew: () => answer('renew'), join: (token) => answer(`join ${token}`) },
      kept: this.kept,
      joinToken,
      logger: silentLogger,
      time: {
        ...systemTime,
        after: (ms, action) => {
          // Pauses between knocks are over at once; what is planned for later waits for the test.
          if (ms < 1_000) systemTime.soon(action);
          else this.timers.push({ ms, action });
          return () => undefined;
        },
      },
    });
  }

  async #answer(): Promise<Credential> {
    const next = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    if (next === undefined) throw new SkeinError('unavailable', 'nobody there');
    if (!next.startsWith('jwt')) throw new SkeinError(next as ErrorCode, 'refused');
    return { jwt: next, ttlMs: hourMs };
  }
}

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});

describe('the identity of a host', () => {
  it('is renewed if it has joined, without its token', async () => {
    scene.answers = ['jwt-1'];
    const identity = scene.identity('token');
    await identity.obtain();
    expect(scene.asked).toEqual(['renew']);
    expect(identity.jwt()).toBe('jwt-1');
    expect(scene.kept.credential).toBe('jwt-1');
  });

  it('is joined with the token of the environment, then with that of the folder', async () => {
    scene.answers = ['host_not_joined', 'join_token_used_up', 'jwt-1'];
    scene.kept.joinToken = 'second';
    await scene.identity('first').obtain();
    expect(scene.asked).toEqual(['renew', 'join first', 'join second']);
  });

  it('is waited for while the door does not answer, and while it refuses', async () => {
    scene.answers = ['unavailable', 'host_not_joined', 'host_not_joined', 'jwt-1'];
    await scene.identity().obtain();
    expect(scene.asked).toHaveLength(4);
  });

  it('is the kept one, if the door does not answer', async () => {
    scene.kept.credential = 'jwt-0';
    const identity = scene.identity();
    await identity.obtain();
    expect(identity.jwt()).toBe('jwt-0');
  });

  it('is not the kept one, if the door says that it has ended', async () => {
    scene.kept.credential = 'jwt-0';
    scene.answers = ['host_not_joined', 'host_not_joined', 'host_not_joined', 'jwt-1'];
    const identity = scene.identity();
    await identity.obtain();
    expect(identity.jwt()).toBe('jwt-1');
  });

  it('is renewed when half of its time is over, and told each time', async () => {
    scene.answers = ['jwt-1', 'jwt-2'];
    const identity = scene.identity();
    await identity.obtain();
    const renewed = new Promise<void>((resolve) => void identity.attend(resolve));
    expect(scene.timers.map(({ ms }) => ms)).toEqual([hourMs / 2]);
    scene.timers[0]?.action();
    await renewed;
    expect(identity.jwt()).toBe('jwt-2');
    await new Promise((resolve) => setImmediate(resolve));
    expect(scene.timers.map(({ ms }) => ms)).toEqual([hourMs / 2, hourMs / 2]);
  });
});
