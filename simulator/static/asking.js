// Asks the simulator. What it refuses, and that it does not answer, become errors whose message a
// person can read.

const READ_MS = 5000;
const DO_MS = 60_000; // a reply waits for the webhook: fifteen seconds, and its repeats

export class Refused extends Error {}
export class Unreachable extends Error {}

async function ask(path, options, patience) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patience);
  try {
    const response = await fetch(path, { ...options, signal: stop.signal });
    if (response.status >= 500) throw new Unreachable(`The simulator answers ${response.status}.`);
    return { ok: response.ok, status: response.status, body: await response.json() };
  } catch (error) {
    if (error instanceof Unreachable) throw error;
    throw new Unreachable(stop.signal.aborted
      ? `The simulator does not answer within ${patience / 1000} seconds.`
      : "The simulator does not answer.");
  } finally {
    clearTimeout(timer);
  }
}

export async function read(path) {
  const { ok, status, body } = await ask(path, {}, READ_MS);
  if (!ok) throw new Unreachable(`The simulator answers ${status}.`);
  return body;
}

export async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await ask(path, { method: "POST", headers, body: JSON.stringify(body) }, DO_MS);
  if (!answer.ok) throw new Refused(answer.body.error ?? `The simulator answers ${answer.status}.`);
  return answer.body;
}

export async function remove(path) {
  await ask(path, { method: "DELETE" }, DO_MS);
}

// Does something that a person asked for, and says in words what came of it: nothing, or an error.
// Returns whether it was done.
export async function attempt(work, say) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
    say(error.message);
    return false;
  }
  say("");
  return true;
}
