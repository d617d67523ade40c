export const id = 190;
export const ids = [190];
export const modules = {

/***/ 122:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   $q: () => (/* binding */ expectSafeApi),
/* harmony export */   PA: () => (/* binding */ weaknessesOf),
/* harmony export */   kv: () => (/* binding */ expectSafeWire)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(995);
/* harmony import */ var _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(597);

const require = (0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);


// src/adapters/wire.ts
function expectSafeWire({ name, server, proxyUrl }, user) {
  const url = parsed(server);
  if (url === void 0 || !["http:", "https:"].includes(url.protocol))
    throw new _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_1__/* .ConfigurationError */ .j1(
      "kubeconfig-server-invalid",
      `The server of cluster ${JSON.stringify(name)} in the kubeconfig is no address with https: (its text is not shown).`,
      "Set clusters[].cluster.server to an address such as https://api.example.com:6443."
    );
  if (url.protocol !== "https:")
    throw new _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_1__/* .ConfigurationError */ .j1(
      "kubeconfig-server-insecure",
      `The server of cluster ${JSON.stringify(name)} in the kubeconfig has an address with http:. The credentials would go there in clear text. Nothing was sent.`,
      "Set clusters[].cluster.server to the address with https:, and certificate-authority-data to the certificate that signs it."
    );
  if (proxyUrl !== void 0 && !proxySchemes.includes(parsed(proxyUrl)?.protocol ?? ""))
    throw new _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_1__/* .ConfigurationError */ .j1(
      "kubeconfig-proxy-invalid",
      `The proxy-url of cluster ${JSON.stringify(name)} in the kubeconfig is no address with ${proxySchemes.join(", ")}.`,
      "Set clusters[].cluster.proxy-url to an address such as http://proxy.example.com:3128."
    );
  if (user?.token !== void 0 && !/^[\x21-\x7e]*$/.test(user.token))
    throw new _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_1__/* .ConfigurationError */ .j1(
      "kubeconfig-token-invalid",
      `The token of user ${JSON.stringify(user.name)} in the kubeconfig has line ends or other characters that no token has.`,
      "Set users[].user.token to the token alone, in one line."
    );
}
var proxySchemes = ["http:", "https:", "socks:", "socks4:", "socks4a:", "socks5:", "socks5h:"];
function weaknessesOf({ name, skipTLSVerify, proxyUrl }, environment) {
  const proxy = proxyUrl === void 0 ? void 0 : parsed(proxyUrl);
  return [
    ...skipTLSVerify ? [
      `The kubeconfig switches off the verification of TLS for cluster ${JSON.stringify(name)} (insecure-skip-tls-verify). Anybody between the runner and the cluster can read the credentials.`
    ] : [],
    // Node takes no other value for it.
    ...environment("NODE_TLS_REJECT_UNAUTHORIZED") === "0" ? [
      "The environment switches off the verification of TLS (NODE_TLS_REJECT_UNAUTHORIZED=0). Anybody between the runner and the servers can read the credentials, GitHub's too."
    ] : [],
    ...proxy !== void 0 && proxy.protocol !== "https:" && proxy.password !== "" ? [
      `The password of the proxy of cluster ${JSON.stringify(name)} goes to it in clear text (proxy-url with ${proxy.protocol}).`
    ] : []
  ];
}
function parsed(address) {
  return typeof address === "string" && URL.canParse(address) ? new URL(address) : void 0;
}
var loopback = /^((?:[a-z0-9-]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\])$/;
function expectSafeApi(address) {
  const url = parsed(address);
  if (url?.protocol === "https:" || url?.protocol === "http:" && loopback.test(url.hostname)) return;
  throw new _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_1__/* .ConfigurationError */ .j1(
    "github-api-insecure",
    `GITHUB_API_URL is ${url === void 0 ? "no address" : `an address with ${url.protocol}, which would get the token in clear text`}. Nothing was sent.`,
    "Run on a server whose API has TLS (https:)."
  );
}




/***/ }),

/***/ 190:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   connectGitHub: () => (/* binding */ connectGitHub)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(995);
/* harmony import */ var _chunk_TX3RZEKL_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(124);
/* harmony import */ var _chunk_Y775CODE_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(122);
/* harmony import */ var _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(597);

const require = (0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);




// node_modules/@octokit/request-error/dist-src/index.js
var RequestError = class extends Error {
  name;
  /**
   * http status code
   */
  status;
  /**
   * Request options that lead to the error.
   */
  request;
  /**
   * Response object if a response was received
   */
  response;
  constructor(message, statusCode, options) {
    super(message, { cause: options.cause });
    this.name = "HttpError";
    this.status = Number.parseInt(statusCode);
    if (Number.isNaN(this.status)) {
      this.status = 0;
    }
    if ("response" in options) {
      this.response = options.response;
    }
    const requestCopy = Object.assign({}, options.request);
    if (options.request.headers.authorization) {
      requestCopy.headers = Object.assign({}, options.request.headers, {
        authorization: options.request.headers.authorization.replace(
          /(?<! ) .*$/,
          " [REDACTED]"
        )
      });
    }
    requestCopy.url = requestCopy.url.replace(/\bclient_secret=\w+/g, "client_secret=[REDACTED]").replace(/\baccess_token=\w+/g, "access_token=[REDACTED]");
    this.request = requestCopy;
  }
};

// src/adapters/github-error.ts
var pullRequestPermissions = "contents: write, pull-requests: write";
var issuePermissions = "issues: write";
var byMessage = [
  {
    message: /not permitted to create or approve pull requests/i,
    code: "github-pull-requests-not-permitted",
    remedy: 'Allow it in the settings of the repository and of its organization: Actions, General, "Allow GitHub Actions to create and approve pull requests".'
  },
  {
    message: /resource not accessible by (integration|personal access token)/i,
    code: "github-permission-missing",
    remedy: (permissions) => `${grant(permissions)} A run for a fork never has them.`
  },
  {
    message: /issues (are|has been|have been) disabled/i,
    code: "github-issues-disabled",
    remedy: 'Turn "Issues" on in the settings of the repository (General, Features), or "issue" off.'
  },
  {
    message: /not a fast.?forward|reference does not exist/i,
    code: "github-moved",
    remedy: "Somebody pushed meanwhile. Run the workflow again."
  },
  {
    message: /reference already exists|pull request already exists/i,
    code: "github-exists",
    remedy: "Another run created it meanwhile. Run the workflow again."
  },
  {
    message: /draft pull requests are not supported/i,
    code: "github-no-drafts",
    remedy: 'Set "pull-request-draft" to false.'
  },
  {
    message: /repository rule violations|protected branch|cannot create ref|bypass/i,
    code: "github-rule",
    remedy: 'Let the rules of the repository (Settings, Rules) allow the token this branch. Or set "pull-request-branch" to a name that they allow.'
  }
];
var byStatus = {
  401: { code: "github-unauthorized", remedy: "Renew the token: GitHub does not accept it." },
  403: { code: "github-forbidden", remedy: grant },
  404: {
    code: "github-not-found",
    remedy: "Check the name. GitHub also answers so when the token may not see the repository or may not write to it."
  },
  409: { code: "github-moved", remedy: "Somebody else changed it meanwhile. Run the workflow again." },
  422: { code: "github-invalid", remedy: "See GitHub's message." }
};
function grant(permissions) {
  return `Give the job "permissions: { ${permissions} }", or the token these permissions.`;
}
var longestMessage = 500;
function refusal(doing, error, permissions, redact) {
  const message = redact(messageOf(error)).slice(0, longestMessage);
  const known = byMessage.find((entry) => entry.message.test(message)) ?? byStatus[error.status] ?? {
    code: error.status >= 500 ? "github-server-error" : "github-refused",
    remedy: "Look at https://www.githubstatus.com, then run the workflow again."
  };
  return new _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .GitHubError */ .y_(
    known.code,
    `Can't ${doing}: ${(0,_chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .sentence */ .em)(message || "GitHub gave no message")} (HTTP ${String(error.status)})`,
    typeof known.remedy === "string" ? known.remedy : known.remedy(permissions)
  );
}
function noAnswer(doing, address, error) {
  return new _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .GitHubError */ .y_(
    "github-unreachable",
    `Can't ${doing}: no answer from ${address}: ${(0,_chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .sentence */ .em)(reasonOf(error))}`,
    "Check the network and the proxy (HTTPS_PROXY, NO_PROXY); a certificate authority of your own goes into NODE_EXTRA_CA_CERTS."
  );
}
function messageOf(error) {
  const data = error.response?.data;
  const own = typeof data === "object" && typeof data.message === "string" ? data.message : "";
  const faults = typeof data === "object" && Array.isArray(data.errors) ? data.errors.map(faultText) : [];
  const text = own === "" && typeof data === "string" ? data : [own, ...faults].filter(Boolean).join(": ");
  return text.slice(0, 100 * longestMessage).replace(/\s+/g, " ").trim();
}
function faultText(fault) {
  if (typeof fault === "string") return fault;
  const { message, resource, field, code } = fault ?? {};
  return [message, ...message === void 0 ? [resource, field, code] : []].filter((p) => typeof p === "string").join(" ");
}
function reasonOf(error) {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = (0,_chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .describe */ .q0)(inner);
  const code = inner instanceof Error && "code" in inner && typeof inner.code === "string" ? inner.code : "";
  return text === "" ? code : text;
}

