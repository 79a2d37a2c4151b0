// The other side of the interop test: it speaks with the platform's own package.
// It reads one request a line (JSON) on stdin and writes one answer a line.
import { createInterface } from "node:readline";
import crypto from "@wecom/crypto";

const { getSignature, encrypt, decrypt } = crypto;

async function answer(q) {
  switch (q.do) {
    case "encrypt":
      return { cipher: encrypt(q.key, q.message, q.id) };
    case "decrypt": {
      const { message, id } = decrypt(q.key, q.cipher);
      return { message, id };
    }
    case "sign":
      return { signature: getSignature(q.token, q.timestamp, q.nonce, q.cipher) };
    case "post": {
      // A callback as the platform sends it: encrypted, signed and posted.
      const cipher = encrypt(q.key, q.message, q.id);
      const signature = getSignature(q.token, q.timestamp, q.nonce, cipher);
      const query = new URLSearchParams({ msg_signature: signature, timestamp: q.timestamp, nonce: q.nonce });
      const body = q.envelope.replace("CIPHER", cipher);
      const response = await fetch(`${q.url}?${query}`, { method: "POST", body });
      return { status: response.status, body: await response.text() };
    }
    case "check": {
      const cipher = encrypt(q.key, q.message, q.id);
      const signature = getSignature(q.token, q.timestamp, q.nonce, cipher);
      const query = new URLSearchParams({ msg_signature: signature, timestamp: q.timestamp, nonce: q.nonce, echostr: cipher });
      const response = await fetch(`${q.url}?${query}`);
      return { status: response.status, body: await response.text() };
    }
  }
  throw new Error(`unknown request ${q.do}`);
}

for await (const line of createInterface({ input: process.stdin })) {
  let out;
  try {
    out = await answer(JSON.parse(line));
  } catch (e) {
    out = { error: String(e) };
  }
  process.stdout.write(JSON.stringify(out) + "\n");
}
