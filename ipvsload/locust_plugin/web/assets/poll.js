// Frames, one after the other, for as long as the page is open. A failure is
// told once, with the time of the last answer, and so is the first answer after.

const VISIBLE = 250;
const HIDDEN = 5000;
const SLOWEST = 2000;
const PATIENCE = 4000;

export class LoggedOut extends Error {}

// A JSON answer of Locust's; a login page in its place is LoggedOut.
export async function ask(url, options = {}) {
  const response = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(options.patience ?? PATIENCE), ...options });
  const json = (response.headers.get("Content-Type") ?? "").startsWith("application/json");
  if (!json && (response.redirected || response.status === 401)) throw new LoggedOut();
  if (!json) throw new Error(`Locust answered ${response.status}`);
  return { ok: response.ok, value: await response.json() };
}

// Waits, but no longer than until the page is looked at again.
function pause(milliseconds) {
  return new Promise((done) => {
    const end = () => { clearTimeout(timer); document.removeEventListener("visibilitychange", seen); done(); };
    const seen = () => { if (!document.hidden) end(); };
    const timer = setTimeout(end, milliseconds);
    document.addEventListener("visibilitychange", seen);
  });
}

export async function poll({ position, take, lost, found }) {
  let failures = 0, answered = new Date();
  for (;;) {
    const began = performance.now();
    let frame = null;
    try {
      const { epoch, stamp } = position();
      const { ok, value } = await ask(`ipvs/frame?epoch=${epoch}&after=${stamp}`);
      if (!ok) throw new Error("refused");
      answered = new Date();
      if (failures) found();
      failures = 0;
      frame = value;
    } catch (error) {
      failures += 1;
      // One lost answer is nothing that anybody needs to know.
      if (failures > 1 || error instanceof LoggedOut) lost(answered, error);
    }
    // A mistake of ours is not a lost answer, and not the end of the page.
    if (frame) try { take(frame); } catch (error) { console.error(error); }
    const wanted = document.hidden ? HIDDEN : Math.min(VISIBLE * 2 ** Math.min(failures, 5), failures ? SLOWEST : VISIBLE);
    await pause(Math.max(20, wanted - (performance.now() - began)));
  }
}
