// The page: what is said, what is shown, and which button does what.
import { ask } from "/chat.js";
import { listen, read } from "/images.js";
import { show } from "/markdown.js";
import * as store from "/store.js";

const IDEAS = ["Please describe the image in detail.", "What is written here?", "What is in the middle?"];
const $ = (id) => document.getElementById(id);
const make = (tag, name, text) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
};
const button = (text, action) => {
  const element = make("button", "", text);
  element.type = "button";
  element.addEventListener("click", action);
  return element;
};

let talk = store.last() ?? fresh();
let shown = [];
let going = null;

function fresh() {
  return { id: `${Date.now()}-${Math.random().toString(36).slice(2)}`, turns: [] };
}

function say(text, wrong = false) {
  $("state").textContent = text;
  $("state").classList.toggle("wrong", wrong);
}

// ---- the conversation -----------------------------------------------------------------------------------------------

function images(urls) {
  const row = make("div", "images");
  urls.forEach((url, at) => {
    const image = make("img");
    image.src = url;
    image.alt = `Image ${at + 1} of the question`;
    row.append(image);
  });
  return row;
}

function foot(turn) {
  const row = make("div", "foot");
  if (turn.tokens) {
    const parts = [`${turn.tokens} tokens`];
    if (turn.seconds > .05) parts.push(`${(turn.tokens / turn.seconds).toFixed(1)} tokens/s`);
    if (turn.first > 0) parts.push(`first after ${turn.first.toFixed(2)} s`);
    if (turn.finish === "length") parts.push("cut at the longest length");
    row.append(make("span", "", parts.join(" · ")));
  }
  if (turn.stopped) row.append(make("span", "", "stopped"));
  if (turn.answer) row.append(button("Copy", () => navigator.clipboard?.writeText(turn.answer).then(() => say("copied"))));
  if (turn === talk.turns.at(-1)) {
    row.append(button("Retry", () => answer(turn)));
    row.append(button("Edit", () => edit(turn)));
  }
  return row;
}

function draw() {
  $("welcome").hidden = talk.turns.length > 0;
  $("turns").replaceChildren(...talk.turns.map((turn) => {
    const item = make("li");
    const asked = make("div", "asked");
    if (turn.images.length > 0) asked.append(images(turn.images));
    asked.append(turn.question);
    const reply = make("div", "answer");
    const text = make("div", "text");
    reply.append(text);
    const said = turn === going?.turn ? going.said : turn.answer;
    if (said) show(text, said);
    if (turn.problem) {
      const problem = make("p", "problem", turn.problem);
      problem.setAttribute("role", "alert");
      reply.append(problem);
    }
    if (turn !== going?.turn) reply.append(foot(turn));
    else reply.classList.add("going");
    item.append(asked, reply);
    return item;
  }));
  list();
}

function list() {
  $("history").replaceChildren(...store.talks().map((one) => {
    const item = make("li", one.id === talk.id ? "now" : "");
    const title = one.turns[0]?.question || "An image";
    const open = button(title, () => { if (one.id !== talk.id) turnTo(one); menu(false); });
    if (one.id === talk.id) open.setAttribute("aria-current", "true");
    const remove = button("×", () => { if (one.id === talk.id) leave(); store.forget(one.id); list(); });
    remove.className = "quiet";
    remove.setAttribute("aria-label", `Forget: ${title}`);
    item.append(open, remove);
    return item;
  }));
}

/** Shows another conversation; an answer that is on its way in this one ends. */
function turnTo(other) {
  stop();
  talk = other;
  store.remember(talk);
  draw();
  bottom();
}

/** To a new one, and this one is not to be kept, whatever still comes of its answer. */
function leave() {
  talk.forgotten = true;
  turnTo(fresh());
}

const bottom = () => { $("talk").scrollTop = $("talk").scrollHeight; };
const atBottom = () => $("talk").scrollHeight - $("talk").scrollTop - $("talk").clientHeight < 80;

// ---- asking ---------------------------------------------------------------------------------------------------------

function busy(now) {
  $("send").hidden = now;
  $("stop").hidden = !now;
  say(now ? "answering" : "");
}

