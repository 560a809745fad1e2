/** Sources of packages (sources.list(5)): the one-line form and the one of stanzas. */

/** Returns the sources that apt takes without a signature, each with its place. */
export function unsignedSources(path: string, text: string): string[] {
  return path.endsWith(".sources") ? unsignedStanzas(path, text) : unsignedLines(path, text);
}

const ON = /^(?:yes|true|1|on)$/i;

function unsignedLines(path: string, text: string): string[] {
  return text.split("\n").flatMap((line, index) => {
    const options = /^\s*deb(?:-src)?\s+\[([^\]]*)\]/.exec(line)?.[1];
    const bad = (options ?? "").split(/\s+/).filter((option) => {
      const [name = "", value = ""] = option.split("=");
      return /^(trusted|allow-insecure|allow-weak)$/i.test(name) && ON.test(value);
    });
    return bad.map((option) => `${path}:${index + 1}: ${option}`);
  });
}

function unsignedStanzas(path: string, text: string): string[] {
  return text.split("\n").flatMap((line, index) => {
    const match = /^(Trusted|Allow-Insecure|Allow-Weak):\s*(\S+)/i.exec(line);
    return match !== null && ON.test(match[2] ?? "") ? [`${path}:${index + 1}: ${match[0]}`] : [];
  });
}

/** Returns the lines that name a security archive of Debian or Ubuntu, or a suite of one, by their place. */
export function securitySources(path: string, text: string): string[] {
  const pattern = path.endsWith(".sources")
    ? /^(?:URIs|Suites):.*(?:debian-security|security\.(?:debian\.org|ubuntu\.com)|-security\b)/i
    : /^\s*deb\s.*(?:debian-security|security\.(?:debian\.org|ubuntu\.com)|-security\b)/i;
  return text.split("\n").flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : []));
}
