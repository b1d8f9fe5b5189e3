"use strict";
// One item at a time. The token is behind the address's `#`, which no server and no log ever sees.
const token = location.hash.slice(1);
const KEYS = [..."123456789abcdefghijklmnopqrstuvwxyz"];
let keys = KEYS; // of the classes; a class that is one sign is its own key
const element = (id) => document.getElementById(id);
let state, at = 0, item, begun, busy = false, pictures = [];

async function ask(path, body) {
  const headers = { authorization: `Bearer ${token}` };
  const options = body === undefined ? { headers } : { headers, method: "POST", body: JSON.stringify(body) };
  let answer;
  try { answer = await fetch(path, options); } catch { throw new Error("seaway label has ended; start it again, then reload. What is labelled is kept."); }
  if (!answer.ok) throw new Error((await answer.json()).error);
  return answer;
}

function made(tag, text, kind) {
  const one = document.createElement(tag);
  if (text !== undefined) one.textContent = text;
  if (kind) one.className = kind;
  return one;
}

function value(shown) {
  const nothing = shown.value === null || shown.value === undefined || shown.value === "";
  return nothing ? made("span", "nothing", "none") : document.createTextNode(String(shown.value));
}

async function picture(name) {
  const image = made("img");
  image.alt = "What is to be labelled";
  const url = URL.createObjectURL(await (await ask(`/api/picture?name=${encodeURIComponent(name)}`)).blob());
  pictures.push(url);
  await new Promise((done) => {
    image.onload = () => { if (image.naturalWidth < 200) image.className = "small"; done(); };
    image.onerror = () => { image.alt = "This picture cannot be shown."; done(); };
    image.src = url;
  });
  return image;
}

async function shown(parts) {
  const nodes = [];
  if (state.question.kind === "table") {
    const table = made("table");
    for (const part of parts) {
      const row = table.insertRow();
      const head = made("th", part.name);
      head.scope = "row";
      row.append(head, made("td"));
      row.lastChild.append(part.picture ? await picture(part.picture) : value(part));
    }
    return [table];
  }
  for (const part of parts) {
    if (parts.length > 1) nodes.push(made("h2", part.name));
    if (part.picture) { nodes.push(await picture(part.picture)); continue; }
    const text = made("p", undefined, "text");
    text.append(value(part));
    nodes.push(text);
  }
  return nodes;
}

function progress(done) {
  state.done = done;
  element("progress").textContent = `${done} of ${state.items} labelled`;
  element("bar").value = state.items ? done / state.items : 0;
}

async function show(place) {
  at = place;
  const freed = pictures;
  pictures = [];
  if (at >= state.items) {
    item = undefined;
    const left = state.items - state.done;
    element("item").replaceChildren(made("p", left ? `This is the end; ${left} were skipped.` : "All is labelled. Thank you!", "text"));
  } else {
    item = await (await ask(`/api/item?at=${at}`)).json();
    element("item").replaceChildren(...await shown(item.shown));
  }
  freed.forEach((url) => URL.revokeObjectURL(url));
  for (const button of element("classes").children) {
    button.disabled = !item;
    button.setAttribute("aria-pressed", String(Boolean(item) && item.label === button.value));
    button.classList.toggle("suggested", Boolean(item) && item.suggested === button.value);
  }
  element("back").disabled = at === 0;
  element("next").disabled = !item;
  element("clear").disabled = !item || !item.label;
  window.scrollTo(0, 0);
  begun = performance.now();
}

async function guarded(work) {
  if (busy) return;
  busy = true;
  try { await work(); element("trouble").hidden = true; }
  catch (error) { element("trouble").textContent = error.message; element("trouble").hidden = false; }
  finally { busy = false; document.body.dataset.at = String(at); document.body.dataset.done = String(state ? state.done : 0); }
}

const label = (name) => guarded(async () => {
  if (!item) return;
  const seconds = name ? Math.round((performance.now() - begun) / 100) / 10 : null;
  progress((await (await ask("/api/label", { at, label: name, seconds })).json()).done);
  await show(name ? at + 1 : at);
});
const go = (place) => guarded(async () => { if (place >= 0 && place <= state.items) await show(place); });

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !state) return;
  const place = keys.indexOf(event.key.toLowerCase());
  if (place >= 0 && place < state.question.classes.length) label(state.question.classes[place]);
  else if (event.key === "ArrowLeft") go(at - 1);
  else if (event.key === "ArrowRight" && item) go(at + 1);
  else if (event.key === "Backspace" && item && item.label) label("");
  else return;
  event.preventDefault();
});
element("back").addEventListener("click", () => go(at - 1));
element("next").addEventListener("click", () => go(at + 1));
element("clear").addEventListener("click", () => label(""));

guarded(async () => {
  state = await (await ask("/api/state")).json();
  const { title, instructions, classes } = state.question;
  element("title").textContent = title || "Which class is it?";
  document.title = title || "Label";
  element("instructions").textContent = instructions;
  element("help").hidden = !instructions;
  const own = classes.map((name) => name.toLowerCase());
  if (own.every((name) => name.length === 1) && new Set(own).size === own.length) keys = own;
  element("classes").replaceChildren(...classes.map((name, place) => {
    const button = made("button");
    button.type = "button";
    button.value = name;
    button.append(made("kbd", keys[place]), ` ${name}`);
    button.addEventListener("click", () => { button.blur(); label(name); });
    return button;
  }));
  progress(state.done);
  await show(state.done < state.items ? state.first : 0);
});
