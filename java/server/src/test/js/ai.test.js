// Vercel's AI SDK, with its provider for servers of OpenAI's kind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateObject, generateText, jsonSchema, streamText, tool } from "ai";
import { begun, freed, hurried, locked, model, open, picture, question } from "./server.js";

const at = (url, more = {}) =>
  createOpenAICompatible({
    name: "internvl4j",
    baseURL: `${url}/v1`,
    includeUsage: true,
    supportsStructuredOutputs: true,
    transformRequestBody: (body) => ({ ...body, ...more }),
  })(model);

const shown = {
  model: at(open),
  maxRetries: 0,
  messages: [
    {
      role: "user",
      content: [
        { type: "image", image: picture },
        { type: "text", text: question },
      ],
    },
  ],
};
const endless = (url) => ({ ...shown, model: at(url, { max_tokens: 3000, min_tokens: 3000 }) });

test("a streamed answer is the plain one", async () => {
  const plain = await generateText(shown);
  assert.match(plain.text, /star/);
  const streamed = streamText(shown);
  let text = "";
  for await (const part of streamed.textStream) {
    text += part;
  }
  assert.equal(text, plain.text);
  assert.equal(await streamed.finishReason, "stop");
  assert.equal((await streamed.usage).totalTokens, plain.usage.totalTokens);
});

test("drawing, choices, log-probabilities and stops", async () => {
  const drawn = { ...shown, temperature: 1, seed: 3, topP: 0.9, stopSequences: ["star"], maxOutputTokens: 60 };
  const plain = await generateText(drawn);
  assert.doesNotMatch(plain.text, /star/);
  assert.equal(await streamText(drawn).text, plain.text);
  // What the SDK has no names for goes along, and comes back in the body.
  const several = await generateText({ ...drawn, model: at(open, { n: 2, logprobs: true, top_logprobs: 2 }) });
  assert.equal(several.text, plain.text);
  assert.equal(several.response.body.choices.length, 2);
  assert.equal(several.response.body.choices[1].logprobs.content[0].top_logprobs.length, 2);
});

test("JSON and calls", async () => {
  const schema = jsonSchema({
    type: "object",
    properties: { shape: { type: "string", enum: ["circle", "star"] } },
    required: ["shape"],
    additionalProperties: false,
  });
  const { object } = await generateObject({ ...shown, schema });
  assert.match(object.shape, /^(circle|star)$/);
  const calling = { ...shown, tools: { paint: tool({ inputSchema: schema }) }, toolChoice: "required" };
  const plain = await generateText(calling);
  assert.equal(plain.finishReason, "tool-calls");
  assert.equal(plain.toolCalls[0].toolName, "paint");
  const streamed = await streamText(calling).toolCalls;
  assert.deepEqual(streamed[0].input, plain.toolCalls[0].input);
});

test("failures are errors, before a stream and in it", async () => {
  const status = (expected) => (error) => APICallError.isInstance(error) && error.statusCode === expected;
  await assert.rejects(generateText({ ...shown, model: at(open, { model: "another" }) }), status(404));
  await assert.rejects(generateText({ ...shown, topP: 7 }), status(400));
  await assert.rejects(generateText({ ...shown, model: at(locked) }), status(401));
  const errors = [];
  const cut = streamText({ ...endless(hurried), onError: ({ error }) => errors.push(error) });
  await cut.consumeStream();
  assert.equal(errors.length, 1);
});

test("who leaves is not answered any more", async () => {
  const leaving = new AbortController();
  const stream = streamText({ ...endless(open), abortSignal: leaving.signal });
  for await (const part of stream.textStream) {
    if (part) {
      leaving.abort();
    }
  }
  await freed();
  const again = new AbortController();
  const plain = generateText({ ...endless(open), abortSignal: again.signal });
  await begun();
  again.abort();
  await assert.rejects(plain, { name: "AbortError" });
  await freed();
});
