// How users and the holders of temporary credentials are named in policies and answers.

/** A user: `arn:aws:iam::000000000000:user/path/name`. */
export function userArn(accountId: string, path: string, name: string): string {
  return `arn:aws:iam::${accountId}:user${path}${name}`;
}

/** A federated session: `arn:aws:sts::000000000000:federated-user/name`. */
export function federatedArn(accountId: string, name: string): string {
  return `arn:aws:sts::${accountId}:federated-user/${name}`;
}

/**
 * A session of a role: `arn:aws:sts::000000000000:assumed-role/path/role/name`. AWS leaves the path out, where a name is
 * given to one role only. Here every role can be assumed, so two that differ in their paths alone must not be confused.
 */
export function assumedRoleArn(accountId: string, role: string, name: string): string {
  return `arn:aws:sts::${accountId}:assumed-role/${role}/${name}`;
}

/** A role: `arn:aws:iam::000000000000:role/path/role`. */
export function roleArn(accountId: string, role: string): string {
  return `arn:aws:iam::${accountId}:role/${role}`;
}
