// Pages beside the overview: each a dialog with an address of its own, such as #/webhooks.

/** Opens and closes dialogs as the address says, so that they can be linked to and left by "back". */
export class Pages {
  /** `pages`: address → `{page, dialog, button, needs}`; `page` has `shown`, `open`, `refresh`, `render`. */
  constructor(pages) {
    this.pages = pages;
    for (const [hash, { dialog, button }] of Object.entries(pages)) {
      button.addEventListener("click", () => { location.hash = hash; });
      dialog.addEventListener("close", () => leave(hash, button));
    }
  }

  /** Shows the page that the address names, and no other. */
  async follow() {
    for (const [hash, { page, dialog }] of Object.entries(this.pages)) {
      const wanted = location.hash === hash;
      if (wanted === page.shown) continue;
      if (wanted) await page.open();
      else dialog.close();
    }
  }

  /** Fetches again what the open page shows. */
  async refresh() {
    for (const { page } of Object.values(this.pages)) if (page.shown) await page.refresh();
  }

  /** Writes the open page anew, as after a change of the language. */
  render() {
    for (const { page } of Object.values(this.pages)) if (page.shown) page.render();
  }

  /** Offers the pages that somebody may use; `who` null: nobody is signed in. */
  offer(who) {
    for (const { button, needs } of Object.values(this.pages)) {
      button.hidden = !who?.permissions.includes(needs);
    }
  }
}

function leave(hash, button) {
  if (location.hash !== hash) return;
  history.pushState(null, "", location.pathname + location.search);
  button.focus();
}
