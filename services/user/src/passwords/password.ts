/** bcrypt looks at 72 bytes and ends at a NUL; it would silently ignore what follows. */
export const MAX_PASSWORD_BYTES = 72;

/** The same characters may be typed in several encodings (NIST SP 800-63B, 3.1.1.2). */
export function normalise(password: string): string {
  return password.normalize("NFKC");
}

/** Whether bcrypt takes all of the password into account. */
export function isHashable(password: string): boolean {
  return !password.includes("\0") && Buffer.byteLength(normalise(password)) <= MAX_PASSWORD_BYTES;
}
