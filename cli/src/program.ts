import { Argument, Command, Option } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { addFleetCommands } from './fleetCommands.ts';
import { type Environment, halves, readEnvironment } from './Half.ts';
import { addLocalCommands } from './localCommands.ts';
import { Output, type Streams } from './Output.ts';

export type Surroundings = Streams & { readonly environment: Environment };

/** What every command may be given. */
export type CommonOptions = { readonly json?: true; readonly envFile?: string };

/** What commands are made of. */
export type Parts = Surroundings & {
  /** A command by its names, such as `rooms list`, which is to be given its action. */
  command(names: string, summary: string): Command;
  /** The argument that says which server is meant. */
  server(): Argument;
  envFile(): Option;
  /** The environment that the options say. */
  settings(options: CommonOptions): Promise<Environment>;
  output(options: CommonOptions): Output;
};

/** The operators' command line: every command with its arguments, options and what it does. */
export function createProgram(surroundings: Surroundings): Command {
  const program = new Command('mediasoup-server')
    .description('Operates media daemons and their control plane.')
    .version(manifest.version);
  const groupOf = (name: string) => program.commands.find((one) => one.name() === name) ?? program.command(name);
  const parts: Parts = {
    ...surroundings,
    command: (names, summary) => {
      const [name = '', group] = names.split(' ').toReversed();
      const parent = group === undefined ? program : groupOf(group);
      return parent.command(name).description(summary).option('--json', 'answer one JSON object a line');
    },
    server: () => new Argument('<server>', 'which of the two').choices(halves),
    envFile: () => new Option('--env-file <file>', 'settings in a file, over those of the environment'),
    settings: ({ envFile }) => readEnvironment(surroundings.environment, envFile),
    output: (options) => new Output(surroundings, options),
  };
  addLocalCommands(parts);
  addFleetCommands(parts);
  return program;
}
