import { z } from "zod";
import { isHashable, MAX_PASSWORD_BYTES } from "../passwords/password.js";
import { displayName, locale, profileResponse } from "../users/schemas.js";

const PASSWORD_LENGTH = 12;

/** A password that is asked for, of whatever rules it was made under. */
const givenPassword = z.string().min(1).max(256);

const newPassword = z
  .string()
  .min(PASSWORD_LENGTH, `must have at least ${PASSWORD_LENGTH} characters`)
  .max(MAX_PASSWORD_BYTES)
  .refine(isHashable, `must not be longer than ${MAX_PASSWORD_BYTES} bytes in UTF-8, nor contain NUL`);

const email = z.email().max(254);

export const registrationSchema = z
  .strictObject({
    email,
    password: newPassword,
    display_name: displayName,
    locale: locale.default("en"),
  })
  .refine(({ email, password }) => email.toLowerCase() !== password.toLowerCase(), {
    path: ["password"],
    message: "must not be the e-mail address",
  });
export type Registration = z.output<typeof registrationSchema>;

export const credentialsSchema = z.strictObject({ email, password: givenPassword });
export type Credentials = z.output<typeof credentialsSchema>;

export const refreshTokenSchema = z.strictObject({ refresh_token: z.string().min(1).max(200) });

export const passwordChangeSchema = z.strictObject({
  current_password: givenPassword,
  new_password: newPassword,
});
export type PasswordChange = z.output<typeof passwordChangeSchema>;

export const tokenSetResponse = z.strictObject({
  access_token: z.string().meta({ description: "JWT (RFC 9068) to send as `Authorization: Bearer`" }),
  token_type: z.literal("Bearer"),
  expires_in: z.int().positive().meta({ description: "Seconds" }),
  refresh_token: z.string().meta({ description: "Opaque; good for one use" }),
  refresh_expires_in: z.int().positive().meta({ description: "Seconds without use" }),
});

export const registeredResponse = tokenSetResponse.extend({ user: profileResponse });
