// The console's own script: keys, toasts, the token that goes with every
// change. Everything works without it, only less quickly.
(function () {
  "use strict";
  var csrf = document.querySelector('meta[name="csrf"]');

  document.addEventListener("htmx:configRequest", function (e) {
    if (csrf) e.detail.headers["X-CSRF-Token"] = csrf.content;
  });

  function toast(text, bad) {
    var box = document.querySelector(".toasts");
    if (!box) return;
    var t = document.createElement("div");
    t.className = bad ? "toast bad" : "toast";
    t.textContent = text;
    box.appendChild(t);
    setTimeout(function () { t.remove(); }, bad ? 12000 : 5000);
  }
  document.addEventListener("htmx:responseError", function (e) {
    var p = e.detail.xhr.getResponseHeader("X-Problem");
    toast(p ? decodeURIComponent(p.replace(/\+/g, " ")) : "没有成功，请重试", true);
  });
  document.addEventListener("htmx:sendError", function () { toast("网络不通，请重试", true); });
  window.frontlineToast = toast;

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
  document.addEventListener("keydown", function (e) {
    if (e.key !== "Enter" || e.shiftKey || e.isComposing || !e.target.dataset || e.target.dataset.enter !== "send") return;
    e.preventDefault();
    if (e.target.value.trim() || e.target.form.querySelector("input[type=file]").value) e.target.form.requestSubmit();
  });
  document.addEventListener("htmx:afterRequest", function (e) {
    if (e.detail.elt.id === "say" && e.detail.successful) e.detail.elt.reset();
  });

  // A log stays at its end, unless somebody has scrolled up to read.
  function tail() {
    document.querySelectorAll("[data-tail]").forEach(function (el) { el.scrollTop = el.scrollHeight; });
  }
  var keep = {};
  document.addEventListener("htmx:beforeSwap", function (e) {
    var t = e.detail.target;
    if (t && t.hasAttribute("data-tail")) keep[t.id] = t.scrollHeight - t.scrollTop - t.clientHeight < 60 ? -1 : t.scrollTop;
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
