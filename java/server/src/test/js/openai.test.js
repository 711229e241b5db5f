// OpenAI's own client for JavaScript.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { begun, freed, hurried, locked, model, open, picture, question } from "./server.js";

const at = (url) => new OpenAI({ baseURL: `${url}/v1`, apiKey: "none-is-needed", maxRetries: 0 });
const client = at(open);

const shown = {
  model,
  messages: [
    {
      role: "user",
      content: [
        { type: "image_url", image_url: { url: picture } },
        { type: "text", text: question },
      ],
    },
  ],
};
// An answer that does not end by itself for a while.
const endless = { ...shown, max_completion_tokens: 3000, min_tokens: 3000 };

/** What a stream's chunks say, by choice. */
async function gathered(stream) {
  const choices = [];
  let usage = null;
  for await (const chunk of stream) {
    usage = chunk.usage ?? usage;
    for (const { index, delta, finish_reason, logprobs } of chunk.choices) {
      const choice = (choices[index] ??= { content: "", calls: [], logprobs: [] });
      choice.content += delta.content ?? "";
      choice.calls.push(...(delta.tool_calls ?? []));
      choice.logprobs.push(...(logprobs?.content ?? []));
      choice.finish = finish_reason ?? choice.finish;
    }
  }
  return { choices, usage };
}

test("a streamed answer is the plain one", async () => {
  const plain = await client.chat.completions.create(shown);
  assert.match(plain.choices[0].message.content, /star/);
  const streamed = await gathered(
    await client.chat.completions.create({ ...shown, stream: true, stream_options: { include_usage: true } }),
  );
  assert.equal(streamed.choices[0].content, plain.choices[0].message.content);
  assert.equal(streamed.choices[0].finish, "stop");
  assert.equal(streamed.usage.total_tokens, plain.usage.total_tokens);
  const helped = client.chat.completions.stream(shown);
  assert.equal(await helped.finalContent(), plain.choices[0].message.content);
});

test("several choices, with log-probabilities and a stop", async () => {
  const drawn = { ...shown, n: 2, seed: 3, temperature: 1, logprobs: true, top_logprobs: 3, stop: ["star"] };
  const plain = await client.chat.completions.create(drawn);
  const { choices } = await gathered(await client.chat.completions.create({ ...drawn, stream: true }));
  assert.equal(plain.choices.length, 2);
  for (const [i, choice] of plain.choices.entries()) {
    assert.doesNotMatch(choice.message.content, /star/);
    assert.equal(choices[i].content, choice.message.content);
    assert.equal(choice.logprobs.content[0].top_logprobs.length, 3);
    assert.deepEqual(
      choices[i].logprobs.map((token) => token.logprob),
      choice.logprobs.content.map((token) => token.logprob),
    );
  }
});

test("JSON and calls", async () => {
  const schema = {
    type: "object",
    properties: { shape: { enum: ["circle", "star"] } },
    required: ["shape"],
    additionalProperties: false,
  };
  const json = await client.chat.completions.create({
    ...shown,
    response_format: { type: "json_schema", json_schema: { name: "shape", strict: true, schema } },
  });
  assert.match(JSON.parse(json.choices[0].message.content).shape, /^(circle|star)$/);
  const calling = {
    ...shown,
    tools: [{ type: "function", function: { name: "paint", parameters: schema } }],
    tool_choice: "required",
  };
  const [plain] = (await client.chat.completions.create(calling)).choices;
  const [streamed] = (await gathered(await client.chat.completions.create({ ...calling, stream: true }))).choices;
  assert.equal(plain.finish_reason, "tool_calls");
  assert.equal(streamed.finish, "tool_calls");
  assert.equal(plain.message.tool_calls[0].function.name, "paint");
  assert.deepEqual(streamed.calls[0].function, plain.message.tool_calls[0].function);
});

test("failures have their types", async () => {
  await assert.rejects(client.chat.completions.create({ ...shown, model: "another" }), OpenAI.NotFoundError);
  await assert.rejects(
    client.chat.completions.create({ ...shown, top_p: 7 }),
    (error) => error instanceof OpenAI.BadRequestError && error.param === "top_p",
  );
  await assert.rejects(
    client.chat.completions.create({ ...shown, stream: true, max_tokens: -1 }),
    OpenAI.BadRequestError,
    "not an event of a stream that has begun",
  );
  await assert.rejects(at(locked).models.list(), OpenAI.AuthenticationError);
  const stream = await at(hurried).chat.completions.create({ ...endless, stream: true });
  await assert.rejects(gathered(stream), OpenAI.APIError);
});

test("who leaves is not answered any more", async () => {
  const stream = await client.chat.completions.create({ ...endless, stream: true });
  for await (const chunk of stream) {
    if (chunk.choices[0].delta.content) {
      break; // which ends the request
    }
  }
  await freed();
  const leaving = new AbortController();
  const plain = client.chat.completions.create(endless, { signal: leaving.signal });
  await begun();
  leaving.abort();
  await assert.rejects(plain, OpenAI.APIUserAbortError);
  await freed();
});

test("texts and models", async () => {
  const text = await client.completions.create({ model, prompt: "The image shows", max_tokens: 8, logprobs: 2 });
  assert.notEqual(text.choices[0].text, "");
  assert.deepEqual((await client.models.list()).data.map((one) => one.id), [model]);
});
