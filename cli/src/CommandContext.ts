import type { Argument, Command, Option } from 'commander';
import type { Output, Streams } from './Output.ts';
import type { Environment } from './serverSettings.ts';

/** What the command line reads and writes of its process. */
export type CliProcess = Streams & { readonly environment: Environment };

/** The options that every command has. */
export type CommonOptions = { readonly json?: true; readonly envFile?: string };

/** What the commands are built with. */
export type CommandContext = CliProcess & {
  /** Adds a command by its names, such as `rooms list`. The caller adds its arguments, options and action. */
  command(names: string, summary: string): Command;
  /** The argument that names one of the two servers. */
  server(): Argument;
  envFile(): Option;
  /** The environment, with the settings of `--env-file` over it. */
  settings(options: CommonOptions): Promise<Environment>;
  output(options: CommonOptions): Output;
};