// src/adapters/github-access.ts
var noCommit = "0".repeat(40);
function accessTo(requests, place) {
  return {
    async access() {
      const { data, headers } = await requests.read(
        `read the repository ${place.owner}/${place.repo}`,
        "GET /repos/{owner}/{repo}",
        {
          ...place
        }
      );
      const scopes = headers["x-oauth-scopes"];
      return {
        defaultBranch: data.default_branch,
        url: data.html_url,
        ownedByOrganization: data.owner.type === "Organization",
        private: data.private,
        frozen: data.archived || data.disabled,
        mayPush: data.permissions?.push,
        scopes: scopes === void 0 ? void 0 : scopes.split(",").map((scope) => scope.trim()).filter(Boolean)
      };
    },
    async viewer() {
      const data = await requests.query(
        { doing: "ask for whom the token speaks", repeatable: true, permissions: issuePermissions },
        "query { viewer { login } }"
      );
      return data.viewer.login;
    },
    async branchRules(branch) {
      const answer = await unlessHidden(
        requests.read(`read the rules for branch ${branch}`, "GET /repos/{owner}/{repo}/rules/branches/{branch}", {
          ...place,
          branch,
          per_page: 100
        })
      );
      return answer?.data.map((rule) => rule.type);
    },
    async actionsMayOpenPullRequests() {
      const answer = await unlessHidden(
        requests.read(
          "read the workflow permissions of the repository",
          "GET /repos/{owner}/{repo}/actions/permissions/workflow",
          { ...place }
        )
      );
      return answer?.data.can_approve_pull_request_reviews;
    },
    async tryPush(branch) {
      return await tried(
        requests.read("try to make a branch", "POST /repos/{owner}/{repo}/git/refs", {
          ...place,
          ref: `refs/heads/${branch}`,
          sha: noCommit
        })
      );
    },
    async tryPullRequest(branch) {
      return await tried(
        requests.read("try to open a pull request", "POST /repos/{owner}/{repo}/pulls", {
          ...place,
          title: "May this token open pull requests?",
          head: branch,
          base: branch
        })
      );
    }
  };
}
async function unlessHidden(answer) {
  try {
    return await answer;
  } catch (error) {
    const hidden = [
      "github-permission-missing",
      "github-forbidden",
      "github-not-found"
    ];
    if (error instanceof _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .GitHubError */ .y_ && hidden.includes(error.code)) return void 0;
    throw error;
  }
}
async function tried(answer) {
  try {
    await answer;
    return "unknown";
  } catch (error) {
    if (!(error instanceof _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .GitHubError */ .y_)) throw error;
    if (error.code === "github-invalid" || error.code === "github-exists") return "allowed";
    const refused = [
      "github-permission-missing",
      "github-forbidden",
      "github-not-found",
      "github-pull-requests-not-permitted",
      "github-rule"
    ];
    return refused.includes(error.code) ? "refused" : "unknown";
  }
}

// src/adapters/github-shapes.ts
function toPullRequest(data) {
  return {
    number: data.number,
    url: data.html_url,
    state: data.state === "open" ? "open" : "closed",
    merged: data.merged_at !== null,
    title: data.title,
    body: data.body ?? "",
    base: data.base.ref,
    headSha: data.head.sha,
    labels: data.labels.flatMap((label) => label.name ?? []),
    assignees: (data.assignees ?? []).map((user) => user.login),
    reviewers: (data.requested_reviewers ?? []).flatMap((user) => user.login ?? []),
    teamReviewers: (data.requested_teams ?? []).map((team) => team.slug)
  };
}
function isFromSameRepository({
  head,
  base
}) {
  return head.repo !== null && head.repo.id === base.repo.id;
}
function toIssue(data) {
  return {
    number: data.number,
    url: data.html_url,
    state: data.state === "open" ? "open" : "closed",
    body: data.body ?? "",
    author: data.user?.login ?? ""
  };
}
function toComment(data) {
  return { id: Number(data.id), body: data.body ?? "", author: data.user?.login ?? "" };
}
function toComparison(data) {
  return {
    ahead: data.ahead_by,
    behind: data.behind_by,
    mergeBase: data.merge_base_commit.sha,
    commits: data.commits.map((commit) => ({
      sha: commit.sha,
      url: commit.html_url,
      message: commit.commit.message,
      author: loginOf(commit.author) ?? commit.commit.author?.name ?? "unknown",
      parents: commit.parents.map((parent) => parent.sha)
    })),
    files: (data.files ?? []).flatMap((file) => [
      file.filename,
      ...file.previous_filename === void 0 ? [] : [file.previous_filename]
    ])
  };
}
function loginOf(author) {
  return author !== null && "login" in author && typeof author.login === "string" ? author.login : void 0;
}

// src/adapters/github-git.ts
function gitData(requests, place) {
  return {
    async branchHead(branch) {
      try {
        const { data } = await requests.read(`read branch ${branch}`, "GET /repos/{owner}/{repo}/git/ref/{ref}", {
          ...place,
          ref: `heads/${branch}`
        });
        return data.object.sha;
      } catch (error) {
        if (error instanceof _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .GitHubError */ .y_ && error.code === "github-not-found") return void 0;
        throw error;
      }
    },
    async treeOf(commit) {
      const { data } = await requests.read(
        `read commit ${commit}`,
        "GET /repos/{owner}/{repo}/git/commits/{commit_sha}",
        {
          ...place,
          commit_sha: commit
        }
      );
      return data.tree.sha;
    },
    async tree(sha) {
      const { data } = await requests.read(`read tree ${sha}`, "GET /repos/{owner}/{repo}/git/trees/{tree_sha}", {
        ...place,
        tree_sha: sha
      });
      return {
        entries: data.tree.map((entry) => ({ path: entry.path, mode: entry.mode, sha: entry.sha })),
        truncated: data.truncated
      };
    },
    async blob(sha) {
      const { data } = await requests.read(`read blob ${sha}`, "GET /repos/{owner}/{repo}/git/blobs/{file_sha}", {
        ...place,
        file_sha: sha
      });
      return Buffer.from(data.content, data.encoding === "base64" ? "base64" : "utf8");
    },
    async compare(base, head) {
      const { data } = await requests.read(
        `compare ${base} with ${head}`,
        "GET /repos/{owner}/{repo}/compare/{basehead}",
        {
          ...place,
          basehead: `${base}...${head}`
        }
      );
      return toComparison(data);
    },
    async createBlob(content) {
      const { data } = await requests.object("write the file", "POST /repos/{owner}/{repo}/git/blobs", {
        ...place,
        content: Buffer.from(content).toString("base64"),
        encoding: "base64"
      });
      return data.sha;
    },
    async createTree(baseTree, entry) {
      const { data } = await requests.object("write the tree", "POST /repos/{owner}/{repo}/git/trees", {
        ...place,
        base_tree: baseTree,
        tree: [{ path: entry.path, mode: entry.mode, type: "blob", sha: entry.sha }]
      });
      return data.sha;
    },
    async createCommit(message, tree, parents) {
      const { data } = await requests.object("write the commit", "POST /repos/{owner}/{repo}/git/commits", {
        ...place,
        message,
        tree,
        parents: [...parents]
      });
      return data.sha;
    },
    async createBranch(branch, commit) {
      await requests.call(
        { doing: `create branch ${branch}`, repeatable: false },
        "POST /repos/{owner}/{repo}/git/refs",
        { ...place, ref: `refs/heads/${branch}`, sha: commit }
      );
    },
    async moveBranch(branch, commit) {
      await requests.call(
        { doing: `move branch ${branch}`, repeatable: false },
        "PATCH /repos/{owner}/{repo}/git/refs/{ref}",
        { ...place, ref: `heads/${branch}`, sha: commit, force: false }
      );
    }
  };
}

