// Runs one line of JSON after another, and prints what Twilio's client answered or raised.
const { createInterface } = require("node:readline");

const [baseUrl, key, serviceSid] = process.argv.slice(2);
const { textbackClient } = require("./snippet.js");
const service = textbackClient(baseUrl, key).verify.v2.services(serviceSid);

const asked = {
  create: (told) => service.verifications.create(told),
  check: (told) => service.verificationChecks.create(told),
  fetch: ({ which }) => service.verifications(which).fetch(),
  update: ({ which, ...told }) => service.verifications(which).update(told),
  service: () => service.fetch(),
  services: async () => (await textbackClient(baseUrl, key).verify.v2.services.list({ limit: 20 }))[0],
};

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, told] = JSON.parse(line);
    let answer;
    try {
      answer = { answered: await asked[name](told) };
    } catch (error) {
      answer = { raised: { status: error.status, code: error.code, message: error.message, moreInfo: error.moreInfo } };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

main();
