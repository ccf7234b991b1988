/**
 * Why the work on a run stops before its end: somebody cancelled it, its time is over, another process has its lease, or this
 * one closes. The run's record says how it goes on; nothing of the work itself is lost.
 */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly why: 'cancelled' | 'expired' | 'lost' | 'closing';

  constructor(why: Interruption['why']) {
    super(`the work on a run was interrupted: ${why}`);
    this.why = why;
  }
}
