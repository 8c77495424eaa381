/** What the command line's exit codes mean. */
export const exitCodes = {
  0: 'done',
  1: 'refused, failed, or something is wrong; standard error says what',
  2: 'the command line makes no sense',
  3: 'the control plane or the media daemon could not be reached',
} as const;

/** A failure that ends the command with a message and a code. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: Exclude<keyof typeof exitCodes, 0>;

  constructor(message: string, exitCode: CliError['exitCode'] = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
