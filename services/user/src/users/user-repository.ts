import type { Collection, Db } from "mongodb";
import { Problem } from "../http/problem.js";
import type { Dependency } from "../stores/dependency.js";
import { isDuplicateKey } from "../stores/mongodb.js";
import type { ProfileChange, Role, User } from "./user.js";

export const USERS = "users";
export const EMAIL_INDEX = "email_key_unique";

/** The users in MongoDB. Filters are built from values of known types only, never from what a client sent as an object. */
export class UserRepository {
  private readonly users: Collection<User>;

  constructor(
    private readonly database: Db,
    private readonly dependency: Dependency,
  ) {
    this.users = database.collection<User>(USERS);
  }

  /** Whether the index that makes addresses unique is there. */
  async isMigrated(): Promise<boolean> {
    const collections = await this.database.listCollections({ name: USERS }).toArray();
    if (collections.length === 0) return false;
    const indexes = await this.users.indexes();
    return indexes.some(({ name, unique }) => name === EMAIL_INDEX && unique === true);
  }

  /** @throws {Problem} 409 when the address belongs to a user already. */
  async insert(user: User): Promise<void> {
    try {
      await this.dependency.write("insert user", () => this.users.insertOne(user));
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      throw new Problem(409, "email-taken", {
        detail: "An account with this e-mail address exists already.",
      });
    }
  }

  findByEmailKey(emailKey: string): Promise<User | null> {
    return this.dependency.read("find user by e-mail", () =>
      this.users.findOne({ email_key: { $eq: emailKey } }),
    );
  }

  findById(id: string): Promise<User | null> {
    return this.dependency.read("find user", () => this.users.findOne({ _id: { $eq: id } }));
  }

  /** Changes the profile, if a version is given only when it still has that. Returns the user as it is then, or null. */
  changeProfile(id: string, change: ProfileChange, version?: number): Promise<User | null> {
    const filter = version === undefined ? { _id: id } : { _id: id, version };
    return this.dependency.write("change profile", () =>
      this.users.findOneAndUpdate(
        filter,
        { $set: { ...change, updated_at: new Date() }, $inc: { version: 1 } },
        { returnDocument: "after" },
      ),
    );
  }

  /** Replaces the password if it has not been changed meanwhile, and makes every session void. */
  changePassword(id: string, oldHash: string, newHash: string): Promise<User | null> {
    return this.dependency.write("change password", () =>
      this.users.findOneAndUpdate(
        { _id: id, password_hash: oldHash },
        { $set: { password_hash: newHash, updated_at: new Date() }, $inc: { session_epoch: 1 } },
        { returnDocument: "after" },
      ),
    );
  }

  /** The same password at another cost: sessions stay. */
  async replaceHash(id: string, oldHash: string, newHash: string): Promise<void> {
    await this.dependency.write("replace hash", () =>
      this.users.updateOne({ _id: id, password_hash: oldHash }, { $set: { password_hash: newHash } }),
    );
  }

  /** Sets what a user may do, and makes every session void, as their tokens name the old roles. */
  setRoles(emailKey: string, roles: readonly Role[]): Promise<User | null> {
    return this.dependency.write("set roles", () =>
      this.users.findOneAndUpdate(
        { email_key: emailKey },
        { $set: { roles, updated_at: new Date() }, $inc: { session_epoch: 1 } },
        { returnDocument: "after" },
      ),
    );
  }

  async delete(id: string): Promise<void> {
    await this.dependency.write("delete user", () => this.users.deleteOne({ _id: id }));
  }

  async ping(): Promise<void> {
    await this.database.command({ ping: 1 });
  }
}
