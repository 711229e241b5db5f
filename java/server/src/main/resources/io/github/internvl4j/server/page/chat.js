// One answer over the endpoint that every other client uses, too.

/** The conversation as messages; images stand before the text, as the model knows it. */
function messages(turns, system) {
  const all = system ? [{ role: "system", content: system }] : [];
  for (const turn of turns) {
    const images = turn.images.map((url) => ({ type: "image_url", image_url: { url } }));
    all.push({ role: "user", content: images.length > 0 ? [...images, { type: "text", text: turn.question }] : turn.question });
    if (turn.answer !== undefined) all.push({ role: "assistant", content: turn.answer });
  }
  return all;
}

async function problem(response) {
  try {
    return (await response.json()).error.message;
  } catch {
    return `the server says ${response.status}`;
  }
}

/** Yields chunks of the answer, and at last `{usage}`. Throws what the server says is wrong. */
export async function* ask(turns, settings, signal) {
  const body = { messages: messages(turns, settings.system), stream: true, stream_options: { include_usage: true } };
  for (const name of ["temperature", "top_p", "max_tokens", "seed"]) {
    if (settings[name] !== null && settings[name] !== "") body[name] = Number(settings[name]);
  }
  const response = await fetch("/v1/chat/completions", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal,
  });
  if (!response.ok) throw new Error(await problem(response));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error("the connection was lost before the answer's end");
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n");
      if (data === "[DONE]") return;
      if (!data) continue;
      const told = JSON.parse(data);
      if (told.error) throw new Error(told.error.message);
      const choice = told.choices[0];
      if (choice?.delta?.content) yield { text: choice.delta.content };
      if (choice?.finish_reason) yield { finish: choice.finish_reason };
      if (told.usage) yield { usage: told.usage };
    }
  }
}
