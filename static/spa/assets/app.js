"use strict";

// A single-page app without anything around it: addresses are its own, the server knows only index.html.
const lists = {
  groceries: ["Bread", "Olives", "Coffee"],
  server: ["Read the log", "Renew nothing by hand", "Go for a walk"],
};
const done = new Set();

function make(name, text, attributes = {}) {
  const element = document.createElement(name);
  element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function heading(title, sentence) {
  document.title = title;
  return [make("h1", title), make("p", sentence)];
}

function showList(name) {
  const items = document.createElement("ul");
  const draw = () => items.replaceChildren(...lists[name].map((text) => {
    const row = document.createElement("li");
    const label = document.createElement("label");
    const box = make("input", "", { type: "checkbox" });
    box.checked = done.has(`${name}/${text}`);
    box.addEventListener("change", () => (box.checked ? done.add(`${name}/${text}`) : done.delete(`${name}/${text}`)));
    label.append(box, make("span", text));
    row.append(label);
    return row;
  }));
  draw();
  const form = document.createElement("form");
  const field = make("input", "", { "aria-label": "New entry", placeholder: "New entry", required: "" });
  form.append(field, make("button", "Add"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    lists[name].push(field.value);
    form.reset();
    draw();
  });
  const sentence = `The address is ${location.pathname}. Reload: the server sends index.html, and this view comes again.`;
  return [...heading(name[0].toUpperCase() + name.slice(1), sentence), items, form];
}

function showAsset() {
  const button = make("button", "Ask for /assets/missing.js", { type: "button" });
  const result = make("output", "");
  button.addEventListener("click", async () => {
    const answer = await fetch("/assets/missing.js");
    result.textContent = `${answer.status} ${answer.headers.get("content-type") ?? "without content"}`;
  });
  const sentence = "A page that is missing gets index.html; a script that is missing gets 404, never a page in its place.";
  return [...heading("Missing asset", sentence), button, result];
}

function showNothing() {
  const home = make("a", "Back to the lists", { href: "/" });
  return [...heading("No such view", `The app does not know ${location.pathname}; the server sent index.html all the same.`), home];
}

const views = {
  "/": () => showList("groceries"),
  "/lists/server": () => showList("server"),
  "/missing": showAsset,
};
const names = { "/": "Groceries", "/lists/server": "Server", "/missing": "Missing asset", "/lists/none": "Unknown view" };

function show() {
  document.getElementById("nav").replaceChildren(...Object.entries(names).map(([path, name]) =>
    make("a", name, path === location.pathname ? { href: path, "aria-current": "page" } : { href: path })));
  document.getElementById("view").replaceChildren(...(views[location.pathname] ?? showNothing)());
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || link.origin !== location.origin || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  show();
});
addEventListener("popstate", show);
show();
