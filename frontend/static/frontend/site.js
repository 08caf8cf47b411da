// What HTML alone cannot do. Every page works without it.

// How far each try-on's picture was uncovered: a finer one that takes its place begins there.
const uncovered = new Map();

// <before-after>: lays the picture over the photo and lets a slider uncover it.
customElements.define(
  "before-after",
  class extends HTMLElement {
    connectedCallback() {
      if (this.querySelector("input")) return;
      const slider = document.createElement("input");
      slider.type = "range";
      slider.min = 0;
      slider.max = 100;
      slider.value = uncovered.get(this.parentElement.id) ?? 50;
      slider.setAttribute("aria-label", this.dataset.label);
      slider.addEventListener("input", () => {
        uncovered.set(this.parentElement.id, slider.value);
        this.show(slider.value);
      });
      this.append(slider);
      this.classList.add("slides");
      this.show(slider.value);
    }

    show(percent) {
      this.style.setProperty("--shown", `${percent}%`);
    }
  },
);

// <photo-input>: shows the chosen picture before it is sent.
customElements.define(
  "photo-input",
  class extends HTMLElement {
    connectedCallback() {
      const input = this.querySelector("input[type=file]");
      input.addEventListener("change", () => this.show(input.files[0]));
    }

    show(file) {
      this.querySelector("img")?.remove();
      this.classList.toggle("chosen", Boolean(file));
      if (!file) return;
      const image = document.createElement("img");
      image.alt = file.name;
      image.src = URL.createObjectURL(file);
      image.addEventListener("load", () => URL.revokeObjectURL(image.src));
      image.addEventListener("error", () => image.remove());
      this.prepend(image);
      // The new photo is meant, not the one chosen before.
      for (const other of this.closest("form").querySelectorAll("input[name=person]")) other.checked = false;
    }
  },
);

// <picture-search>: the button opens the file chooser (or a phone's camera) at once and sends what is chosen.
customElements.define(
  "picture-search",
  class extends HTMLElement {
    connectedCallback() {
      const button = this.querySelector("a");
      const input = this.querySelector("input[type=file]");
      button.addEventListener("click", (event) => {
        event.preventDefault();
        input.click();
      });
      input.addEventListener("change", () => {
        if (!input.files.length) return;
        button.classList.add("sending");
        input.form.submit();
      });
      // Who comes back finds the button as it was.
      window.addEventListener("pageshow", () => {
        button.classList.remove("sending");
        input.value = "";
      });
    }
  },
);

// Choosing somebody else takes a new photo back.
document.addEventListener("change", ({ target }) => {
  if (target.name !== "person") return;
  const file = target.form.querySelector("photo-input");
  file.querySelector("input").value = "";
  file.show(null);
});

// What changed by itself is said once, and only when it reads differently.
const announcer = document.querySelector("#announcer");
document.addEventListener("htmx:afterSettle", () => {
  const text = [...document.querySelectorAll(".say")].map((element) => element.textContent.trim()).join(" ");
  if (announcer.textContent !== text) announcer.textContent = text;
});

// On a phone the choices lie over the list: shown is what was asked for.
document.addEventListener("submit", ({ target }) => {
  if (target.id === "filters") target.querySelector("details").open = false;
});

// An address holds only what was chosen.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt.id !== "filters") return;
  for (const [name, value] of [...detail.formData]) if (value === "") detail.formData.delete(name);
});

// A polled thing that is gone was deleted elsewhere: ask for the page anew.
const trouble = document.querySelector(".trouble");
document.addEventListener("htmx:responseError", ({ detail }) => {
  if (detail.xhr.status === 404) location.reload();
  else trouble.textContent = trouble.dataset.fault;
});
document.addEventListener("htmx:sendError", () => {
  trouble.textContent = trouble.dataset.offline;
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful) trouble.textContent = "";
});

// Escape and a click elsewhere close an open question.
document.addEventListener("click", ({ target }) => {
  for (const open of document.querySelectorAll("details.confirm[open]")) {
    if (!open.contains(target)) open.open = false;
  }
});
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  const open = document.querySelector("details.confirm[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});