// src/adapters/github-pages.ts
var pageSize = 100;
async function pages(read) {
  const all = [];
  for (let page = 1; ; page++) {
    const found = await read(page);
    all.push(...found);
    if (found.length < pageSize) return all;
  }
}

// src/adapters/github-issues.ts
function reading(doing) {
  return { doing, repeatable: true, permissions: issuePermissions };
}
function writing(doing) {
  return { doing, repeatable: false, permissions: issuePermissions };
}
function issues(requests, place) {
  return {
    async issuesBy(login) {
      const all = await pages(async (page) => {
        const { data } = await requests.call(
          reading(`list the issues of ${login}`),
          "GET /repos/{owner}/{repo}/issues",
          {
            ...place,
            ...{ creator: login, state: "all", sort: "created", direction: "asc" },
            ...{ per_page: pageSize, page }
          }
        );
        return data;
      });
      return all.filter((issue) => issue.pull_request === void 0).map(toIssue);
    },
    async createIssue({ title, body, labels, assignees }) {
      const { data } = await requests.call(writing("open the issue"), "POST /repos/{owner}/{repo}/issues", {
        ...place,
        title,
        body,
        labels: [...labels],
        assignees: [...assignees]
      });
      return toIssue(data);
    },
    async updateIssue(number, { body, state, reason }) {
      const { data } = await requests.call(
        writing(`update issue #${String(number)}`),
        "PATCH /repos/{owner}/{repo}/issues/{issue_number}",
        {
          ...place,
          issue_number: number,
          ...body === void 0 ? {} : { body },
          ...state === void 0 ? {} : { state },
          ...reason === void 0 ? {} : { state_reason: reason }
        }
      );
      return toIssue(data);
    },
    async issueComments(number) {
      const all = await pages(async (page) => {
        const { data } = await requests.call(
          reading(`read the comments of issue #${String(number)}`),
          "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
          { ...place, issue_number: number, per_page: pageSize, page }
        );
        return data;
      });
      return all.map(toComment);
    },
    async createComment(number, body) {
      const { data } = await requests.call(
        writing(`comment on issue #${String(number)}`),
        "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
        { ...place, issue_number: number, body }
      );
      return toComment(data);
    },
    async deleteComment(id) {
      try {
        await requests.call(
          { doing: "delete a comment that says the same again", repeatable: true, permissions: issuePermissions },
          "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}",
          { ...place, comment_id: id }
        );
      } catch (error) {
        if (!(error instanceof _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .GitHubError */ .y_) || error.code !== "github-not-found") throw error;
      }
    }
  };
}

// src/adapters/github-pulls.ts
function pullRequests(requests, place) {
  return {
    async pullRequestsFrom(branch) {
      const all = await pages(async (page) => {
        const { data } = await requests.read(
          `list the pull requests of branch ${branch}`,
          "GET /repos/{owner}/{repo}/pulls",
          {
            ...place,
            ...{ head: `${place.owner}:${branch}`, state: "all", sort: "created", direction: "desc" },
            ...{ per_page: pageSize, page }
          }
        );
        return data;
      });
      return all.filter(isFromSameRepository).map(toPullRequest);
    },
    async createPullRequest(request2) {
      const { data } = await requests.call(
        {
          doing: "open the pull request",
          repeatable: false,
          // Not all of GitHub knows the branch at once.
          passing: /could not resolve to a node|no commits between/i
        },
        "POST /repos/{owner}/{repo}/pulls",
        { ...place, ...request2 }
      );
      return toPullRequest({ ...data, merged_at: null });
    },
    async updatePullRequest(number, change) {
      await requests.fresh(
        `update pull request #${String(number)}`,
        "PATCH /repos/{owner}/{repo}/pulls/{pull_number}",
        {
          ...place,
          pull_number: number,
          ...change
        }
      );
    },
    async isReviewed(number) {
      const { data } = await requests.read(
        `read the reviews of pull request #${String(number)}`,
        "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
        { ...place, pull_number: number, per_page: 1 }
      );
      return data.length > 0;
    },
    async addLabels(number, labels) {
      await requests.fresh("add the labels", "POST /repos/{owner}/{repo}/issues/{issue_number}/labels", {
        ...place,
        issue_number: number,
        labels: [...labels]
      });
    },
    async addAssignees(number, logins) {
      const { data } = await requests.fresh(
        "assign the pull request",
        "POST /repos/{owner}/{repo}/issues/{issue_number}/assignees",
        { ...place, issue_number: number, assignees: [...logins] }
      );
      return (data.assignees ?? []).map((user) => user.login);
    },
    async requestReviews(number, from) {
      await requests.fresh("request reviews", "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", {
        ...place,
        pull_number: number,
        reviewers: [...from.reviewers],
        team_reviewers: [...from.teamReviewers]
      });
    }
  };
}

// node_modules/universal-user-agent/index.js
function getUserAgent() {
  if (typeof navigator === "object" && "userAgent" in navigator) {
    return navigator.userAgent;
  }
  if (typeof process === "object" && process.version !== void 0) {
    return `Node.js/${process.version.substr(1)} (${process.platform}; ${process.arch})`;
  }
  return "<environment undetectable>";
}

