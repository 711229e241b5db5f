// The servers that the Java side of the test has started, and what is asked of them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const told = (name) => {
  assert.ok(process.env[name], `${name} is not set: NpmClientsTest starts the servers and sets it`);
  return process.env[name];
};

/** One without keys; one that wants a key; one whose answers may take a second. */
export const open = told("INTERNVL4J_URL");
export const locked = told("INTERNVL4J_LOCKED_URL");
export const hurried = told("INTERNVL4J_HURRIED_URL");

export const model = "demo";
export const question = "Please describe the image in detail.";
export const picture = `data:image/jpeg;base64,${readFileSync(told("INTERNVL4J_PICTURE")).toString("base64")}`;

/** How many requests are being answered, or wait. */
async function busy() {
  const text = await (await fetch(`${open}/metrics`)).text();
  return text
    .split("\n")
    .filter((line) => /num_requests_(running|waiting)\{/.test(line))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

async function soon(holds, what) {
  for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((wake) => setTimeout(wake, 10))) {
    if (await holds()) {
      return;
    }
  }
  assert.fail(what);
}

export const begun = () => soon(async () => (await busy()) > 0, "no request came to the server");
export const freed = () => soon(async () => (await busy()) === 0, "the server still answers a client that has left");
