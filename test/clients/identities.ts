// Users, access keys, policies and temporary credentials, as the AWS command line and Terraform manage and use them.
import type { AwsCli } from "./aws-cli.ts";
import { awsCliTools } from "./aws-cli/tools.ts";
import { type Suite, suiteOf } from "./harness.ts";
import { sessionChecks } from "./identities/sessions.ts";
import { terraformChecks } from "./identities/terraform.ts";
import { userChecks } from "./identities/users.ts";
import { withoutRootCheck } from "./identities/without-root.ts";
import type { Site } from "./site.ts";

/** The checks of identities over plain HTTP: TLS changes nothing about them. */
export function identities(site: Site, cli: AwsCli): Suite {
  const { program, version } = cli;
  const rootSite = { ...site, credentials: site.root };
  const tools = awsCliTools(rootSite, site.http, program);
  return suiteOf(`identities (aws-cli ${version})`, [
    ...userChecks(tools),
    ...sessionChecks(tools),
    ...terraformChecks(rootSite, site.http),
    withoutRootCheck(rootSite, cli),
  ]);
}
