// A page that was opened from a disk may start no worker, and the search runs in one. Here the
// worker's script runs in a frame without a look, which is asked and answers by the same messages.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.waiting = [];
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      const inside = (this.inside = frame.contentWindow);
      inside.importScripts = (...urls) =>
        urls.reduce((before, one) => before.then(() => load(inside, one)), Promise.resolve());
      inside.postMessage = (data) => this.tell(this, data);
      load(inside, url).then(() => {
        this.loaded = true;
        this.waiting.splice(0).forEach((data) => this.tell(inside, data));
      });
    }

    postMessage(data) {
      this.loaded ? this.tell(this.inside, data) : this.waiting.push(data);
    }

    tell(listener, data) {
      const event = new MessageEvent("message", { data });
      setTimeout(() => listener.dispatchEvent(event));
    }

    terminate() {
      this.inside.frameElement.remove();
    }
  };

  const load = (inside, url) =>
    new Promise((done, failed) => {
      const script = inside.document.createElement("script");
      Object.assign(script, { src: url, onload: done, onerror: failed });
      inside.document.body.append(script);
    });
}
