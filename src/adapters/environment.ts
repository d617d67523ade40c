export interface Environment {
  readonly names: readonly string[];
  /** The value of a variable, '' where there is none. */
  readonly get: (name: string) => string;
}

/** The environment with these texts of inputs, by their names, as a runner would set them. */
export function withInputs(environment: Environment, inputs: Readonly<Record<string, string>>): Environment {
  const set = new Map(Object.entries(inputs).map(([name, text]) => [`INPUT_${name.toUpperCase()}`, text]));
  return {
    names: [...new Set([...environment.names, ...set.keys()])],
    get: (name) => set.get(name) ?? environment.get(name),
  };
}

/** What GitHub gives to a step's action, and to nobody that the action starts: inputs, what was saved for the post step, and tokens. */
const own = /^(?:INPUT|STATE|ACTIONS)_|^(?:GITHUB|GH)_(?:\w+_)?(?:TOKEN|PAT)$/i;
/** By these programs that the kubeconfig names sign in as the workflow (kubelogin does); a job has them only where its permissions say so. */
const signIn = /^ACTIONS_ID_TOKEN_REQUEST_(?:TOKEN|URL)$/;

/**
 * The environment as it was, for the action itself. What is the action's own is taken out of the process, since every program that it starts
 * inherits the rest: a kubeconfig may name programs that bring credentials.
 */
export function takeEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const all = new Map(Object.entries(variables));
  for (const name of all.keys()) if (own.test(name) && !signIn.test(name)) Reflect.deleteProperty(variables, name);
  return { names: [...all.keys()], get: (name) => all.get(name) ?? '' };
}

/** Files by which a step of a workflow tells the runner what it would tell by commands in the log. */
const commandFile = /^GITHUB_(?:ENV|OUTPUT|PATH|STATE|STEP_SUMMARY)$/;

/**
 * What commands of the workflow inherit: the variables that the workflow gave to the step. None of the action's own, no kubeconfig, no way to sign in as
 * the workflow, and no file by which they could tell the runner anything.
 */
export function environmentOfCommands(variables: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) =>
      value === undefined || own.test(name) || commandFile.test(name) || name === 'KUBECONFIG' ? [] : [[name, value]],
    ),
  );
}