// node_modules/@octokit/endpoint/dist-bundle/index.js
var VERSION = "0.0.0-development";
var userAgent = `octokit-endpoint.js/${VERSION} ${getUserAgent()}`;
var DEFAULTS = {
  method: "GET",
  baseUrl: "https://api.github.com",
  headers: {
    accept: "application/vnd.github.v3+json",
    "user-agent": userAgent
  },
  mediaType: {
    format: ""
  }
};
function lowercaseKeys(object) {
  if (!object) {
    return {};
  }
  return Object.keys(object).reduce((newObj, key) => {
    newObj[key.toLowerCase()] = object[key];
    return newObj;
  }, {});
}
function isPlainObject(value) {
  if (typeof value !== "object" || value === null) return false;
  if (Object.prototype.toString.call(value) !== "[object Object]") return false;
  const proto = Object.getPrototypeOf(value);
  if (proto === null) return true;
  const Ctor = Object.prototype.hasOwnProperty.call(proto, "constructor") && proto.constructor;
  return typeof Ctor === "function" && Ctor instanceof Ctor && Function.prototype.call(Ctor) === Function.prototype.call(value);
}
function mergeDeep(defaults, options) {
  const result = Object.assign({}, defaults);
  Object.keys(options).forEach((key) => {
    if (isPlainObject(options[key])) {
      if (!(key in defaults)) Object.assign(result, { [key]: options[key] });
      else result[key] = mergeDeep(defaults[key], options[key]);
    } else {
      Object.assign(result, { [key]: options[key] });
    }
  });
  return result;
}
function removeUndefinedProperties(obj) {
  for (const key in obj) {
    if (obj[key] === void 0) {
      delete obj[key];
    }
  }
  return obj;
}
function merge(defaults, route, options) {
  if (typeof route === "string") {
    let [method, url] = route.split(" ");
    options = Object.assign(url ? { method, url } : { url: method }, options);
  } else {
    options = Object.assign({}, route);
  }
  options.headers = lowercaseKeys(options.headers);
  removeUndefinedProperties(options);
  removeUndefinedProperties(options.headers);
  const mergedOptions = mergeDeep(defaults || {}, options);
  if (options.url === "/graphql") {
    if (defaults && defaults.mediaType.previews?.length) {
      mergedOptions.mediaType.previews = defaults.mediaType.previews.filter(
        (preview) => !mergedOptions.mediaType.previews.includes(preview)
      ).concat(mergedOptions.mediaType.previews);
    }
    mergedOptions.mediaType.previews = (mergedOptions.mediaType.previews || []).map((preview) => preview.replace(/-preview/, ""));
  }
  return mergedOptions;
}
function addQueryParameters(url, parameters) {
  const separator = /\?/.test(url) ? "&" : "?";
  const names = Object.keys(parameters);
  if (names.length === 0) {
    return url;
  }
  return url + separator + names.map((name) => {
    if (name === "q") {
      return "q=" + parameters.q.split("+").map(encodeURIComponent).join("+");
    }
    return `${name}=${encodeURIComponent(parameters[name])}`;
  }).join("&");
}
var urlVariableRegex = /\{[^{}}]+\}/g;
function removeNonChars(variableName) {
  return variableName.replace(/(?:^\W+)|(?:(?<!\W)\W+$)/g, "").split(/,/);
}
function extractUrlVariableNames(url) {
  const matches = url.match(urlVariableRegex);
  if (!matches) {
    return [];
  }
  return matches.map(removeNonChars).reduce((a, b) => a.concat(b), []);
}
function omit(object, keysToOmit) {
  const result = { __proto__: null };
  for (const key of Object.keys(object)) {
    if (keysToOmit.indexOf(key) === -1) {
      result[key] = object[key];
    }
  }
  return result;
}
function encodeReserved(str) {
  return str.split(/(%[0-9A-Fa-f]{2})/g).map(function(part) {
    if (!/%[0-9A-Fa-f]/.test(part)) {
      part = encodeURI(part).replace(/%5B/g, "[").replace(/%5D/g, "]");
    }
    return part;
  }).join("");
}
function encodeUnreserved(str) {
  return encodeURIComponent(str).replace(/[!'()*]/g, function(c) {
    return "%" + c.charCodeAt(0).toString(16).toUpperCase();
  });
}
function encodeValue(operator, value, key) {
  value = operator === "+" || operator === "#" ? encodeReserved(value) : encodeUnreserved(value);
  if (key) {
    return encodeUnreserved(key) + "=" + value;
  } else {
    return value;
  }
}
function isDefined(value) {
  return value !== void 0 && value !== null;
}
function isKeyOperator(operator) {
  return operator === ";" || operator === "&" || operator === "?";
}
function getValues(context, operator, key, modifier) {
  var value = context[key], result = [];
  if (isDefined(value) && value !== "") {
    if (typeof value === "string" || typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") {
      value = value.toString();
      if (modifier && modifier !== "*") {
        value = value.substring(0, parseInt(modifier, 10));
      }
      result.push(
        encodeValue(operator, value, isKeyOperator(operator) ? key : "")
      );
    } else {
      if (modifier === "*") {
        if (Array.isArray(value)) {
          value.filter(isDefined).forEach(function(value2) {
            result.push(
              encodeValue(operator, value2, isKeyOperator(operator) ? key : "")
            );
          });
        } else {
          Object.keys(value).forEach(function(k) {
            if (isDefined(value[k])) {
              result.push(encodeValue(operator, value[k], k));
            }
          });
        }
      } else {
        const tmp = [];
        if (Array.isArray(value)) {
          value.filter(isDefined).forEach(function(value2) {
            tmp.push(encodeValue(operator, value2));
          });
        } else {
          Object.keys(value).forEach(function(k) {
            if (isDefined(value[k])) {
              tmp.push(encodeUnreserved(k));
              tmp.push(encodeValue(operator, value[k].toString()));
            }
          });
        }
        if (isKeyOperator(operator)) {
          result.push(encodeUnreserved(key) + "=" + tmp.join(","));
        } else if (tmp.length !== 0) {
          result.push(tmp.join(","));
        }
      }
    }
  } else {
    if (operator === ";") {
      if (isDefined(value)) {
        result.push(encodeUnreserved(key));
      }
    } else if (value === "" && (operator === "&" || operator === "?")) {
      result.push(encodeUnreserved(key) + "=");
    } else if (value === "") {
      result.push("");
    }
  }
  return result;
}
function parseUrl(template) {
  return {
    expand: expand.bind(null, template)
  };
}
function expand(template, context) {
  var operators = ["+", "#", ".", "/", ";", "?", "&"];
  template = template.replace(
    /\{([^\{\}]+)\}|([^\{\}]+)/g,
    function(_, expression, literal) {
      if (expression) {
        let operator = "";
        const values = [];
        if (operators.indexOf(expression.charAt(0)) !== -1) {
          operator = expression.charAt(0);
          expression = expression.substr(1);
        }
        expression.split(/,/g).forEach(function(variable) {
          var tmp = /([^:\*]*)(?::(\d+)|(\*))?/.exec(variable);
          values.push(getValues(context, operator, tmp[1], tmp[2] || tmp[3]));
        });
        if (operator && operator !== "+") {
          var separator = ",";
          if (operator === "?") {
            separator = "&";
          } else if (operator !== "#") {
            separator = operator;
          }
          return (values.length !== 0 ? operator : "") + values.join(separator);
        } else {
          return values.join(",");
        }
      } else {
        return encodeReserved(literal);
      }
    }
  );
  if (template === "/") {
    return template;
  } else {
    return template.replace(/\/$/, "");
  }
}
function parse(options) {
  let method = options.method.toUpperCase();
  let url = (options.url || "/").replace(/:([a-z]\w+)/g, "{$1}");
  let headers = Object.assign({}, options.headers);
  let body;
  let parameters = omit(options, [
    "method",
    "baseUrl",
    "url",
    "headers",
    "request",
    "mediaType"
  ]);
  const urlVariableNames = extractUrlVariableNames(url);
  url = parseUrl(url).expand(parameters);
  if (!/^http/.test(url)) {
    url = options.baseUrl + url;
  }
  const omittedParameters = Object.keys(options).filter((option) => urlVariableNames.includes(option)).concat("baseUrl");
  const remainingParameters = omit(parameters, omittedParameters);
  const isBinaryRequest = /application\/octet-stream/i.test(headers.accept);
  if (!isBinaryRequest) {
    if (options.mediaType.format) {
      headers.accept = headers.accept.split(/,/).map(
        (format) => format.replace(
          /application\/vnd(\.\w+)(\.v3)?(\.\w+)?(\+json)?$/,
          `application/vnd$1$2.${options.mediaType.format}`
        )
      ).join(",");
    }
    if (url.endsWith("/graphql")) {
      if (options.mediaType.previews?.length) {
        const previewsFromAcceptHeader = headers.accept.match(/(?<![\w-])[\w-]+(?=-preview)/g) || [];
        headers.accept = previewsFromAcceptHeader.concat(options.mediaType.previews).map((preview) => {
          const format = options.mediaType.format ? `.${options.mediaType.format}` : "+json";
          return `application/vnd.github.${preview}-preview${format}`;
        }).join(",");
      }
    }
  }
  if (["GET", "HEAD"].includes(method)) {
    url = addQueryParameters(url, remainingParameters);
  } else {
    if ("data" in remainingParameters) {
      body = remainingParameters.data;
    } else {
      if (Object.keys(remainingParameters).length) {
        body = remainingParameters;
      }
    }
  }
  if (!headers["content-type"] && typeof body !== "undefined") {
    headers["content-type"] = "application/json; charset=utf-8";
  }
  if (["PATCH", "PUT"].includes(method) && typeof body === "undefined") {
    body = "";
  }
  return Object.assign(
    { method, url, headers },
    typeof body !== "undefined" ? { body } : null,
    options.request ? { request: options.request } : null
  );
}
function endpointWithDefaults(defaults, route, options) {
  return parse(merge(defaults, route, options));
}
function withDefaults(oldDefaults, newDefaults) {
  const DEFAULTS2 = merge(oldDefaults, newDefaults);
  const endpoint2 = endpointWithDefaults.bind(null, DEFAULTS2);
  return Object.assign(endpoint2, {
    DEFAULTS: DEFAULTS2,
    defaults: withDefaults.bind(null, DEFAULTS2),
    merge: merge.bind(null, DEFAULTS2),
    parse
  });
}
var endpoint = withDefaults(null, DEFAULTS);

