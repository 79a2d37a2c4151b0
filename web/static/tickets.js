// Keys and ticks of the queue, of the list of knowledge and of a ticket's page. All of it has a button too.
(function () {
  "use strict";
  var rows = function () { return [].slice.call(document.querySelectorAll(".queue tbody tr, .picks tbody tr")).filter(function (r) { return r.querySelector("a.ell"); }); };
  var at = -1;
  function off() { try { return localStorage.getItem("keys") === "off"; } catch (e) { return false; } }
  function set(key, value) { try { localStorage.setItem(key, value); } catch (e) { /* private window */ } }
  function get(key) { try { return localStorage.getItem(key); } catch (e) { return null; } }
  function typing(el) { return el && (el.isContentEditable || /^(TEXTAREA|SELECT)$/.test(el.tagName) || el.tagName === "INPUT" && !/^(checkbox|radio)$/.test(el.type)); }

  function move(by) {
    var all = rows();
    if (!all.length) return;
    if (all[at]) all[at].classList.remove("here");
    at = Math.max(0, Math.min(all.length - 1, at + by));
    all[at].classList.add("here");
    all[at].scrollIntoView({ block: "nearest" });
    all[at].querySelector("a.ell").focus({ preventScroll: true });
  }
  function press(selector) {
    var el = document.querySelector(selector);
    if (!el) return false;
    el.click();
    return true;
  }
  function goTo(id) {
    var el = document.getElementById(id);
    if (el) el.focus();
    return !!el;
  }
  function row() { return rows()[at]; }

  document.addEventListener("keydown", function (e) {
    if (e.isComposing || e.ctrlKey || e.metaKey || e.altKey) return;
    var dialog = document.getElementById("keys");
    if (typing(e.target) || dialog && dialog.open) return;
    if (e.key === "?") { if (dialog) dialog.showModal(); return; }
    if (off()) return;
    var done = true, r = row(), queue = !!document.querySelector(".queue");
    switch (e.key) {
      case "j": move(1); break;
      case "k": move(-1); break;
      case "x": if (r) r.querySelector("input[type=checkbox]").click(); break;
      case "a": if (queue) { done = !!(r && r.querySelector("button[value=claim]")); if (done) r.querySelector("button[value=claim]").click(); } else done = press("button[data-key=a]"); break;
      case "r": if (queue) { if (r) location.href = r.querySelector("a.ell").href + "#say"; } else { press("[data-say=reply] input"); done = goTo("say-reply"); } break;
      case "n": if (!queue) { press("[data-say=note] input"); done = goTo("say-note"); } else done = false; break;
      case "e": done = !queue && press("[data-key=e]"); break;
      case "/": { var s = document.querySelector("[data-slash]"); if (s) { s.focus(); s.select(); } else done = false; break; }
      default: done = false;
    }
    if (done) { e.preventDefault(); e.stopImmediatePropagation(); }
  }, true);

  // The ticked ones are counted; a click between two with Shift ticks all between.
  function count() {
    var n = 0;
    rows().forEach(function (r) {
      var box = r.querySelector("input[name=t]");
      if (!box) return;
      if (box.checked) n++;
      r.setAttribute("aria-selected", box.checked ? "true" : "false");
    });
    var out = document.querySelector("[data-count]");
    if (out) {
      if (!out.dataset.word) out.dataset.word = out.textContent;
      out.textContent = out.dataset.word + " " + n;
    }
  }
  var last = -1;
  document.addEventListener("click", function (e) {
    var t = e.target;
    if (t.name === "t") {
      var boxes = rows().map(function (r) { return r.querySelector("input[name=t]"); }), i = boxes.indexOf(t);
      if (e.shiftKey && last >= 0) for (var k = Math.min(i, last); k <= Math.max(i, last); k++) boxes[k].checked = t.checked;
      last = i;
      count();
    } else if (t.hasAttribute && t.hasAttribute("data-all")) {
      rows().forEach(function (r) { r.querySelector("input[name=t]").checked = t.checked; });
      count();
    }
    var b = t.closest && t.closest("[data-dense],[data-keys],[data-keys-off]");
    if (!b) return;
    if (b.hasAttribute("data-keys")) document.getElementById("keys").showModal();
    else if (b.hasAttribute("data-dense")) { set("dense", get("dense") === "1" ? "0" : "1"); look(); }
    else { set("keys", off() ? "on" : "off"); look(); }
  });
  document.addEventListener("reset", function () { setTimeout(count, 0); });

  // What is written stays in this browser until it is sent; reply, note and
  // question are kept apart, so that one never becomes the other.
  function drafts() {
    document.querySelectorAll("[data-draft]").forEach(function (el) {
      var kept = get("draft/" + el.dataset.draft);
      if (kept && !el.value) { el.value = kept; el.dispatchEvent(new Event("input", { bubbles: true })); }
    });
  }
  function writing() {
    var w = document.querySelector("#state [name=writing]");
    if (w) w.value = [].some.call(document.querySelectorAll("#say textarea"), function (x) { return x.value.trim(); }) ? "1" : "0";
  }
  document.addEventListener("input", function (e) {
    if (e.target.dataset && e.target.dataset.draft) { set("draft/" + e.target.dataset.draft, e.target.value); writing(); }
  });
  document.addEventListener("submit", function (e) {
    if (e.target.id !== "say") return;
    var kind = e.target.elements.kind.value, t = document.getElementById("say-" + kind);
    if (t && t.value.trim()) { try { sessionStorage.setItem("sent", t.dataset.draft + "\n" + t.value); } catch (x) { /* private window */ } }
  });
  // A draft is forgotten when its words stand in the thread: not before.
  function sent() {
    var s;
    try { s = sessionStorage.getItem("sent"); sessionStorage.removeItem("sent"); } catch (e) { return; }
    if (!s || document.querySelector(".strip.bad") || !document.querySelector(".toast:not(.bad)")) return;
    try { localStorage.removeItem("draft/" + s.split("\n")[0]); } catch (e) { /* private window */ }
  }
  document.addEventListener("keydown", function (e) {
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && !e.isComposing && e.target.form && e.target.form.id === "say") {
      e.preventDefault();
      e.target.form.requestSubmit(e.target.form.querySelector("[data-send]"));
    }
    if (e.key === "/" && !e.isComposing && e.target.hasAttribute && e.target.hasAttribute("data-snip") && /(^|\n)$/.test(e.target.value.slice(0, e.target.selectionStart))) {
      var menu = document.querySelector(".snips"), first = menu && menu.querySelector("[data-insert]");
      if (!first) return;
      e.preventDefault();
      menu.open = true;
      first.focus();
    }
    if (e.key === "Escape") document.querySelectorAll("details.menu[open]").forEach(function (d) { d.open = false; });
    if (/^Arrow(Up|Down)$/.test(e.key) && e.target.closest && e.target.closest(".snips .pop")) {
      e.preventDefault();
      var next = e.target[e.key === "ArrowDown" ? "nextElementSibling" : "previousElementSibling"];
      if (next) next.focus();
    }
  });
  // A snippet or an answer goes where the cursor is.
  document.addEventListener("click", function (e) {
    var b = e.target.closest && e.target.closest("[data-insert]");
    if (!b) return;
    var form = document.getElementById("say"), el = form && document.getElementById("say-" + form.elements.kind.value);
    if (!el) return;
    el.focus();
    el.setRangeText(b.dataset.insert, el.selectionStart, el.selectionEnd, "end");
    el.dispatchEvent(new Event("input", { bubbles: true }));
    var menu = b.closest("details.menu");
    if (menu) menu.open = false;
  });
  // Pictures can be pasted.
  document.addEventListener("paste", function (e) {
    var form = e.target.form, files = e.clipboardData && e.clipboardData.files;
    if (!form || !form.elements.photo || !files || !files.length) return;
    var all = new DataTransfer();
    [].forEach.call(form.elements.photo.files, function (f) { all.items.add(f); });
    [].forEach.call(files, function (f) { if (/^image\//.test(f.type)) all.items.add(f); });
    form.elements.photo.files = all.files;
    form.elements.photo.dispatchEvent(new Event("change", { bubbles: true }));
    e.preventDefault();
  });

  function look() {
    document.documentElement.classList.toggle("dense", get("dense") === "1");
    document.querySelectorAll("[data-keys-off]").forEach(function (b) { b.textContent = off() ? b.dataset.on : b.dataset.off; });
  }
  document.addEventListener("DOMContentLoaded", function () { look(); count(); sent(); drafts(); writing(); });
})();
