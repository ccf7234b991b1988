/** What a command ends with; docs/cli.md has the same table. */
export const exitCodes = {
  fine: 0,
  /** Some lines failed; or the one task that was asked about is not there, was refused or failed. */
  failed: 1,
  /** The command, an option or a setting is wrong; nothing was done. */
  usage: 2,
  /** No mill answers, or it does not let us in. */
  unreachable: 3,
  /** A run broke off, such as on a full disk; `--resume` continues it. */
  brokenOff: 4,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
