import { text } from "node:stream/consumers";
import { newKeySet, parseKeySet, rotateKeySet } from "../tokens/key-set.js";

const USAGE = `Usage:
  keys new                     writes a new key set to standard output
  keys rotate < old > new      moves every key on by one step: next → current → previous → gone
The output is secret: write it to a file that only its owner reads (umask 077), or straight into the secret store.
`;

/** Makes and rotates the key set that signs access tokens. */
async function main([command]: string[]): Promise<void> {
  if (command === "new") {
    print(await newKeySet());
  } else if (command === "rotate") {
    print(await rotateKeySet(parseKeySet(await text(process.stdin))));
  } else {
    process.stderr.write(USAGE);
    process.exitCode = 2;
  }
}

function print(keys: unknown): void {
  process.stdout.write(`${JSON.stringify(keys, null, 2)}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