// node_modules/content-type/dist/index.js
var SP = 32;
var HTAB = 9;
var SEMI = 59;
var EQ = 61;
var DQUOTE = 34;
var BSLASH = 92;
var COMMA = 44;
var LOWER_CASE = 1;
var OWS = 2;
var SEMI_FLAG = 4;
var COMMA_FLAG = 8;
var TOKEN_FLAG = 16;
var NON_ASCII = 65280;
var CASE_FLAGS = LOWER_CASE | NON_ASCII;
var CHAR_MAP = new Uint8Array(256);
CHAR_MAP[HTAB] |= OWS;
CHAR_MAP[SP] |= OWS;
CHAR_MAP[SEMI] |= SEMI_FLAG;
CHAR_MAP[COMMA] |= COMMA_FLAG;
for (let code = 128; code <= 255; code++) {
  CHAR_MAP[code] |= LOWER_CASE;
}
for (const char of "!#$%&'*+-.^_`|~") {
  CHAR_MAP[char.charCodeAt(0)] |= TOKEN_FLAG;
}
for (let code = 48; code <= 57; code++) {
  CHAR_MAP[code] |= TOKEN_FLAG;
}
for (let code = 65; code <= 90; code++) {
  CHAR_MAP[code] |= LOWER_CASE | TOKEN_FLAG;
}
for (let code = 97; code <= 122; code++) {
  CHAR_MAP[code] |= TOKEN_FLAG;
}
var NullObject = /* @__PURE__ */ (() => {
  const C = function() {
  };
  C.prototype = /* @__PURE__ */ Object.create(null);
  return C;
})();
function parse2(header, options) {
  const stopFlags = SEMI_FLAG | (options?.comma === true ? COMMA_FLAG : 0);
  const len = header.length;
  let valueStart = options?.start ?? 0;
  while ((CHAR_MAP[header.charCodeAt(valueStart)] & OWS) !== 0) {
    valueStart++;
  }
  let index = valueStart;
  let typeFlags = 0;
  let whitespace = -1;
  let stop = options?.parameters === false ? COMMA_FLAG : 0;
  while (index < len) {
    const code = header.charCodeAt(index);
    const flags = CHAR_MAP[code];
    if ((flags & stopFlags) !== 0) {
      stop |= flags & COMMA_FLAG;
      break;
    }
    if ((flags & OWS) !== 0) {
      if (whitespace === -1)
        whitespace = index;
    } else {
      whitespace = -1;
    }
    typeFlags |= code & NON_ASCII | flags;
    index++;
  }
  const valueEnd = whitespace === -1 ? index : whitespace;
  const value = header.slice(valueStart, valueEnd);
  const type = (typeFlags & CASE_FLAGS) === 0 ? value : value.toLowerCase();
  if (index === len || stop !== 0) {
    return { type, index, parameters: new NullObject() };
  }
  return parseParameters(header, type, index, len, stopFlags);
}
function parseParameters(header, type, index, len, stopFlags) {
  const parameters = new NullObject();
  parameter: while (index < len) {
    index++;
    while ((CHAR_MAP[header.charCodeAt(index)] & OWS) !== 0) {
      index++;
    }
    const keyStart = index;
    let keyFlags = 0;
    let keyWhitespace = -1;
    while (index < len) {
      const code = header.charCodeAt(index);
      const flags = CHAR_MAP[code];
      if ((flags & stopFlags) !== 0) {
        if ((flags & COMMA_FLAG) !== 0)
          break parameter;
        continue parameter;
      }
      if (code === EQ) {
        const keyEnd = keyWhitespace === -1 ? index : keyWhitespace;
        const value = header.slice(keyStart, keyEnd);
        const key = (keyFlags & CASE_FLAGS) === 0 ? value : value.toLowerCase();
        index++;
        while ((CHAR_MAP[header.charCodeAt(index)] & OWS) !== 0) {
          index++;
        }
        if (index < len && header.charCodeAt(index) === DQUOTE) {
          const quotedStart = ++index;
          let escaped = false;
          while (index < len) {
            const code2 = header.charCodeAt(index);
            if (code2 === DQUOTE) {
              if (parameters[key] === void 0) {
                parameters[key] = escaped ? unescapeQuotedPairs(header, quotedStart, index) : header.slice(quotedStart, index);
              }
              index++;
              let stop2 = 0;
              while (index < len) {
                const code3 = header.charCodeAt(index);
                const flags2 = CHAR_MAP[code3];
                if ((flags2 & stopFlags) !== 0) {
                  stop2 = flags2 & COMMA_FLAG;
                  break;
                }
                index++;
              }
              if (stop2 !== 0)
                break parameter;
              continue parameter;
            }
            if (code2 === BSLASH && index + 1 < len) {
              escaped = true;
              index += 2;
              continue;
            }
            index++;
          }
          continue parameter;
        }
        const valueStart = index;
        let stop = 0;
        let valueWhitespace = -1;
        while (index < len) {
          const code2 = header.charCodeAt(index);
          const flags2 = CHAR_MAP[code2];
          if ((flags2 & stopFlags) !== 0) {
            stop = flags2 & COMMA_FLAG;
            break;
          }
          if ((flags2 & OWS) !== 0) {
            if (valueWhitespace === -1)
              valueWhitespace = index;
          } else {
            valueWhitespace = -1;
          }
          index++;
        }
        if (parameters[key] === void 0) {
          const valueEnd = valueWhitespace === -1 ? index : valueWhitespace;
          parameters[key] = header.slice(valueStart, valueEnd);
        }
        if (stop !== 0)
          break parameter;
        continue parameter;
      }
      if ((flags & OWS) !== 0) {
        if (keyWhitespace === -1)
          keyWhitespace = index;
      } else {
        keyWhitespace = -1;
      }
      keyFlags |= code & NON_ASCII | flags;
      index++;
    }
  }
  return { type, index, parameters };
}
function unescapeQuotedPairs(str, start, end) {
  let result = "";
  for (let index = start; index < end; index++) {
    if (str.charCodeAt(index) === BSLASH) {
      result += str.slice(start, index);
      start = ++index;
    }
  }
  return result + str.slice(start, end);
}

