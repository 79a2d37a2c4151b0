// The console's own script: keys, toasts, the token that goes with every
// change. Everything works without it, only less quickly.
(function () {
  "use strict";
  var csrf = document.querySelector('meta[name="csrf"]');

  document.addEventListener("htmx:configRequest", function (e) {
    if (csrf) e.detail.headers["X-CSRF-Token"] = csrf.content;
  });

  // A toast that asks for something stays until it is answered.
  function toast(text, bad, again) {
    var box = document.querySelector(".toasts");
    if (!box) return;
    var t = document.createElement("div");
    t.className = bad ? "toast bad" : "toast";
    t.textContent = text;
    box.appendChild(t);
    if (!again) return void setTimeout(function () { t.remove(); }, bad ? 12000 : 5000);
    [["again", again], ["close", null]].forEach(function (a) {
      var b = document.createElement("button");
      b.type = "button";
      b.className = "btn btn-s";
      b.textContent = words(a[0]);
      b.onclick = function () { t.remove(); if (a[1]) a[1](); };
      t.appendChild(b);
    });
  }
  // repeat makes a failed request once more, as it was.
  function repeat(c) {
    return function () {
      if (!document.contains(c.elt)) return location.reload();
      if (c.elt.tagName === "FORM") return c.elt.requestSubmit(c.triggeringEvent && c.triggeringEvent.submitter || undefined);
      window.htmx.ajax(c.verb, c.path, { source: c.elt, target: c.target });
    };
  }
  function words(key) {
    var box = document.querySelector(".toasts");
    return (box && box.dataset[key]) || "";
  }
  // A failing poll says so once, in a strip that goes when it works again.
  function polls(e) { return e.detail.elt && (/^(log|trace)$/.test(e.detail.elt.id) || e.detail.elt.hasAttribute("data-poll")); }
  function lost(yes) {
    var strip = document.getElementById("lost");
    if (strip) strip.hidden = !yes;
  }
  document.addEventListener("htmx:afterRequest", function (e) { if (polls(e)) lost(!e.detail.successful); });
  document.addEventListener("htmx:responseError", function (e) {
    if (polls(e)) return;
    var p = e.detail.xhr.getResponseHeader("X-Problem");
    toast(p ? decodeURIComponent(p.replace(/\+/g, " ")) : words("failed"), true, e.detail.xhr.status >= 500 && repeat(e.detail.requestConfig));
  });
  document.addEventListener("htmx:sendError", function (e) { if (!polls(e)) toast(words("offline"), true, repeat(e.detail.requestConfig)); });
  window.frontlineToast = toast;

  // A thin bar when an answer takes longer than a blink; polls do not count.
  var waits = 0;
  document.addEventListener("htmx:beforeRequest", function (e) {
    if (polls(e)) return;
    waits++;
    setTimeout(function () { if (waits > 0) document.documentElement.classList.add("busy"); }, 300);
  });
  document.addEventListener("htmx:afterRequest", function (e) {
    if (polls(e)) return;
    waits = Math.max(0, waits - 1);
    if (!waits) document.documentElement.classList.remove("busy");
  });

  // Keys: never while somebody types or composes Chinese.
  function typing(el) {
    return el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName));
  }
  document.addEventListener("keydown", function (e) {
    if (e.isComposing) return;
    var search = document.querySelector("#q");
    if ((e.ctrlKey || e.metaKey) && e.key === "k" && search) {
      e.preventDefault();
      search.focus();
      search.select();
    } else if (e.key === "/" && search && !typing(e.target)) {
      e.preventDefault();
      search.focus();
    } else if (e.key === "Escape" && typing(e.target)) {
      e.target.blur();
    }
  });

  // Enter sends, Shift+Enter breaks the line, and Chinese input is left alone.
  // The line break that the same key types may come late, after the field is
  // empty again: it is refused until the key is up.
  var sending = false;
  document.addEventListener("keyup", function (e) { if (e.key === "Enter") sending = false; });
  document.addEventListener("beforeinput", function (e) {
    if (sending && /^insert(LineBreak|Paragraph)$/.test(e.inputType)) e.preventDefault();
  });
  document.addEventListener("keydown", function (e) {
    if (e.key !== "Enter" || e.shiftKey || e.isComposing || !e.target.dataset || e.target.dataset.enter !== "send") return;
    e.preventDefault();
    sending = true;
    if (e.target.value.trim() || [].some.call(e.target.form.elements, function (x) { return x.type === "file" && x.value; })) e.target.form.requestSubmit();
  });
  document.addEventListener("htmx:afterRequest", function (e) {
    if (e.detail.elt.id !== "say" || !e.detail.successful) return;
    e.detail.elt.reset();
    quote("", "");
    document.querySelectorAll(".file").forEach(named);
  });

  // A message is quoted by its small button, a list sends itself, a chosen file
  // is named.
  function quote(id, text) {
    var form = document.getElementById("say");
    if (!form) return;
    form.elements.quote.value = id;
    form.querySelector(".qb").hidden = !id;
    form.querySelector(".qb span").textContent = text;
    if (id) form.elements.text.focus();
  }
  function named(label) {
    var span = label.querySelector("span"), input = label.querySelector("input");
    if (!span.dataset.empty) span.dataset.empty = span.textContent;
    span.textContent = input.files.length ? input.files[0].name : span.dataset.empty;
  }
  document.addEventListener("click", function (e) {
    var a = e.target.closest && e.target.closest("[data-quote],[data-unquote]");
    if (!a) return;
    e.preventDefault();
    quote(a.dataset.quote || "", a.dataset.text || "");
  });
  document.addEventListener("change", function (e) {
    if (e.target.hasAttribute("data-submit")) e.target.form.requestSubmit();
    if (e.target.type === "file" && e.target.closest(".file")) named(e.target.closest(".file"));
  });

  // A log stays at its end, unless somebody has scrolled up to read.
  function tail() {
    document.querySelectorAll("[data-tail]").forEach(function (el) { el.scrollTop = el.scrollHeight; });
  }
  var keep = {};
  document.addEventListener("htmx:beforeSwap", function (e) {
    if (!e.detail.target || e.detail.xhr.status === 204) return;
    [e.detail.target].concat([].slice.call(e.detail.target.querySelectorAll("[data-tail]"))).forEach(function (t) {
      if (t.hasAttribute("data-tail")) keep[t.id] = t.scrollHeight - t.scrollTop - t.clientHeight < 60 ? -1 : t.scrollTop;
    });
  });
  document.addEventListener("htmx:afterSettle", function () {
    Object.keys(keep).forEach(function (id) {
      var el = document.getElementById(id);
      if (el) el.scrollTop = keep[id] < 0 ? el.scrollHeight : keep[id];
      delete keep[id];
    });
  });
  document.addEventListener("DOMContentLoaded", tail);

  // A menu closes when one looks elsewhere.
  document.addEventListener("click", function (e) {
    document.querySelectorAll("details.menu[open]").forEach(function (d) {
      if (!d.contains(e.target)) d.open = false;
    });
  });

  // A field with a limit counts its bytes, as the platform does.
  document.addEventListener("input", function (e) {
    var max = e.target.getAttribute && e.target.getAttribute("data-bytes");
    if (!max) return;
    var out = document.getElementById(e.target.getAttribute("data-meter"));
    var n = new TextEncoder().encode(e.target.value).length;
    if (out) out.textContent = n + " / " + max + " B";
  });
})();
