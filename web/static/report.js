// The report form: counts, checks and hides what identifies a customer, keeps
// drafts, shrinks photos and sends them one by one. Without it the form works too.
(function () {
  "use strict";
  var form = document.getElementById("report");
  var csrf = document.querySelector('meta[name="csrf"]');
  function send(path, body) { return fetch(path, { method: "POST", body: body, headers: { "HX-Request": "true", "X-CSRF-Token": csrf ? csrf.content : "" }, credentials: "same-origin" }); }
  function put(key, value) { try { if (value === null) localStorage.removeItem(key); else localStorage.setItem(key, value); } catch (e) { /* private window */ } }
  function get(key) { try { return localStorage.getItem(key); } catch (e) { return null; } }

  // Words to a ticket survive a lost page too.
  document.querySelectorAll("textarea[data-draft]").forEach(function (t) {
    var key = "draft/" + t.dataset.draft;
    if (!t.value && get(key)) t.value = get(key);
    t.addEventListener("input", function () { put(key, t.value); });
    t.form.addEventListener("submit", function () { put(key, null); });
  });
  if (!form) return;

  // How much is written.
  function runes(t) {
    var out = document.getElementById(t.dataset.countTo);
    if (out) out.textContent = Array.from(t.value).length + " / " + t.maxLength;
  }
  document.querySelectorAll("[data-count-to]").forEach(function (t) { runes(t); t.addEventListener("input", function () { runes(t); }); });

  // The check digit of an identity number (GB 11643), and a mobile number.
  function right(kind, value) {
    value = value.replace(/[\s-]/g, "").toUpperCase();
    if (kind === "phone") return /^(\+86)?1[3-9]\d{9}$/.test(value);
    if (/^\d{15}$/.test(value)) return true;
    if (!/^\d{17}[\dX]$/.test(value)) return false;
    for (var i = 0, sum = 0; i < 17; i++) sum += Number(value[i]) * (Math.pow(2, 17 - i) % 11);
    return "10X98765432"[sum % 11] === value[17];
  }
  function hidden(kind, value) {
    if (kind === "identity" && value.length >= 15) return value.slice(0, 4) + "*".repeat(value.length - 8) + value.slice(-4);
    if (kind === "phone" && value.length === 11) return value.slice(0, 3) + "****" + value.slice(-4);
    return value.length > 4 ? "****" + value.slice(-4) : value;
  }
  // Values are shown only while they are typed.
  var clear = new Map();
  function reveal(el) { if (clear.has(el)) { el.value = clear.get(el); clear.delete(el); } }
  function hide(el) {
    var value = el.value.trim();
    var note = el.parentNode.querySelector(".hint.live");
    if (note) note.remove();
    el.removeAttribute("aria-invalid");
    if (!value) return;
    if (el.dataset.wrong && !right(el.dataset.hide, value)) {
      el.setAttribute("aria-invalid", "true");
      note = document.createElement("span");
      note.className = "hint err live";
      note.setAttribute("role", "alert");
      note.textContent = el.dataset.wrong;
      el.parentNode.appendChild(note);
      return;
    }
    clear.set(el, el.value);
    el.value = hidden(el.dataset.hide, value);
  }
  var hides = [].slice.call(form.querySelectorAll("[data-hide]"));
  hides.forEach(function (el) {
    el.addEventListener("focus", function () { reveal(el); });
    el.addEventListener("blur", function () { hide(el); later(); });
    if (el.value && el.getAttribute("aria-invalid") !== "true") hide(el);
  });
  function data() {
    var d = new FormData(form);
    d.delete("photo");
    clear.forEach(function (value, el) { d.set(el.name, value); });
    return d;
  }

  // The draft: all of it sealed at the desk; here only what names nobody.
  var mine = form.action.indexOf("/m/") > 0, timer = 0, kept = document.getElementById("kept");
  var local = "draft/report", harmless = ["text", "class", "subclass", "system", "version", "login", "remarks"];
  function later() { clearTimeout(timer); timer = setTimeout(keep, 1500); }
  function keep() {
    if (!mine) return;
    var some = {};
    harmless.forEach(function (n) { some[n] = form.elements[n].value; });
    put(local, some.text ? JSON.stringify(some) : null);
    send("/m/report/draft", data()).then(function (r) { return r.ok ? r.text() : null; }).then(function (t) { if (t && kept) kept.textContent = t; }, function () { /* the local one stays */ });
  }
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  if (mine && !form.elements.text.value && get(local)) {
    try {
      var old = JSON.parse(get(local));
      harmless.forEach(function (n) { if (old[n]) form.elements[n].value = old[n]; });
      runes(form.elements.text);
    } catch (e) { put(local, null); }
  }

  // Photos: at most 1600 points long, sent one by one; one that fails is tried
  // again by a tap.
  var box = document.getElementById("photos"), input = box && box.querySelector("input[type=file]"), pending = 0;
  function shrink(file) {
    if (!window.createImageBitmap) return Promise.resolve(file);
    return createImageBitmap(file, { imageOrientation: "from-image" }).then(function (img) {
      var k = Math.min(1, 1600 / Math.max(img.width, img.height)), c = document.createElement("canvas");
      c.width = Math.max(1, Math.round(img.width * k));
      c.height = Math.max(1, Math.round(img.height * k));
      var pen = c.getContext("2d");
      pen.fillStyle = "#fff"; // JPEG has no transparent points
      pen.fillRect(0, 0, c.width, c.height);
      pen.drawImage(img, 0, 0, c.width, c.height);
      return new Promise(function (done) { c.toBlob(function (b) { done(b && b.size < file.size ? b : file); }, "image/jpeg", 0.85); });
    }).catch(function () { return file; }); // the desk looks at it anyway
  }
  function add(file) {
    if (box.querySelectorAll(".pic").length >= Number(box.dataset.most)) return;
    var pic = document.createElement("span"), veil = document.createElement("u");
    pic.className = "pic";
    veil.textContent = "…";
    pic.appendChild(veil);
    box.insertBefore(pic, input.closest("label"));
    function go() {
      pending++;
      pic.classList.remove("bad");
      veil.textContent = "…";
      shrink(file).then(function (small) {
        var d = new FormData();
        d.append("photo", small, file.name || "photo.jpg");
        return send("/m/report/photo", d);
      }).then(function (r) { if (!r.ok) throw r; return r.json(); }).then(function (j) {
        pic.textContent = "";
        var img = document.createElement("img"), name = document.createElement("input"), drop = document.createElement("button");
        img.src = j.path;
        img.alt = file.name || "";
        name.type = "hidden";
        name.name = "kept";
        name.value = j.name;
        drop.type = "button";
        drop.textContent = "×";
        drop.setAttribute("data-drop", "");
        drop.setAttribute("aria-label", box.dataset.words);
        pic.append(img, name, drop);
        later();
      }).catch(function (r) {
        pic.classList.add("bad");
        veil.textContent = "↻";
        veil.onclick = function () { veil.onclick = null; go(); };
        var p = r && r.headers && r.headers.get("X-Problem");
        if (p) { window.frontlineToast(decodeURIComponent(p.replace(/\+/g, " ")), true); if (r.status === 422) pic.remove(); }
      }).then(function () { pending--; });
    }
    go();
  }
  if (input && window.FormData && window.fetch) {
    input.addEventListener("change", function () {
      [].forEach.call(input.files, add);
      input.value = "";
    });
    box.addEventListener("click", function (e) {
      if (!e.target.hasAttribute("data-drop")) return;
      e.target.closest(".pic").remove();
      later();
    });
    document.addEventListener("paste", function (e) {
      [].forEach.call(e.clipboardData ? e.clipboardData.files : [], function (f) { if (/^image\//.test(f.type)) add(f); });
    });
  }

  // Sent when there is a line; else kept, and sent when it is back.
  var strip = document.getElementById("offline"), waiting = false, leaving = false;
  form.addEventListener("submit", function (e) {
    if (!navigator.onLine) {
      e.preventDefault();
      waiting = true;
      keep();
      if (strip) { strip.hidden = false; strip.scrollIntoView({ block: "nearest" }); }
      return;
    }
    if (pending > 0) {
      e.preventDefault();
      var wait = setInterval(function () { if (pending === 0) { clearInterval(wait); form.requestSubmit(); } }, 200);
      return;
    }
    if (leaving) { e.preventDefault(); return; } // tapped twice
    leaving = true;
    clearTimeout(timer);
    hides.forEach(reveal);
    put(local, null);
  });
  window.addEventListener("pageshow", function (e) { if (e.persisted) leaving = false; });
  window.addEventListener("online", function () {
    if (!waiting) return;
    waiting = false;
    if (strip) strip.hidden = true;
    form.requestSubmit();
  });

  if (form.dataset.first) {
    var first = form.elements[form.dataset.first];
    if (first && first.focus) first.focus();
  }
})();