// node_modules/json-with-bigint/json-with-bigint.js
var intRegex = /^-?\d+$/;
var noiseValue = /^-?\d+n+$/;
var originalStringify = JSON.stringify;
var originalParse = JSON.parse;
var customFormat = /^-?\d+n$/;
var bigIntsStringify = /([\[:])?"(-?\d+)n"($|\s*[,\}\]])/g;
var noiseStringify = /([\[:])?("-?\d+n+)n("$|"\s*[,\}\]])/g;
var isUnstringifiable = (val) => val === void 0 || typeof val === "function" || typeof val === "symbol";
var isRawJSON = (val) => val !== null && typeof val === "object" && val.constructor && val.constructor.name === "RawJSON";
var stringifyIteratively = (rootValue, replacer, spaceParam) => {
  let space = "";
  if (typeof spaceParam === "number") {
    space = " ".repeat(Math.min(10, Math.max(0, Math.floor(spaceParam))));
  } else if (typeof spaceParam === "string") {
    space = spaceParam.slice(0, 10);
  }
  const isFunctionReplacer = typeof replacer === "function";
  const propertyList = Array.isArray(replacer) ? new Set(replacer.map(String)) : null;
  const prepareVal = (parent, key, val) => {
    const isObject = val !== null && typeof val === "object";
    const hasToJSON = isObject && typeof val.toJSON === "function";
    if (hasToJSON) {
      val = val.toJSON(key);
    }
    const isNoise = typeof val === "string" && noiseValue.test(val);
    if (isNoise) return val + "n";
    const isBigInt = typeof val === "bigint";
    if (isBigInt) {
      const supportsRawJSON = "rawJSON" in JSON;
      if (supportsRawJSON) return JSON.rawJSON(val.toString());
      return val.toString() + "n";
    }
    if (isFunctionReplacer) {
      val = replacer.call(parent, key, val);
    }
    const isPostReplacerObject = val !== null && typeof val === "object";
    if (isPostReplacerObject) {
      const isPrimitiveWrapper = val instanceof Number || val instanceof String || val instanceof Boolean;
      if (isPrimitiveWrapper) {
        val = val.valueOf();
      }
    }
    return val;
  };
  const rootProcessed = prepareVal({ "": rootValue }, "", rootValue);
  if (isUnstringifiable(rootProcessed)) {
    return void 0;
  }
  const isRootPrimitive = rootProcessed === null || typeof rootProcessed !== "object";
  const isRootNativeRawJSON = isRawJSON(rootProcessed);
  if (isRootPrimitive || isRootNativeRawJSON) {
    return originalStringify(rootProcessed);
  }
  const chunks = [];
  let level = 0;
  const stack = [
    {
      parent: { "": rootProcessed },
      key: "",
      val: rootProcessed,
      isArray: Array.isArray(rootProcessed),
      keys: Array.isArray(rootProcessed) ? null : Object.keys(rootProcessed),
      index: 0,
      first: true
    }
  ];
  const visited = new WeakSet([rootProcessed]);
  while (stack.length > 0) {
    const node = stack[stack.length - 1];
    if (node.index === 0) {
      chunks.push(node.isArray ? "[" : "{");
      level++;
    }
    let isDone = false;
    if (node.isArray) {
      if (node.index < node.val.length) {
        if (!node.first) chunks.push(",");
        if (space) chunks.push("\n" + space.repeat(level));
        const childRaw = node.val[node.index];
        const childVal = prepareVal(node.val, String(node.index), childRaw);
        if (isUnstringifiable(childVal)) {
          chunks.push("null");
          node.first = false;
          node.index++;
        } else {
          const isComplexObject = childVal !== null && typeof childVal === "object";
          const isNativeRaw = isRawJSON(childVal);
          if (isComplexObject && !isNativeRaw) {
            if (visited.has(childVal)) {
              throw new TypeError("Converting circular structure to JSON");
            }
            visited.add(childVal);
            stack.push({
              parent: node.val,
              key: String(node.index),
              val: childVal,
              isArray: Array.isArray(childVal),
              keys: Array.isArray(childVal) ? null : Object.keys(childVal),
              index: 0,
              first: true
            });
            node.first = false;
            node.index++;
          } else {
            chunks.push(originalStringify(childVal));
            node.first = false;
            node.index++;
          }
        }
      } else {
        isDone = true;
      }
    } else {
      while (node.index < node.keys.length) {
        const k = node.keys[node.index++];
        const isFilteredOutByArray = propertyList && !propertyList.has(k);
        if (isFilteredOutByArray) continue;
        const childRaw = node.val[k];
        const childVal = prepareVal(node.val, k, childRaw);
        if (isUnstringifiable(childVal)) continue;
        if (!node.first) chunks.push(",");
        if (space) {
          chunks.push("\n" + space.repeat(level) + originalStringify(k) + ": ");
        } else {
          chunks.push(originalStringify(k) + ":");
        }
        const isComplexObject = childVal !== null && typeof childVal === "object";
        const isNativeRaw = isRawJSON(childVal);
        if (isComplexObject && !isNativeRaw) {
          if (visited.has(childVal)) {
            throw new TypeError("Converting circular structure to JSON");
          }
          visited.add(childVal);
          stack.push({
            parent: node.val,
            key: k,
            val: childVal,
            isArray: Array.isArray(childVal),
            keys: Array.isArray(childVal) ? null : Object.keys(childVal),
            index: 0,
            first: true
          });
          node.first = false;
          break;
        } else {
          chunks.push(originalStringify(childVal));
          node.first = false;
        }
      }
      const isNodeFullyProcessed = node.index >= node.keys.length && stack[stack.length - 1] === node;
      if (isNodeFullyProcessed) {
        isDone = true;
      }
    }
    if (isDone) {
      level--;
      if (!node.first && space) chunks.push("\n" + space.repeat(level));
      chunks.push(node.isArray ? "]" : "}");
      visited.delete(node.val);
      stack.pop();
    }
  }
  return chunks.join("");
};
var JSONStringify = (value, replacer, space) => {
  try {
    const supportsRawJSON = "rawJSON" in JSON;
    if (supportsRawJSON) {
      return originalStringify(
        value,
        (key, val) => {
          if (typeof val === "bigint") return JSON.rawJSON(val.toString());
          const hasFunctionReplacer = typeof replacer === "function";
          if (hasFunctionReplacer) return replacer(key, val);
          const isKeyInArrayReplacer = Array.isArray(replacer) && replacer.includes(key);
          if (isKeyInArrayReplacer) return val;
          return val;
        },
        space
      );
    }
    if (!value) return originalStringify(value, replacer, space);
    const convertedToCustomJSON = originalStringify(
      value,
      (key, val) => {
        const isNoise = typeof val === "string" && noiseValue.test(val);
        if (isNoise) return val.toString() + "n";
        if (typeof val === "bigint") return val.toString() + "n";
        const hasFunctionReplacer = typeof replacer === "function";
        if (hasFunctionReplacer) return replacer(key, val);
        const isKeyInArrayReplacer = Array.isArray(replacer) && replacer.includes(key);
        if (isKeyInArrayReplacer) return val;
        return val;
      },
      space
    );
    const processedJSON = convertedToCustomJSON.replace(
      bigIntsStringify,
      "$1$2$3"
    );
    const denoisedJSON = processedJSON.replace(noiseStringify, "$1$2$3");
    return denoisedJSON;
  } catch (error) {
    if (error instanceof RangeError) {
      const convertedJSON = stringifyIteratively(value, replacer, space);
      if (convertedJSON === void 0) return void 0;
      const supportsRawJSON = "rawJSON" in JSON;
      if (supportsRawJSON) return convertedJSON;
      const processedJSON = convertedJSON.replace(bigIntsStringify, "$1$2$3");
      return processedJSON.replace(noiseStringify, "$1$2$3");
    }
    throw error;
  }
};
var featureCache = /* @__PURE__ */ new Map();
var isContextSourceSupported = () => {
  const parseFingerprint = JSON.parse.toString();
  if (featureCache.has(parseFingerprint)) {
    return featureCache.get(parseFingerprint);
  }
  try {
    const result = JSON.parse(
      "1",
      (_, __, context) => !!context?.source && context.source === "1"
    );
    featureCache.set(parseFingerprint, result);
    return result;
  } catch {
    featureCache.set(parseFingerprint, false);
    return false;
  }
};
var convertMarkedBigIntsReviver = (key, value, context, userReviver) => {
  const isCustomFormatBigInt = typeof value === "string" && customFormat.test(value);
  if (isCustomFormatBigInt) return BigInt(value.slice(0, -1));
  const isNoiseValue = typeof value === "string" && noiseValue.test(value);
  if (isNoiseValue) return value.slice(0, -1);
  const hasUserReviver = typeof userReviver === "function";
  if (!hasUserReviver) return value;
  return userReviver(key, value, context);
};
var JSONParseV2 = (text, reviver) => {
  return JSON.parse(text, (key, value, context) => {
    const isNumber = typeof value === "number";
    const isOutOfBounds = value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER;
    const isBigNumber = isNumber && isOutOfBounds;
    const isInt = context && intRegex.test(context.source);
    const isBigInt = isBigNumber && isInt;
    if (isBigInt) return BigInt(context.source);
    const hasCustomReviver = typeof reviver === "function";
    if (!hasCustomReviver) return value;
    return reviver(key, value, context);
  });
};
var MAX_INT = Number.MAX_SAFE_INTEGER.toString();
var MAX_DIGITS = MAX_INT.length;
var stringsOrLargeNumbers = /"(?:[^"\\]|\\.)*"|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/g;
var noiseValueWithQuotes = /^"-?\d+n+"$/;
var applyReviverIteratively = (parsed, userReviver) => {
  const rootHolder = { "": parsed };
  const stack = [{ parent: rootHolder, key: "", visited: false }];
  while (stack.length > 0) {
    const node = stack[stack.length - 1];
    if (!node.visited) {
      node.visited = true;
      const value = node.parent[node.key];
      const isComplexObject = value !== null && typeof value === "object";
      if (isComplexObject) {
        const keys = Object.keys(value);
        for (let i = keys.length - 1; i >= 0; i--) {
          stack.push({ parent: value, key: keys[i], visited: false });
        }
      }
    } else {
      const { parent, key } = node;
      let value = parent[key];
      if (typeof value === "string") {
        const isCustomFormatBigInt = customFormat.test(value);
        if (isCustomFormatBigInt) {
          value = BigInt(value.slice(0, -1));
        } else {
          const isNoise = noiseValue.test(value);
          if (isNoise) value = value.slice(0, -1);
        }
      }
      const hasUserReviver = typeof userReviver === "function";
      if (hasUserReviver) {
        value = userReviver.call(parent, key, value);
      }
      const isDeleted = value === void 0;
      if (isDeleted) {
        delete parent[key];
      } else {
        parent[key] = value;
      }
      stack.pop();
    }
  }
  return rootHolder[""];
};
var serializeBigInts = (text) => {
  return text.replace(
    stringsOrLargeNumbers,
    (match, digits, fractional, exponential) => {
      const isString = match[0] === '"';
      const isNoise = isString && noiseValueWithQuotes.test(match);
      if (isNoise) return match.substring(0, match.length - 1) + 'n"';
      const hasFractionalOrExponential = fractional || exponential;
      const isLessThanMaxSafeInt = digits && (digits.length < MAX_DIGITS || digits.length === MAX_DIGITS && digits <= MAX_INT);
      const isStandardValue = isString || hasFractionalOrExponential || isLessThanMaxSafeInt;
      if (isStandardValue) return match;
      return '"' + match + 'n"';
    }
  );
};
var JSONParse = (text, reviver) => {
  if (!text) return originalParse(text, reviver);
  try {
    if (isContextSourceSupported()) return JSONParseV2(text, reviver);
    const serializedData = serializeBigInts(text);
    return originalParse(
      serializedData,
      (key, value, context) => convertMarkedBigIntsReviver(key, value, context, reviver)
    );
  } catch (error) {
    if (error instanceof RangeError) {
      const serializedData = serializeBigInts(text);
      const parsed = originalParse(serializedData);
      return applyReviverIteratively(parsed, reviver);
    }
    throw error;
  }
};