async function answer(turn) {
  stop();
  const mine = { turn, talk, said: "", control: new AbortController() };
  going = mine;
  for (const name of ["answer", "problem", "stopped", "tokens", "finish"]) delete turn[name];
  store.save(talk); // so that a question outlives a reload in the middle of its answer
  busy(true);
  draw();
  bottom();
  const began = performance.now();
  let first = 0;
  let frame = 0;
  const paint = () => {
    frame = 0;
    const text = document.querySelector(".going .text");
    const follow = atBottom();
    if (text && going === mine) show(text, mine.said);
    if (follow) bottom();
  };
  try {
    for await (const part of ask(mine.talk.turns, store.settings(), mine.control.signal)) {
      if (part.text) {
        first ||= performance.now();
        mine.said += part.text;
        frame ||= requestAnimationFrame(paint);
      }
      if (part.finish) turn.finish = part.finish;
      if (part.usage) turn.tokens = part.usage.completion_tokens;
    }
  } catch (failure) {
    if (mine.control.signal.aborted) turn.stopped = true;
    else turn.problem = failure.message;
  }
  cancelAnimationFrame(frame);
  if (going !== mine && going?.turn === turn) return; // it is being answered anew
  if (mine.said || !turn.problem) turn.answer = mine.said;
  turn.first = first ? (first - began) / 1000 : 0;
  turn.seconds = first ? (performance.now() - first) / 1000 : 0;
  if (!mine.talk.forgotten) store.save(mine.talk);
  if (going === mine) {
    going = null;
    busy(false);
  }
  const follow = atBottom();
  if (mine.talk === talk) draw();
  else list();
  if (follow) bottom();
}

function stop() {
  going?.control.abort();
  going = null;
  busy(false);
}

function edit(turn) {
  stop();
  talk.turns.splice(talk.turns.indexOf(turn), 1);
  if (talk.turns.length > 0) store.save(talk);
  else store.forget(talk.id);
  shown = turn.images;
  $("question").value = turn.question;
  draw();
  drawShown();
  grow();
  $("question").focus();
}

function submit() {
  const question = $("question").value.trim();
  if (going || (!question && shown.length === 0)) return;
  const turn = { question, images: shown };
  talk.turns.push(turn);
  shown = [];
  $("question").value = "";
  drawShown();
  grow();
  answer(turn);
}

// ---- images and the question's field ----------------------------------------------------------------------------------

function drawShown() {
  $("shown").replaceChildren(...shown.map((url, at) => {
    const item = make("li");
    const image = make("img");
    image.src = url;
    image.alt = `Image ${at + 1}`;
    const remove = button("×", () => { shown = shown.filter((_, other) => other !== at); drawShown(); $("question").focus(); });
    remove.setAttribute("aria-label", `Remove image ${at + 1}`);
    item.append(image, remove);
    return item;
  }));
}

async function take(files) {
  for (const file of files) {
    try {
      shown = [...shown, await read(file)];
      drawShown();
    } catch (failure) {
      say(failure.message, true);
    }
  }
  $("question").focus();
}

function grow() {
  const field = $("question");
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

// ---- the rest -------------------------------------------------------------------------------------------------------

function menu(open) {
  $("side").classList.toggle("open", open);
  $("menu").setAttribute("aria-expanded", String(open));
}

function openSettings() {
  const now = store.settings();
  for (const [name, value] of Object.entries(now)) $(`set-${name}`).value = value ?? "";
  $("settings").showModal();
}

function closeSettings() {
  const number = (name, otherwise) => ($(`set-${name}`).value === "" ? otherwise : Number($(`set-${name}`).value));
  store.saveSettings({
    system: $("set-system").value, temperature: number("temperature", 0), top_p: number("top_p", 1),
    max_tokens: number("max_tokens", 1024), seed: number("seed", null),
  });
}

async function greet() {
  try {
    const response = await fetch("/v1/models");
    const told = await response.json();
    if (!response.ok) throw new Error(told.error.message);
    $("model").textContent = told.data[0].id;
    document.title = `${told.data[0].id} · InternVL4J`;
    say("");
  } catch (failure) {
    say(failure.message, true);
    setTimeout(greet, 3000);
  }
}

$("ask").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
$("stop").addEventListener("click", stop);
$("question").addEventListener("input", grow);
$("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    submit();
  }
});
addEventListener("keydown", (event) => { if (event.key === "Escape") { if (going) stop(); menu(false); } });
$("files").addEventListener("change", (event) => { take([...event.target.files]); event.target.value = ""; });
$("attach").addEventListener("click", () => $("files").click());
$("fresh").addEventListener("click", () => { turnTo(fresh()); menu(false); $("question").focus(); });
addEventListener("storage", list); // another tab has said something
$("menu").addEventListener("click", () => menu(!$("side").classList.contains("open")));
$("talk").addEventListener("click", () => menu(false));
$("tune").addEventListener("click", openSettings);
$("settings").addEventListener("close", closeSettings);
$("forget").addEventListener("click", () => { leave(); store.forget(); $("settings").close(); list(); });
$("ideas").append(...IDEAS.map((idea) => button(idea, () => { $("question").value = idea; grow(); $("question").focus(); })));
listen(take, (over) => { $("drop").hidden = !over; });
draw();
bottom();
greet();
$("question").focus();
