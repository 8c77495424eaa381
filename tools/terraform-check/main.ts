import { findProblems } from './problems.ts';
import { readModules } from './readModules.ts';

/*
 * Checks the Terraform modules and examples without Terraform: `node tools/terraform-check/main.ts`. Prints a line for each
 * problem, and exits with 1 if there is one.
 */

const modules = await readModules();
const problems = await findProblems(modules);
process.stdout.write(problems.map((problem) => `${problem}\n`).join(''));
process.stdout.write(`terraform: ${modules.size} modules and examples, ${problems.length} problems\n`);
// The parser's engine would keep the process alive.
process.exit(problems.length === 0 ? 0 : 1);