// node_modules/@octokit/request/dist-bundle/index.js
var VERSION2 = "10.0.16";
var defaults_default = {
  headers: {
    "user-agent": `octokit-request.js/${VERSION2} ${getUserAgent()}`
  }
};
function isPlainObject2(value) {
  if (typeof value !== "object" || value === null) return false;
  if (Object.prototype.toString.call(value) !== "[object Object]") return false;
  const proto = Object.getPrototypeOf(value);
  if (proto === null) return true;
  const Ctor = Object.prototype.hasOwnProperty.call(proto, "constructor") && proto.constructor;
  return typeof Ctor === "function" && Ctor instanceof Ctor && Function.prototype.call(Ctor) === Function.prototype.call(value);
}
var noop = () => "";
async function fetchWrapper(requestOptions) {
  const fetch2 = requestOptions.request?.fetch || globalThis.fetch;
  if (!fetch2) {
    throw new Error(
      "fetch is not set. Please pass a fetch implementation as new Octokit({ request: { fetch }}). Learn more at https://github.com/octokit/octokit.js/#fetch-missing"
    );
  }
  const log = requestOptions.request?.log || console;
  const parseSuccessResponseBody = requestOptions.request?.parseSuccessResponseBody !== false;
  const body = isPlainObject2(requestOptions.body) || Array.isArray(requestOptions.body) ? JSONStringify(requestOptions.body) : requestOptions.body;
  const requestHeaders = Object.fromEntries(
    Object.entries(requestOptions.headers).map(([name, value]) => [
      name,
      String(value)
    ])
  );
  let fetchResponse;
  try {
    fetchResponse = await fetch2(requestOptions.url, {
      method: requestOptions.method,
      body,
      redirect: requestOptions.request?.redirect,
      headers: requestHeaders,
      signal: requestOptions.request?.signal,
      // duplex must be set if request.body is ReadableStream or Async Iterables.
      // See https://fetch.spec.whatwg.org/#dom-requestinit-duplex.
      ...requestOptions.body && { duplex: "half" }
    });
  } catch (error) {
    let message = "Unknown Error";
    if (error instanceof Error) {
      if (error.name === "AbortError") {
        error.status = 500;
        throw error;
      }
      message = error.message;
      if (error.name === "TypeError" && "cause" in error) {
        if (error.cause instanceof Error) {
          message = error.cause.message;
        } else if (typeof error.cause === "string") {
          message = error.cause;
        }
      }
    }
    const requestError = new RequestError(message, 500, {
      request: requestOptions
    });
    requestError.cause = error;
    throw requestError;
  }
  const status = fetchResponse.status;
  const url = fetchResponse.url;
  const responseHeaders = {};
  for (const [key, value] of fetchResponse.headers) {
    responseHeaders[key] = value;
  }
  const octokitResponse = {
    url,
    status,
    headers: responseHeaders,
    data: ""
  };
  if ("deprecation" in responseHeaders) {
    const matches = responseHeaders.link && responseHeaders.link.match(/<([^<>]+)>; rel="deprecation"/);
    const deprecationLink = matches && matches.pop();
    log.warn(
      `[@octokit/request] "${requestOptions.method} ${requestOptions.url}" is deprecated. It is scheduled to be removed on ${responseHeaders.sunset}${deprecationLink ? `. See ${deprecationLink}` : ""}`
    );
  }
  if (status === 204 || status === 205) {
    return octokitResponse;
  }
  if (requestOptions.method === "HEAD") {
    if (status < 400) {
      return octokitResponse;
    }
    throw new RequestError(fetchResponse.statusText, status, {
      response: octokitResponse,
      request: requestOptions
    });
  }
  if (status === 304) {
    octokitResponse.data = await getResponseData(fetchResponse);
    throw new RequestError("Not modified", status, {
      response: octokitResponse,
      request: requestOptions
    });
  }
  if (status >= 400) {
    octokitResponse.data = await getResponseData(fetchResponse);
    throw new RequestError(toErrorMessage(octokitResponse.data), status, {
      response: octokitResponse,
      request: requestOptions
    });
  }
  octokitResponse.data = parseSuccessResponseBody ? await getResponseData(fetchResponse) : fetchResponse.body;
  return octokitResponse;
}
async function getResponseData(response) {
  const contentType = response.headers.get("content-type");
  if (!contentType) {
    return response.text().catch(noop);
  }
  const mimetype = parse2(contentType);
  if (isJSONResponse(mimetype)) {
    let text = "";
    try {
      text = await response.text();
      return JSONParse(text);
    } catch (err) {
      return text;
    }
  } else if (mimetype.type.startsWith("text/") || // `application/octet-stream` is the canonical "arbitrary binary" type
  // (RFC 2046) and must never be decoded as text, even when the response
  // carries a (misleading) `charset=utf-8` parameter — see #751.
  mimetype.parameters.charset?.toLowerCase() === "utf-8" && mimetype.type !== "application/octet-stream") {
    return response.text().catch(noop);
  } else {
    return response.arrayBuffer().catch(
      /* v8 ignore next -- @preserve */
      () => new ArrayBuffer(0)
    );
  }
}
function isJSONResponse(mimetype) {
  return mimetype.type === "application/json" || mimetype.type === "application/scim+json";
}
function toErrorMessage(data) {
  if (typeof data === "string") {
    return data;
  }
  if (data instanceof ArrayBuffer) {
    return "Unknown error";
  }
  if (typeof data === "object" && data !== null && "message" in data) {
    const objectData = data;
    const suffix = "documentation_url" in objectData ? ` - ${objectData.documentation_url}` : "";
    return Array.isArray(objectData.errors) ? `${objectData.message}: ${objectData.errors.map((v) => JSON.stringify(v)).join(", ")}${suffix}` : `${objectData.message}${suffix}`;
  }
  return `Unknown error: ${JSON.stringify(data)}`;
}
function withDefaults2(oldEndpoint, newDefaults) {
  const endpoint2 = oldEndpoint.defaults(newDefaults);
  const newApi = function(route, parameters) {
    const endpointOptions = endpoint2.merge(route, parameters);
    if (!endpointOptions.request || !endpointOptions.request.hook) {
      return fetchWrapper(endpoint2.parse(endpointOptions));
    }
    const request2 = (route2, parameters2) => {
      return fetchWrapper(
        endpoint2.parse(endpoint2.merge(route2, parameters2))
      );
    };
    Object.assign(request2, {
      endpoint: endpoint2,
      defaults: withDefaults2.bind(null, endpoint2)
    });
    return endpointOptions.request.hook(request2, endpointOptions);
  };
  return Object.assign(newApi, {
    endpoint: endpoint2,
    defaults: withDefaults2.bind(null, endpoint2)
  });
}
var request = withDefaults2(endpoint, defaults_default);

// src/adapters/github-request.ts
var import_undici = (0,_chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .__toESM */ .f1)((0,_chunk_TX3RZEKL_js__WEBPACK_IMPORTED_MODULE_1__/* .require_undici */ .L)(), 1);

