/** The fields of a package in package-lock.json that are used here. */
type Locked = {
  readonly link?: boolean;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};
export type Lockfile = { readonly packages: Readonly<Record<string, Locked>> };

/**
 * The sorted folders of all packages that workspaces need at run time, the workspaces included. The Debian package copies
 * them, so that it has exactly what was tested, and building it needs no network.
 *
 * @param workspaces their folders, relative to the lockfile.
 * @throws Error that names a dependency which the lockfile lacks.
 */
export function productionPackages({ packages }: Lockfile, workspaces: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (folder: string): void => {
    if (found.has(folder)) return;
    found.add(folder);
    const { dependencies = {}, optionalDependencies = {} } = packages[folder] ?? {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const at = nearest(packages, folder, name);
      if (at !== undefined) visit(packages[at]?.link ? String(packages[at]?.resolved) : at);
      else if (!(name in optionalDependencies)) throw new Error(`the lockfile has no ${name}, which ${folder} needs`);
    }
  };
  for (const workspace of workspaces) visit(workspace);
  return [...found].sort();
}

/** The folder in which Node finds a package that a module in another folder imports. */
function nearest(packages: Lockfile['packages'], folder: string, name: string): string | undefined {
  const parts = folder.split('/');
  for (let length = parts.length; length >= 0; length--) {
    if (parts[length - 1] === 'node_modules') continue;
    const at = [...parts.slice(0, length), 'node_modules', name].join('/');
    if (at in packages) return at;
  }
  return undefined;
}
