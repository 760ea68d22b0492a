// Keeps an open page up to date. The page is complete without it.
//
// The server says only that something has changed; the page's own address is then asked for again, and what
// differs is put in place: the same elements stay, so that focus, scrolling and selection do too. Rows are never
// moved, added or removed under the pointer or around the focus: their cells change, the rest waits.
//
// It also shows that something is under way: whatever was sent or asked for is marked as busy until the next page.
(() => {
  "use strict";

  const busy = (element) => element?.setAttribute("aria-busy", "true");
  document.addEventListener("submit", ({ submitter }) => busy(submitter));
  window.addEventListener("pageshow", () => {
    for (const element of document.querySelectorAll("[aria-busy]")) element.removeAttribute("aria-busy");
  });

  let interval = 1000; // Least time between two updates, milliseconds; the server's settings say it.
  const SPEAK_INTERVAL = 15000; // Least time between two announcements to screen readers.
  const RETRY_MAX = 30000; // Longest pause before connecting again.
  const PATIENCE = 15000; // Longest wait for an answer.

  const connection = document.getElementById("connection");
  const spoken = document.getElementById("spoken");
  if (!document.querySelector("[data-live]") || !connection || !("EventSource" in window)) return;

  let source = null; // The open stream.
  let failures = 0; // Failed attempts in a row.
  let retry = 0; // Timer of the next attempt to connect.
  let timer = 0; // Timer of the next update.
  let updating = false;
  let wanted = false; // Something changed while an update was under way.
  let updated = -Infinity; // When the last update began.
  let postponed = false; // Rows wait until the pointer or the focus has left.
  let hovering = false; // The last pointer was one that rests; a finger does not.

  const later = (action, pause) => window.setTimeout(action, pause);

  function show(state) {
    if (connection.dataset.state === state) return;
    connection.dataset.state = state;
    connection.querySelector(".word").textContent = connection.dataset[state];
    connection.hidden = false;
  }

  function connect() {
    window.clearTimeout(retry);
    if (source || document.hidden) return;
    source = new EventSource("/events");
    source.addEventListener("open", want); // Whatever happened before the stream was open.
    source.addEventListener("change", want);
    source.addEventListener("pace", ({ data }) => {
      interval = Math.max(1, Number(data) || 1) * 1000;
    });
    source.addEventListener("error", lose);
  }

  function disconnect() {
    window.clearTimeout(retry);
    window.clearTimeout(timer);
    timer = 0;
    source?.close();
    source = null;
  }

  // The browser's own reconnecting knows no growing pauses.
  function lose() {
    disconnect();
    show("off");
    const pause = Math.min(RETRY_MAX, 1000 * 2 ** failures);
    failures += 1;
    retry = later(connect, pause * (0.75 + Math.random() / 2));
  }

  function want() {
    wanted = true;
    if (updating || timer || document.hidden) return;
    timer = later(update, Math.max(0, updated + interval - performance.now()));
  }

  async function update() {
    timer = 0;
    updating = true;
    wanted = false;
    updated = performance.now();
    try {
      const address = new URL(location.href);
      address.hash = "";
      address.searchParams.set("fragment", "1");
      const answer = await fetch(address, { signal: AbortSignal.timeout(PATIENCE) });
      // The job is gone, or the session is over: what there is instead says so.
      if (answer.status === 404 || answer.redirected) return location.reload();
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      apply(new DOMParser().parseFromString(await answer.text(), "text/html"));
      failures = 0;
      show("on");
    } catch {
      lose();
    } finally {
      updating = false;
      if (wanted) want();
    }
  }

  function apply(fresh) {
    postponed = false;
    for (const region of fresh.querySelectorAll("[data-live]")) {
      const old = document.getElementById(region.id);
      if (!old) continue;
      const held = [...old.querySelectorAll("[data-rows]")].find(isOccupied);
      if (isSelected(old) || (held && !fresh.getElementById(held.id))) {
        postponed = true;
        continue;
      }
      const tail = old.querySelector("[data-tail]");
      const atEnd = tail && tail.scrollTop + tail.clientHeight >= tail.scrollHeight - 4;
      patch(old, region);
      if (atEnd) tail.scrollTop = tail.scrollHeight;
    }
    speak(document.getElementById("news")?.textContent ?? "");
  }

  // Makes `old` like `fresh` with as few changes as possible.
  function patch(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== Node.ELEMENT_NODE) {
      old.data = fresh.data;
      return;
    }
    // Whether details are open is the reader's affair.
    const surplus = [...old.attributes].filter(({ name }) => name !== "open" && !fresh.hasAttribute(name));
    for (const { name } of surplus) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    if (isOccupied(old)) patchRows(old, fresh);
    else patchChildren(old, fresh);
  }

  function patchChildren(old, fresh) {
    const byId = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
    let at = old.firstChild;
    for (const node of [...fresh.childNodes]) {
      const same = node.id ? byId.get(node.id) : at && !at.id && at.nodeName === node.nodeName ? at : null;
      if (!same) {
        old.insertBefore(document.importNode(node, true), at);
        continue;
      }
      if (same === at) at = at.nextSibling;
      else old.insertBefore(same, at);
      patch(same, node);
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  // Changes cells only; rows that have gone are shown as such.
  function patchRows(old, fresh) {
    const byId = new Map([...fresh.children].map((child) => [child.id, child]));
    const ids = [...old.children].map((row) => row.id);
    if (ids.join() !== [...byId.keys()].join()) postponed = true;
    for (const row of old.children) {
      const match = byId.get(row.id);
      if (match) patch(row, match);
      else row.setAttribute("data-gone", "");
    }
  }

  function isOccupied(element) {
    if (!element.hasAttribute("data-rows")) return false;
    return (hovering && element.matches(":hover")) || element.contains(document.activeElement);
  }

  function isSelected(element) {
    const selection = document.getSelection();
    return selection !== null && !selection.isCollapsed && selection.containsNode(element, true);
  }

  // Screen readers are told the latest news, but not every tick.
  let spokenAt = -Infinity;
  let speaking = 0;
  let last = document.getElementById("news")?.textContent ?? "";

  function speak(news) {
    if (news === last) return;
    last = news;
    if (speaking) return;
    speaking = later(() => {
      speaking = 0;
      spokenAt = performance.now();
      spoken.textContent = last;
    }, Math.max(0, spokenAt + SPEAK_INTERVAL - performance.now()));
  }

  const resume = () => { if (postponed) want(); };
  document.addEventListener("pointerover", (event) => { hovering = event.pointerType !== "touch"; });
  document.addEventListener("pointerleave", (event) => {
    if (event.target instanceof Element && event.target.hasAttribute("data-rows")) resume();
  }, true);
  document.addEventListener("focusout", resume);
  document.addEventListener("selectionchange", resume);
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("pageshow", connect);

  for (const tail of document.querySelectorAll("[data-tail]")) tail.scrollTop = tail.scrollHeight;
  connect();
})();
