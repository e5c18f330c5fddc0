// Says once when a recovering replica hears no leader: perhaps too few members are whole, and then only an operator can go on.

import type { RaftStatus } from '@skein/raft';
import type { ServiceLogger } from '@skein/service-boot';

export class CallForHelp {
  /** Times in a row. */
  private looksStuck = 0;

  constructor(private readonly logger: ServiceLogger) {}

  /** Every few seconds. */
  look({
    isRecovering,
    leader,
    configuration,
  }: Pick<RaftStatus, 'isRecovering' | 'leader' | 'configuration'>): void {
    this.looksStuck = isRecovering && leader === null ? this.looksStuck + 1 : 0;
    if (this.looksStuck !== 2) return;
    this.logger.error(
      { voters: configuration.incoming },
      'this log was damaged and no leader is heard: start the other members; if most of them are damaged or lost, run `skein cluster recover` on one that is whole',
    );
  }
}
