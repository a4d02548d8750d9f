// Asks for frames, one after the other, for as long as the page is open. Calls
// `lost` with the time of the last answer, and `found` at the first answer after.

const VISIBLE = 250;
const HIDDEN = 5000;
const SLOWEST = 2000;
const PATIENCE = 4000;

export class LoggedOut extends Error {}
export class Refused extends Error {}

// Returns a JSON answer of Locust's; throws LoggedOut at a login page in its place.
export async function ask(url, options = {}) {
  const response = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(options.patience ?? PATIENCE), ...options });
  const json = (response.headers.get("Content-Type") ?? "").startsWith("application/json");
  if (!json && (response.redirected || response.status === 401)) throw new LoggedOut();
  if (!json) throw new Error(`Locust answered ${response.status}`);
  return { ok: response.ok, value: await response.json() };
}

// Waits, but not longer than until the page becomes visible.
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
      if (!ok) throw new Refused(value.error);
      answered = new Date();
      if (failures) found();
      failures = 0;
      frame = value;
    } catch (error) {
      failures += 1;
      // One lost answer is not worth a message.
      if (failures > 1 || error instanceof LoggedOut || error instanceof Refused) lost(answered, error);
    }
    // An error in our own code is no lost answer, and must not stop the page.
    if (frame) try { take(frame); } catch (error) { console.error(error); }
    const wanted = document.hidden ? HIDDEN : Math.min(VISIBLE * 2 ** Math.min(failures, 5), failures ? SLOWEST : VISIBLE);
    await pause(Math.max(20, wanted - (performance.now() - began)));
  }
}
