// The ARNs of users, roles and sessions in policies and answers.

/** A user: `arn:aws:iam::000000000000:user/path/name`. */
export function userArn(accountId: string, path: string, name: string): string {
  return `arn:aws:iam::${accountId}:user${path}${name}`;
}

/** A federated session: `arn:aws:sts::000000000000:federated-user/name`. */
export function federatedArn(accountId: string, name: string): string {
  return `arn:aws:sts::${accountId}:federated-user/${name}`;
}

/**
 * A session of a role: `arn:aws:sts::000000000000:assumed-role/path/role/name`. AWS omits the path, because its role
 * names are unique. Here every role can be assumed, so roles that differ only in their paths need different ARNs.
 */
export function assumedRoleArn(accountId: string, role: string, name: string): string {
  return `arn:aws:sts::${accountId}:assumed-role/${role}/${name}`;
}

/** A role: `arn:aws:iam::000000000000:role/path/role`. */
export function roleArn(accountId: string, role: string): string {
  return `arn:aws:iam::${accountId}:role/${role}`;
}
