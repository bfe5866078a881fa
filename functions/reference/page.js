"use strict";

// Every address is relative to this page, so that it works behind any stage prefix and on any domain.
const address = (path) => new URL(path, document.baseURI).href;
const SCHEME = "token";

const ui = SwaggerUIBundle({
  url: address("openapi.json"),
  dom_id: "#reference",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  validatorUrl: null, // the default sends the document to a foreign server
  persistAuthorization: false, // a token stays in the memory of this page
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
});

const form = document.getElementById("login");
const state = document.getElementById("state");
const logoutButton = document.getElementById("logout");
let session = null; // { access, refresh }: both stay in the memory of this page

function say(text, failed = false) {
  state.textContent = text;
  state.toggleAttribute("data-failed", failed);
}

async function post(path, body, headers = {}) {
  return fetch(address(path), {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

async function login(username, password) {
  say("Logging in…");
  const answer = await post("v1/auth/login", { username, password });
  const body = await answer.json();
  if (!answer.ok) {
    throw new Error(body.detail);
  }
  session = { access: body.access_token, refresh: body.refresh_token };
  ui.preauthorizeApiKey(SCHEME, session.access);
  logoutButton.hidden = false;
  say(`Logged in as ${username} for ${Math.round(body.expires_in / 60)} minutes.`);
}

async function logout() {
  const body = { refresh_token: session.refresh };
  const answer = await post("v1/auth/logout", body, { Authorization: `Bearer ${session.access}` });
  // 401: the access token is over. The refresh token may not be, so that it is not a log-out.
  if (!answer.ok) {
    const problem = await answer.json();
    throw new Error(`Not logged out: ${problem.detail}`);
  }
  session = null;
  ui.authActions.logout([SCHEME]);
  logoutButton.hidden = true;
  say("Logged out.");
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const password = form.elements.password.value;
  form.elements.password.value = "";
  login(form.elements.username.value, password).catch((failure) => say(failure.message, true));
});

logoutButton.addEventListener("click", () => {
  logout().catch((failure) => say(failure.message, true));
});
