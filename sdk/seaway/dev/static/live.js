"use strict";
// Parts of a page that the server sends anew, texts that grow, and clocks of what is running.

// kfp's client prints links of Kubeflow's own dashboard.
const details = location.hash.match(/^#\/runs\/details\/([\w.-]+)$/);
if (details) location.replace(`/runs/${details[1]}`);

const status = document.getElementById("status");

function centre(within) {
  for (const graph of within.querySelectorAll(".graph")) graph.scrollLeft = (graph.scrollWidth - graph.clientWidth) / 2;
}
centre(document);

function whole(region, html) {
  const focused = document.activeElement && document.activeElement.id;
  const open = [...region.querySelectorAll("details[open][id]")].map((one) => one.id);
  const checked = [...region.querySelectorAll("input:checked")].map((one) => one.value);
  const scrolled = [...region.querySelectorAll(".graph, .scroll")].map((one) => one.scrollLeft);
  region.innerHTML = html;
  region.querySelectorAll(".graph, .scroll").forEach((one, at) => { if (at < scrolled.length) one.scrollLeft = scrolled[at]; });
  open.forEach((id) => { const one = document.getElementById(id); if (one) one.open = true; });
  checked.forEach((value) => { region.querySelectorAll(`input[value="${CSS.escape(value)}"]`).forEach((one) => { one.checked = true; }); });
  if (focused) { const one = document.getElementById(focused); if (one) one.focus({ preventScroll: true }); }
  const told = region.querySelector("[data-told]");
  if (told && status.textContent !== told.dataset.told) status.textContent = told.dataset.told;
}

function more(region, text) {
  const atEnd = region.scrollHeight - region.scrollTop - region.clientHeight < 40;
  region.append(text);
  if (atEnd) region.scrollTop = region.scrollHeight;
}

for (const region of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(region.dataset.live);
  source.addEventListener("whole", (event) => whole(region, JSON.parse(event.data)));
  source.addEventListener("more", (event) => more(region, JSON.parse(event.data)));
  source.addEventListener("end", () => {
    source.close();
    region.dataset.ended = "";
    if (region.dataset.then) location.replace(region.dataset.then);
  });
}

function duration(seconds) {
  if (seconds < 60) return `${seconds.toFixed(0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

setInterval(() => {
  for (const clock of document.querySelectorAll("[data-since]")) {
    clock.textContent = duration(Math.max(0, Date.now() / 1000 - Number(clock.dataset.since)));
  }
}, 1000);
