import { z } from "zod";
import { connectMongo, mongoDependency } from "../stores/mongodb.js";
import { emailKey } from "../users/email.js";
import { ROLES } from "../users/user.js";
import { UserRepository } from "../users/user-repository.js";

const USAGE = `Usage: roles EMAIL ROLE...     (roles: ${ROLES.join(", ")})
Sets what a user may do. The user's sessions end; access tokens issued before stay good until they expire.
`;

const environment = z.object({
  MONGODB_URL: z.string().min(1),
  MONGODB_DATABASE: z.string().default("users"),
});
const roleList = z.array(z.enum(ROLES)).min(1);

/** There is no way over HTTP to become more than a customer: this command is the only one. */
async function main([email, ...given]: string[]): Promise<void> {
  const roles = roleList.safeParse(given);
  if (email === undefined || !roles.success) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  const { MONGODB_URL, MONGODB_DATABASE } = environment.parse(process.env);
  const client = connectMongo(MONGODB_URL);
  try {
    const users = new UserRepository(client.db(MONGODB_DATABASE), mongoDependency());
    const user = await users.setRoles(emailKey(email), [...new Set(roles.data)]);
    if (user === null) throw new Error("No user has this e-mail address.");
    process.stdout.write(`${user._id}: ${user.roles.join(", ")}\n`);
  } finally {
    await client.close();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
