"use strict";

// Runs page.js over a small document: fills in the login form, sends it, and prints what the page did.
const fs = require("node:fs");

const done = { calls: [], authorized: [], loggedOut: [], options: null };
const element = (extra = {}) => ({
  listeners: {}, hidden: true, textContent: "", failed: false,
  addEventListener(name, listener) { this.listeners[name] = listener; },
  toggleAttribute(_name, on) { this.failed = on; },
  ...extra,
});
const form = element({ elements: { username: { value: "ada" }, password: { value: process.argv[3] } } });
const parts = { login: form, state: element(), logout: element() };

globalThis.document = { baseURI: "https://host.test/api/docs", getElementById: (id) => parts[id] };
globalThis.SwaggerUIBundle = (options) => {
  done.options = { url: options.url, validatorUrl: options.validatorUrl, persists: options.persistAuthorization };
  return {
    preauthorizeApiKey: (scheme, token) => done.authorized.push([scheme, token]),
    authActions: { logout: (schemes) => done.loggedOut.push(schemes) },
  };
};
SwaggerUIBundle.presets = { apis: [] };
globalThis.fetch = async (address, request) => {
  done.calls.push([request.method, address, request.body, request.headers.Authorization ?? null]);
  const isLogin = address.endsWith("login");
  const ok = isLogin ? process.argv[3] === "right" : process.argv[4] !== "refused";
  const detail = isLogin ? "User name or password is wrong." : "The tokens table does not answer.";
  const body = ok ? { access_token: "t1", refresh_token: "r1", expires_in: 900 } : { detail };
  return { ok, json: async () => body };
};

(0, eval)(fs.readFileSync(process.argv[2], "utf8"));

const settled = () => new Promise((resolve) => setImmediate(resolve));
(async () => {
  form.listeners.submit({ preventDefault() { done.prevented = true; } });
  await settled();
  done.state = parts.state.textContent;
  done.failed = parts.state.failed;
  done.password = form.elements.password.value;
  if (!parts.logout.hidden) {
    parts.logout.listeners.click();
    await settled();
  }
  done.end = { state: parts.state.textContent, failed: parts.state.failed, mayLogOut: !parts.logout.hidden };
  console.log(JSON.stringify(done));
})();
