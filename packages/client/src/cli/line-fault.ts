/** Why a record came to nothing. */
export interface LineFault {
  /** A code of docs/errors.md. */
  readonly code: string;
  readonly message: string;
}
