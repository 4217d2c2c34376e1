export const ROLES = ["customer", "support", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** A user as stored. */
export interface User {
  /** UUIDv7. */
  readonly _id: string;
  /** As the user wrote it; mail goes here. */
  readonly email: string;
  /** The normalised address that makes an account unique. */
  readonly email_key: string;
  readonly password_hash: string;
  readonly display_name: string;
  readonly phone: string | null;
  readonly locale: string;
  readonly roles: readonly Role[];
  /** Sessions begun under an older epoch are void: it outlives a Redis that has lost a revocation. */
  readonly session_epoch: number;
  /** Counts changes, for ETag and If-Match. */
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** What a user may change in the profile. */
export type ProfileChange = Partial<Pick<User, "display_name" | "phone" | "locale">>;

/** A user as the API shows it. */
export interface Profile {
  readonly id: string;
  readonly email: string;
  readonly display_name: string;
  readonly phone: string | null;
  readonly locale: string;
  readonly roles: readonly Role[];
  readonly created_at: string;
  readonly updated_at: string;
}

/** Names each member, so that a new field of the document stays private until it is put here. */
export function toProfile(user: User): Profile {
  return {
    id: user._id,
    email: user.email,
    display_name: user.display_name,
    phone: user.phone,
    locale: user.locale,
    roles: user.roles,
    created_at: user.created_at.toISOString(),
    updated_at: user.updated_at.toISOString(),
  };
}
