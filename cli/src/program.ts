import { Argument, Command, Option } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import type { CliProcess, CommandContext } from './CommandContext.ts';
import { addFleetCommands } from './fleetCommands.ts';
import { addLocalCommands } from './localCommands.ts';
import { Output } from './Output.ts';
import { readEnvironment, serverNames } from './serverSettings.ts';

/** The operators' command line, with every command, its arguments and options. */
export function createProgram(cliProcess: CliProcess): Command {
  const program = new Command('mediasoup-server')
    .description('Operates media daemons and their control plane.')
    .version(manifest.version);
  const groupOf = (name: string) => program.commands.find((one) => one.name() === name) ?? program.command(name);
  const context: CommandContext = {
    ...cliProcess,
    command: (names, summary) => {
      const [name = '', group] = names.split(' ').toReversed();
      const parent = group === undefined ? program : groupOf(group);
      return parent.command(name).description(summary).option('--json', 'print one JSON object a line');
    },
    server: () => new Argument('<server>', 'the server').choices(serverNames),
    envFile: () => new Option('--env-file <file>', 'file with settings, which override the environment'),
    settings: ({ envFile }) => readEnvironment(cliProcess.environment, envFile),
    output: (options) => new Output(cliProcess, options),
  };
  addLocalCommands(context);
  addFleetCommands(context);
  return program;
}
