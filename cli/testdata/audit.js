// What a page must keep, whatever it shows. Returns one sentence per fault.
function (width) {
  const faults = [];
  const fault = (el, text) => {
    const name = el.tagName.toLowerCase() + (el.id ? "#" + el.id : "") + (el.classList.length ? "." + [...el.classList].join(".") : "");
    const line = name + " “" + (el.innerText || el.value || "").trim().slice(0, 20) + "”: " + text;
    if (!faults.includes(line)) faults.push(line);
  };
  const seen = el => el.checkVisibility({ visibilityProperty: true, opacityProperty: true });

  // The page as a whole.
  const over = document.documentElement.scrollWidth - innerWidth;
  if (over > 0) faults.push("scrolls sideways by " + over + " px");
  if (!document.documentElement.lang) faults.push("no lang");
  const h1 = document.querySelectorAll("h1").length;
  if (h1 !== 1) faults.push(h1 + " h1");
  if (!document.querySelector("main")) faults.push("no main");

  // Names.
  const nameOf = el => (el.getAttribute("aria-label") || el.title || [...(el.labels || [])].map(l => l.textContent).join(" ") || (/^(BUTTON|SUMMARY|A)$/.test(el.tagName) ? el.textContent : "")).trim();
  for (const el of document.querySelectorAll("input:not([type=hidden]),select,textarea,button,summary,a")) if (!nameOf(el)) fault(el, "has no name");
  for (const el of document.querySelectorAll("img,svg")) if (el.getAttribute("aria-hidden") !== "true" && !el.getAttribute("alt") && !el.getAttribute("aria-label")) fault(el, "picture without a name");
  for (const el of document.querySelectorAll("th")) if (!el.textContent.trim()) fault(el, "column without a name");
  const ids = [...document.querySelectorAll("[id]")].map(el => el.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push("id " + id + " twice");

  // Contrast of text against what is behind it.
  const rgba = text => { const n = text.match(/[\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const over2 = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const behind = el => {
    const layers = [];
    for (let e = el; e; e = e.parentElement) {
      const c = rgba(getComputedStyle(e).backgroundColor);
      if (c[3] > 0) layers.push(c);
      if (c[3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over2(top, under), [255, 255, 255, 1]);
  };
  const light = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const judge = (el, colour) => {
    const back = behind(el), r = ratio(over2(rgba(colour), back), back);
    if (r < 4.5) fault(el, "contrast " + r.toFixed(2));
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n; (n = walk.nextNode());) {
    const el = n.parentElement;
    if (n.nodeValue.trim() && !/^(SCRIPT|STYLE|OPTION)$/.test(el.tagName) && seen(el)) judge(el, getComputedStyle(el).color);
  }
  for (const el of document.querySelectorAll("[placeholder]")) if (seen(el)) judge(el, getComputedStyle(el, "::placeholder").color);

  // Targets are large enough, on a phone the main ones for a thumb.
  for (const el of document.querySelectorAll("button,select,summary,textarea,input:not([type=hidden]),a.btn,a.nav,.tabs a")) {
    if (!seen(el) || el.classList.contains("sr")) continue;
    const box = (/^(checkbox|radio|file)$/.test(el.type) && el.closest("label") || el.closest("label.search") || el).getBoundingClientRect();
    if (Math.min(box.width, box.height) < 24) fault(el, "target of " + Math.round(box.width) + " × " + Math.round(box.height));
    if (width <= 390 && el.matches(".btn-p,.nav,input.in,select.in,textarea.in,.tabs a") && box.height < 44) fault(el, "only " + Math.round(box.height) + " px high for a thumb");
  }

  // Where the focus is can be seen.
  for (const el of document.querySelectorAll("button,select,summary,textarea,input:not([type=hidden]),a[href]")) {
    if (!seen(el) || el.disabled) continue;
    el.focus();
    if (document.activeElement !== el) continue;
    let shown = false;
    for (let e = el, i = 0; e && i < 3; e = e.parentElement, i++) {
      const c = getComputedStyle(e);
      shown = shown || (c.outlineStyle !== "none" && parseFloat(c.outlineWidth) > 0);
    }
    if (!shown) fault(el, "focus cannot be seen");
    el.blur();
  }
  return faults;
}
