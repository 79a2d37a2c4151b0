// An independent receiver of callbacks: the platform's own npm package checks
// the signature, decrypts, and encrypts the passive reply. It prints its port,
// then one JSON line for each callback.
import http from 'node:http';
import crypto from '@wecom/crypto';

const { getSignature, decrypt, encrypt } = crypto;
const conf = JSON.parse(process.argv[2]);

const text = (xml, name) => {
  const m = xml.match(new RegExp(`<${name}>(?:<!\\[CDATA\\[([\\s\\S]*?)\\]\\]>|([^<]*))</${name}>`));
  return m ? m[1] ?? m[2] : '';
};

const server = http.createServer((req, res) => {
  const url = new URL(req.url, 'http://localhost');
  const bot = url.pathname === '/bot';
  const { token, key, id } = bot ? conf.bot : conf.app;
  const q = (name) => url.searchParams.get(name) ?? '';
  const chunks = [];
  req.on('data', (c) => chunks.push(c));
  req.on('end', () => {
    const body = Buffer.concat(chunks).toString('utf8');
    const sealed = req.method === 'GET' ? q('echostr') : bot ? JSON.parse(body).encrypt : text(body, 'Encrypt');
    const signed = getSignature(token, q('timestamp'), q('nonce'), sealed) === q('msg_signature');
    const clear = decrypt(key, sealed);
    console.log(JSON.stringify({ method: req.method, bot, signed, id: clear.id, idOk: clear.id === id, message: clear.message }));
    if (!signed || clear.id !== id) {
      res.writeHead(403).end();
      return;
    }
    if (req.method === 'GET') {
      res.writeHead(200).end(clear.message);
      return;
    }
    const stamp = Math.floor(Date.now() / 1000);
    if (bot) {
      const msg = JSON.parse(clear.message);
      const inner = encrypt(key, JSON.stringify({ msgtype: 'stream', stream: { id: 'node', finish: true, content: '机器人收到：' + msg.text.content } }), id);
      const nonce = q('nonce');
      res.writeHead(200).end(JSON.stringify({ encrypt: inner, msgsignature: getSignature(token, stamp, nonce, inner), timestamp: stamp, nonce }));
      return;
    }
    const reply = `<xml><ToUserName><![CDATA[${text(clear.message, 'FromUserName')}]]></ToUserName><FromUserName><![CDATA[${id}]]></FromUserName><CreateTime>${stamp}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[应用收到：${text(clear.message, 'Content')}]]></Content></xml>`;
    const inner = encrypt(key, reply, id);
    res.writeHead(200).end(`<xml><Encrypt><![CDATA[${inner}]]></Encrypt><MsgSignature><![CDATA[${getSignature(token, stamp, 'abc', inner)}]]></MsgSignature><TimeStamp>${stamp}</TimeStamp><Nonce><![CDATA[abc]]></Nonce></xml>`);
  });
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