// src/adapters/github-limits.ts
var longestPause = 5 * 6e4;
var unsaid = 6e4;
function limitPause(error, now) {
  if (error.status !== 403 && error.status !== 429) return void 0;
  const headers = error.response?.headers ?? {};
  const pause = pauseOf(headers, messageOf(error), error.status, now);
  if (pause === void 0) return void 0;
  const until = new Date(now.getTime() + pause).toISOString();
  return {
    pause,
    error: (doing) => new _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .GitHubError */ .y_(
      "github-rate-limited",
      `Can't ${doing}: GitHub limits the number of calls until ${until}.`,
      `Run the workflow again after ${until}, with fewer runs at a time for the same token.`
    )
  };
}
function pauseOf(headers, message, status, now) {
  const after = Number(headers["retry-after"] ?? Number.NaN);
  if (Number.isFinite(after)) return Math.max(after, 1) * 1e3;
  const reset = Number(headers["x-ratelimit-reset"] ?? Number.NaN);
  if (String(headers["x-ratelimit-remaining"]) === "0" && Number.isFinite(reset)) {
    return Math.max(reset * 1e3 - now.getTime(), 0) + 1e3;
  }
  return status === 429 || /rate limit|abuse/i.test(message) ? unsaid : void 0;
}

// src/adapters/github-request.ts
var attempts = 5;
var firstPause = 1e3;
var GitHubRequests = class {
  constructor(connection) {
    this.connection = connection;
    const { apiUrl, token } = connection;
    const dispatcher = new _chunk_TX3RZEKL_js__WEBPACK_IMPORTED_MODULE_1__/* .HttpClient */ .Q().getAgentDispatcher(apiUrl);
    this.send = request.defaults({
      baseUrl: apiUrl.replace(/\/+$/, ""),
      headers: {
        authorization: `token ${token}`,
        "user-agent": "circleci-server-postgresql-upgrade",
        "x-github-api-version": "2022-11-28"
      },
      request: {
        // Node's own fetch does not know the proxy variables.
        fetch: (url, options) => (0, import_undici.fetch)(url, { ...options, ...dispatcher === void 0 ? {} : { dispatcher } })
      }
    });
  }
  connection;
  send;
  async read(doing, route, parameters) {
    return await this.call({ doing, repeatable: true }, route, parameters);
  }
  /** Writes a git object: its name is its content, so that writing it again writes nothing. */
  async object(doing, route, parameters) {
    return await this.call({ doing, repeatable: true }, route, parameters);
  }
  /** Sets something on a pull request that may be a moment old; the same result however often it is done. */
  async fresh(doing, route, parameters) {
    const passing = /could not resolve to a node|not found/i;
    return await this.call({ doing, repeatable: true, passing }, route, parameters);
  }
  /**
   * Asks by GraphQL what REST does not tell.
   * @throws GitHubError also for an answer that is errors, which come with status 200
   */
  async query(call, query) {
    const baseUrl = this.connection.apiUrl.replace(/\/+$/, "").replace(/\/api\/v3$/, "/api");
    const parameters = { baseUrl, query };
    const answer = await this.call(call, "POST /graphql", parameters);
    const { data, errors } = answer.data;
    if (data !== void 0 && data !== null && errors === void 0) return data;
    throw new _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .GitHubError */ .y_(
      "github-refused",
      `Can't ${call.doing}: ${(0,_chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .sentence */ .em)(errors?.[0]?.message ?? "GitHub gave no message")}`,
      "See GitHub's message."
    );
  }
  async call(call, route, parameters) {
    const { clock, log, signal } = this.connection;
    for (let attempt = 1; ; attempt++) {
      if (signal?.aborted === true) throw new _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .CancelledError */ .cc(`trying to ${call.doing}`);
      const outcome = await this.once(call, route, parameters);
      if ("answer" in outcome) return outcome.answer;
      const pause = outcome.pause ?? firstPause * 2 ** (attempt - 1);
      if (!outcome.again || attempt === attempts || pause > longestPause) throw outcome.error;
      log.info(
        `${outcome.error.message} Waiting ${String(Math.ceil(pause / 1e3))} s before the next attempt (${String(attempt)} of ${String(attempts - 1)})`
      );
      await clock.sleep(pause, signal);
    }
  }
  async once(call, route, parameters) {
    const { signal, answerLimit = 3e4, apiUrl, clock } = this.connection;
    const limit = AbortSignal.timeout(answerLimit);
    try {
      const answer = await this.send(route, {
        ...parameters,
        request: { signal: signal === void 0 ? limit : AbortSignal.any([signal, limit]) }
      });
      if (typeof answer.data === "string" && answer.data !== "") throw unreadable(call.doing, apiUrl);
      return { answer };
    } catch (error) {
      if (signal?.aborted === true) return { error: new _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .CancelledError */ .cc(`trying to ${call.doing}`), again: false };
      if (error instanceof _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .GitHubError */ .y_) return { error, again: false };
      if (!(error instanceof RequestError) || error.response === void 0) {
        const lost = limit.aborted ? new Error(`no answer within ${String(answerLimit / 1e3)} s`) : error;
        return uncertain(call, noAnswer(call.doing, apiUrl, lost));
      }
      const limited = limitPause(error, clock.now());
      if (limited !== void 0) return { error: limited.error(call.doing), again: true, pause: limited.pause };
      const refused = refusal(
        call.doing,
        error,
        call.permissions ?? pullRequestPermissions,
        (text) => this.connection.log.redact(text)
      );
      if (error.status >= 500) return uncertain(call, refused);
      return { error: refused, again: call.passing?.test(messageOf(error)) ?? false };
    }
  }
};
function uncertain(call, error) {
  if (call.repeatable) return { error, again: true };
  return {
    error: new _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .GitHubError */ .y_(
      "github-uncertain",
      `${error.message} It is unknown whether GitHub carried it out.`,
      error.remedy
    ),
    again: false
  };
}
function unreadable(doing, address) {
  return new _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .GitHubError */ .y_(
    "github-unexpected-answer",
    `Can't ${doing}: the answer from ${address} is not GitHub's.`,
    "Check GITHUB_API_URL and the proxy."
  );
}

// src/adapters/github.ts
function connectGitHub(options) {
  const { environment, ...connection } = options;
  if (connection.token === "") {
    throw new _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .ConfigurationError */ .j1(
      "github-token-missing",
      "The run is to write to GitHub, but has no token. Nothing was written.",
      'Set "github-token" to a token with the permissions for it, such as ${{ github.token }}. Or leave "values-file" and "issue" out.'
    );
  }
  const repository = environment("GITHUB_REPOSITORY");
  if (!/^[^/\s]+\/[^/\s]+$/.test(repository)) {
    throw new _chunk_2CEMYDGG_js__WEBPACK_IMPORTED_MODULE_3__/* .ConfigurationError */ .j1(
      "github-repository-missing",
      `GITHUB_REPOSITORY is ${JSON.stringify(repository)}, which is not "owner/name".`,
      'Run in a GitHub workflow, or leave "values-file" and "issue" out.'
    );
  }
  const serverUrl = (environment("GITHUB_SERVER_URL") || "https://github.com").replace(/\/+$/, "");
  const apiUrl = environment("GITHUB_API_URL") || "https://api.github.com";
  (0,_chunk_Y775CODE_js__WEBPACK_IMPORTED_MODULE_2__/* .expectSafeApi */ .$q)(apiUrl);
  const [owner = "", repo = ""] = repository.split("/");
  const place = { owner, repo };
  const requests = new GitHubRequests({ ...connection, apiUrl });
  return {
    repository,
    serverUrl,
    ...accessTo(requests, place),
    ...gitData(requests, place),
    ...pullRequests(requests, place),
    ...issues(requests, place)
  };
}

/*! Bundled license information:

@octokit/request-error/dist-src/index.js:
  (* v8 ignore else -- @preserve -- Bug with vitest coverage where it sees an else branch that doesn't exist *)

content-type/dist/index.js:
  (*!
   * content-type
   * Copyright(c) 2015 Douglas Christopher Wilson
   * MIT Licensed
   *)

@octokit/request/dist-bundle/index.js:
  (* v8 ignore next -- @preserve *)
  (* v8 ignore else -- @preserve *)
*/


/***/ })

};
