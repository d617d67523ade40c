# What stands in quotes in a statement may be a secret (a subscription's password, a function's text), and nobody needs it to know the statement. For the
# programs of report.sh and restore-test.sh, which call begin_statement() and then without_literals() for each line of the statement. A literal may go over lines.
# Whoever owns a database may bring lines of any length: each character is looked at twice at most, and only the beginning of a long answer is made.

function begin_statement() { quote = "" }

# most: bytes that are wanted of the line; there may be more
function without_literals(line, most,   out, at, from, size, c, token) {
  out = ""
  from = 1
  size = length(line)
  for (at = 1; at <= size; at++) {
    c = substr(line, at, 1)
    if (quote == "") {
      if (c == "-" && substr(line, at + 1, 1) == "-") size = at - 1
      token = c == "\047" || c == "\"" ? c : (c == "$" ? tag(line, at, size) : "")
      if (token == "") continue
      at += length(token) - 1
      if (length(out) <= most) out = out substr(line, from, at - from + 1)
      quote = token
    } else {
      if (c != substr(quote, 1, 1)) continue
      token = c == "$" ? tag(line, at, size) : c
      if (token != quote) {
        # The end of this tag may be the beginning of the next one.
        if (token != "") at += length(token) - 2
        continue
      }
      at += length(token) - 1
      if (length(out) <= most) out = out (quote == "\"" ? substr(line, from, at - from + 1) : "…" quote)
      quote = ""
    }
    from = at + 1
  }
  return quote == "" || quote == "\"" ? out substr(line, from, size - from + 1) : out
}

# `$name$` that begins there, or nothing
function tag(line, at, size,   end) {
  for (end = at + 1; end <= size && substr(line, end, 1) ~ /[A-Za-z_]/; end++);
  return end <= size && substr(line, end, 1) == "$" ? substr(line, at, end - at + 1) : ""
}
